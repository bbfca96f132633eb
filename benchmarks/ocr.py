"""Text in pictures: mner's OCR, with and without its first look, beside rapidocr's engine on the same models."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from record import Table, arguments, write

ABOUT = """Real pictures of posts, decoded, one thread; the sides take turns picture by picture, in one process. Seconds
are CPU time of that thread, medians of the repetitions. `rapidocr` is the package's own engine with the settings that
mner gave it before it ran the models itself, and what it reads is the text that the other sides are compared with.
Equal is 1 less the edit distance over that text's characters, blanks included, so that a word which only the other side
reads counts as an error. Kept leaves out such insertions."""

PICTURES = Path(os.environ.get("MNER_DATA", "")) / "images"
GLANCES = (256, 448)
"""Sizes of the first look beside the one that is used."""

LINES = (
    "Thanks to everyone who came out tonight",
    "OPENING ACT: THE RIVER BOYS",
    "Photo by Martha Noble / Globe",
    "Sat 14 May, 7 pm at the Old Mill",
    "let your light shine on",
    "No. 1 in New York and Los Angeles",
)
Side = Callable[[Image.Image], list[str]]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, default=PICTURES, help="folder of pictures; default: MNER_DATA's")
    parser.add_argument("--fonts", type=int, default=5, help="most fonts of the drawn lines")
    options = arguments(parser, argv)
    pictures = opened(options.pictures)
    sides = {"rapidocr": rapidocr_alone(), "whole picture": ours(first_look=False), "first look": ours(first_look=True)}
    seconds, texts = measure(sides, pictures, repetitions=options.repetitions)
    before = texts["rapidocr"]
    written = [name for name in pictures if before[name]]
    parts = {"all": list(pictures), "with text": written, "without": [name for name in pictures if name not in written]}
    speed = Table(
        "Seconds of a picture",
        ["pictures", "number", *sides, "rapidocr / first look", "median of that"],
        note="Without: pictures in which rapidocr reads nothing; one of them is a page of Arabic.",
    )
    ratios = {}
    for part, names in parts.items():
        sums = {side: sum(seconds[side][name] for name in names) / len(names) for side in sides}
        ratio = sums["rapidocr"] / sums["first look"]
        each = statistics.median(seconds["rapidocr"][name] / seconds["first look"][name] for name in names)
        speed.rows.append([part, len(names), *sums.values(), ratio, each])
        ratios[f"rapidocr / first look, {part}"] = ratio
    equal = Table("Text of the pictures", ["side", "characters", "equal", "kept"])
    for side in sides:
        share, kept = agreement(before, texts[side])
        equal.rows.append([side, sum(map(len, texts[side].values())), share, kept])
        ratios[f"{side}: characters kept (1 is best)"] = kept
    curve = trade(pictures, before, (seconds["first look"], texts["first look"]))
    blanks = spaces(sides, fonts()[: options.fonts])
    everything = {side: [sum(times.values())] for side, times in seconds.items()}
    write("ocr", ABOUT, [speed, equal, curve, blanks], settings=options, seconds=everything, ratios=ratios)
    return 0


def opened(folder: Path) -> dict[str, Image.Image]:
    """The pictures of a folder as a backend gets them, by name."""
    from mner.vision.extract import fitted
    from mner.vision.images import open_image

    names = sorted(path for path in folder.glob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not names:
        raise SystemExit(f"{folder}: no pictures; name a folder with --pictures, or set MNER_DATA")
    return {path.name: fitted(open_image(path).pixels) for path in names}


def rapidocr_alone() -> Side:
    """The engine of rapidocr with mner's settings of before; it opens its models itself."""
    from mner import sessions

    sessions.onnxruntime()
    import cv2
    import rapidocr

    from mner.vision.ocr import rapid
    from mner.vision.ocr._lines import confident, silence

    silence("RapidOCR")
    cv2.setNumThreads(1)
    parameters = {"Global.log_level": "critical", "Global.text_score": 0.0}
    parameters |= {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    for kind, model in zip(("Det", "Cls", "Rec"), rapid.MODELS, strict=True):
        parameters[f"{kind}.model_path"] = str(model)
    engine = rapidocr.RapidOCR(params=parameters)

    def read(picture: Image.Image) -> list[str]:
        result: Any = engine(np.ascontiguousarray(np.asarray(rapid._padded(picture))[..., ::-1]))
        if result.boxes is None or result.txts is None:
            return []
        readings = zip(result.txts, result.scores, result.boxes, strict=True)
        return [line.text for line in confident(readings, picture.size, least=0.8, characters=2, source="")]

    return read


def ours(*, first_look: bool) -> Side:
    """mner's reader."""
    from mner.vision.ocr import rapid

    reader = rapid.Reader(rapid.Options(first_look=first_look), threads=1)
    return lambda picture: [line.text for line in reader(picture)]


def measure(
    sides: Mapping[str, Side], pictures: Mapping[str, Image.Image], *, repetitions: int
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, str]]]:
    """Seconds and texts by side and picture."""
    times: dict[str, dict[str, list[float]]] = {side: {name: [] for name in pictures} for side in sides}
    texts: dict[str, dict[str, str]] = {side: {} for side in sides}
    for read in sides.values():
        read(next(iter(pictures.values())))
    for number in range(repetitions):
        print(f"  repetition {number + 1} of {repetitions}", file=sys.stderr, flush=True)
        for name, picture in pictures.items():
            for side, read in sides.items():
                started = time.thread_time()
                texts[side][name] = "\n".join(read(picture))
                times[side][name].append(time.thread_time() - started)
    medians = {side: {name: statistics.median(each) for name, each in named.items()} for side, named in times.items()}
    return medians, texts


