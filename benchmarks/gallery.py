"""The gallery of `mner explain --html`: seconds until it is open in Chromium, to filter and to step; and its size."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image
from posts import training_posts
from record import Table, arguments, median, timed, write

from mner.evidence import Evidence, Explanation, Verdict
from mner.show.gallery import write_gallery
from mner.types import Box, Caption, Entity, OcrText, Post, Prediction, Tag, VisualContext
from mner.views import Piece

ABOUT = """A page of so many posts, each with a picture as detailed as a photograph, captions, objects and
text, is opened in Chromium without a window, each time in a new process of it. Open: from the start of the navigation
until the list and the first post are drawn. Filter: from the input until the list and the post that it leaves are laid
out again; each filter once in every repetition. Step: the same for an arrow key. Pictures fill the
40 MB that a page has for them."""

VERDICTS: tuple[Verdict, ...] = (
    "same", "raised", "lowered", "label changed", "only with the picture", "lost with the picture"
)  # fmt: skip
FILTERS = {
    "a label": ("label", "1"),
    "any error": ("outcome", "wrong"),
    "what the picture did": ("did", "3"),
    "a word that many posts have": ("find", "the"),
    "words that no post has": ("find", "zebra crossing nowhere"),
}
MEASURE = """([id, value]) => {
  const element = document.getElementById(id), began = performance.now();
  element.value = value;
  element.dispatchEvent(new Event("input", { bubbles: true }));
  document.body.getBoundingClientRect();
  const filtered = performance.now() - began, left = document.getElementById("count").textContent;
  document.getElementById("filters").reset();
  return [filtered / 1000, left];
}"""
STEP = """(key) => {
  const began = performance.now();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  document.body.getBoundingClientRect();
  return (performance.now() - began) / 1000;
}"""
READY = "() => performance.getEntriesByName('ready').map((mark) => mark.startTime / 1000)[0]"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=5000)
    options = arguments(parser, argv)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "gallery.html"
        wrote = timed(lambda: write_gallery(explanations(options.posts), path))
        size = path.stat().st_size / 1e6
        seconds, left, version = measure(path, options.repetitions)
    waits = Table("Seconds in Chromium", ["what", "median", "least", "most", "posts left"])
    for what, times in seconds.items():
        waits.rows.append([what, median(times), min(times), max(times), left.get(what)])
    page = Table("The page", ["posts", "MB", "seconds to write, pictures made small"], [[options.posts, size, wrote]])
    filters = [median(times) for what, times in seconds.items() if what.startswith("filter")]
    write(
        "gallery",
        ABOUT,
        [waits, page],
        settings=options,
        seconds={**seconds, "write": [wrote]},
        ratios={
            "2 s / open": 2 / median(seconds["open"]),
            "0.1 s / slowest filter": 0.1 / max(filters),
        },
        peers={"Chromium": {"versions": {"chromium": version}}},
    )
    return 0


def measure(path: Path, repetitions: int) -> tuple[dict[str, list[float]], dict[str, str], str]:
    """Seconds of each repetition, by what was waited for; how many posts each filter leaves; Chromium's version."""
    from playwright.sync_api import sync_playwright

    seconds: dict[str, list[float]] = {"open": []}
    left: dict[str, str] = {}
    version = ""
    with sync_playwright() as playwright:
        for number in range(repetitions + 1):  # the first brings the file into memory
            print(f"  round {number} of {repetitions}", file=sys.stderr, flush=True)
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
            version = browser.version
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(path.as_uri())
            page.wait_for_function(READY, timeout=120_000)
            times: dict[str, float] = {"open": page.evaluate(READY)}
            for what, arguments_ in FILTERS.items():
                times[f"filter: {what}"], left[f"filter: {what}"] = page.evaluate(MEASURE, list(arguments_))
            for key in ("ArrowDown", "ArrowRight", "End"):
                times[f"step: {key}"] = page.evaluate(STEP, key)
            browser.close()
            for what, took in times.items() if number else ():
                seconds.setdefault(what, []).append(took)
    return seconds, left, version


def explanations(count: int) -> Iterator[Explanation]:
    """Training posts, over and over, each with entities, gold ones, one of a hundred pictures and its context."""
    posts, _ = training_posts(400)
    rng = random.Random(7)
    pictures = [picture(rng) for _ in range(min(count, 100))]
    for number in range(count):
        yield explanation(posts[number % len(posts)], number, pictures[number % len(pictures)], rng)


def explanation(post: Post, number: int, shown: Image.Image, rng: random.Random) -> Explanation:
    gold = tuple(post.entity(span, 1.0) for span in post.spans or ())
    times = tuple(_wrong(entity, rng) for entity in gold if rng.random() > 0.1)
    rows = tuple(
        Evidence(entity, rng.choice(VERDICTS), rng.random(), entity.score, {"captions": 0.5, "tags": 0.6, "ocr": 0.7})
        for entity in times
    )
    box: Box = (40.0, 30.0, 300.0, 200.0)
    things = ("person", "dog", "car", "bottle", "chair", "sports ball")
    tags = tuple(Tag(rng.choice(things), (), round(rng.random(), 2), box, source="nanodet") for _ in range(4))
    caption = Caption(f"a {rng.choice(things)} and a {rng.choice(things)} in front of a building", source="template")
    ocr = tuple(OcrText(word.upper(), 0.9, box, source="rapid") for word in post.words[:5])
    context = VisualContext(f"{number}.jpg", tags, (caption,), ocr)
    pieces = (
        Piece("captions", "template", caption.text),
        Piece("tags", "nanodet", " ".join(tag.object for tag in tags)),
        Piece("ocr", "rapid", " ".join(line.text for line in ocr)),
    )
    prediction = Prediction(f"post-{number}", post.text, times, "I+T", "used", None, context, f"{number}.jpg")
    return Explanation(prediction, rows, pieces, shown, gold)


def _wrong(entity: Entity, rng: random.Random) -> Entity:
    label = rng.choice(("PER", "LOC", "ORG", "MISC")) if rng.random() < 0.2 else entity.label
    return Entity(entity.start, entity.end, entity.text, label, round(rng.random(), 3))


def picture(rng: random.Random) -> Image.Image:
    """A picture of 640 x 480 pixels with coarse and fine patches, which takes as many bytes as a photograph."""
    coarse, fine = (
        Image.frombytes("RGB", size, rng.randbytes(3 * size[0] * size[1])).resize((640, 480), Image.Resampling.BICUBIC)
        for size in ((8, 6), (80, 60))
    )
    return Image.blend(coarse, fine, 0.35)


if __name__ == "__main__":
    raise SystemExit(main())