def trade(
    pictures: Mapping[str, Image.Image],
    before: Mapping[str, str],
    chosen: tuple[Mapping[str, float], Mapping[str, str]],
) -> Table:
    """What the size of the first look costs and keeps; other sizes than the chosen one are measured once."""
    from mner.vision.ocr import _text_map

    reader, used = ours(first_look=True), round(_text_map.GLANCE * _text_map.SHORTEST)
    spent, texts = {used: sum(chosen[0].values())}, {used: dict(chosen[1])}
    for side in GLANCES:
        spent[side], texts[side] = 0.0, {}
    for name, picture in pictures.items():
        for side in GLANCES:
            _text_map.GLANCE = side / _text_map.SHORTEST
            started = time.thread_time()
            texts[side][name] = "\n".join(reader(picture))
            spent[side] += time.thread_time() - started
    _text_map.GLANCE = used / _text_map.SHORTEST
    table = Table(
        "Size of the first look",
        ["pixels of the shortest side", "seconds of a picture", "equal", "kept", "pictures with no text left"],
        note=f"{used} is used, for pictures whose closer look has {_text_map.SHORTEST}.",
    )
    for side in sorted(texts):
        lost = sum(bool(before[name]) and not texts[side][name] for name in pictures)
        table.rows.append([side, spent[side] / len(pictures), *agreement(before, texts[side]), lost])
    return table


def spaces(sides: Mapping[str, Side], names: Sequence[str]) -> Table:
    """Drawn lines, whose text is known: which share of their blanks, and of all characters, each side reads."""
    table = Table(
        "Drawn lines",
        ["font", "pixels", "blanks", *(f"{side}: {what}" for side in sides for what in ("blanks", "equal"))],
    )
    total = sum(line.count(" ") for line in LINES)
    for font in names:
        for size in (18, 32):
            row: list[Any] = [font or "Pillow's own", size, total]
            picture = page(font, size)
            for read in sides.values():
                text = read(picture)
                blanks = sum(line.count(" ") for line in text)
                share, _ = agreement({"": "\n".join(LINES)}, {"": "\n".join(text)})
                row += [blanks, share]
            table.rows.append(row)
    return table


def fonts() -> list[str]:
    """The fonts that are installed, of some that are common; "" is the one that Pillow brings."""
    usual = ("DejaVuSans.ttf", "LiberationSansNarrow-Regular.ttf", "LiberationSans-Bold.ttf", "DejaVuSerif.ttf")
    known = [""]
    for name in usual:
        try:
            ImageFont.truetype(name, 12)
        except OSError:
            continue
        known.append(name)
    return known


def page(font: str, size: int) -> Image.Image:
    """The lines, one below the other."""
    drawn = ImageFont.truetype(font, size) if font else ImageFont.load_default(size)
    picture = Image.new("RGB", (40 + 24 * size, 40 + 2 * size * len(LINES)), "white")
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(LINES):
        pen.text((20, 20 + 2 * size * number), line, fill="black", font=drawn)
    return picture


def agreement(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[float, float]:
    """The shares of the characters of ``before`` that are equal, and that are kept, in ``after``."""
    changed = lost = 0
    for name, text in before.items():
        edits, losses = distance(text, after[name])
        changed, lost = changed + edits, lost + losses
    characters = sum(map(len, before.values())) or 1
    return 1 - changed / characters, 1 - lost / characters


def distance(old: str, new: str) -> tuple[int, int]:
    """The edit distance of two texts, and how many of its edits delete or replace a character of the old one."""
    for _ in range(2):  # what both begin with is left out, and so is what both end with
        pairs = takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))
        same = sum(1 for _ in pairs)
        old, new = old[same:][::-1], new[same:][::-1]
    row = [(count, 0) for count in range(len(new) + 1)]
    for down, mine in enumerate(old, 1):
        left = (down, down)
        following = [left]
        for across, other in enumerate(new, 1):
            corner, above = row[across - 1], row[across]
            left = min(
                (corner[0] + (mine != other), corner[1] + (mine != other)),
                (above[0] + 1, above[1] + 1),
                (left[0] + 1, left[1]),
            )
            following.append(left)
        row = following
    return row[-1]


if __name__ == "__main__":
    sys.exit(main())
