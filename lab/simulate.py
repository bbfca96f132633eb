"""Captions of pictures -> the contexts that the embedded backends might have read from the same pictures.

For training where posts have captions but no pictures: a model that shall read template sentences, the 80 names of
COCO and what OCR returns must have met that style. Only captions are read, never a post's words, and only names of
fixed tables come out, so nothing a caption says by name gets through.

The rates below are what the embedded backends did on 32 pictures of tweets: 21 with an object, 50 of 58 objects
people, 7 with a scene label, 14 with text. They are guesses from few pictures, and what is simulated is no evidence
of what the backends do: say "simulated" beside any score on it.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from PIL import Image

from lab import nouns
from mner.contexts.artefact import iter_contexts, write_contexts
from mner.errors import MnerError
from mner.types import Caption, OcrText, Tag, VisualContext
from mner.vision.attributes.attributes import UNCOLOURED
from mner.vision.captioners import template
from mner.vision.detectors.nanodet import CLASSES
from mner.vision.protocols import Scene

VERSION = 1

FOUND = {"person": (0.6, 0.85)}
"""Chance that an object is found which one captioner names, or several."""
FOUND_OTHER = (0.04, 0.3)
EACH, EACH_OTHER = 0.75, 0.3  # chance of each further person; of each further object of another kind
AGAIN = 0.45  # chance that there is one person more, in the background or found twice
FALSE = 0.03  # chance of an object that no captioner names
SCENE, FALSE_SCENE = 0.4, 0.02  # chance that a scene named in captions is labelled; that another one is
TEXT, TEXT_IN_WRITING = 0.35, 0.7  # chance of OCR; where captions speak of writing
LARGE, SMALL, COLOUR = 0.24, 0.07, 0.6
COLOURS = ("black", "black", "gray", "gray", "white", "white", "red", "blue", "brown", "green", "yellow", "orange")
LINES = (1, 1, 1, 1, 2, 2, 2, 3, 4, 5, 9, 13, 20)  # lines of a picture with text

Writer = Callable[[str, random.Random], Iterable[str]]
"""Picture's name and dice -> lines that are read in it."""

_COMMON = (
    "the you and for with from your our this that now new live love best free more all day night week time year "
    "today tomorrow sale open join us follow share win vote news update breaking official event tickets doors "
    "show music tour album single video watch listen game match final score team season home away vs goal city "
    "club school street house park hotel bar food drink coffee beer pizza special offer price only call visit "
    "follow page view menu search home settings reply like comment data total average top list chart january "
    "march may june july october monday friday saturday sunday am pm st nd th est no yes not never always people "
    "life world good great happy thank please stop keep going start end part one two three first last"
)
OCR_WORDS = tuple(_COMMON.split())
"""What the simulated OCR reads: common words of posters and screens, and no names."""


def simulate(
    contexts: Iterable[VisualContext],
    *,
    captions: Collection[str] | None = None,
    seed: int = 1,
    written: Writer | None = None,
) -> Iterator[VisualContext]:
    """The rows the embedded backends might have made, one for each given row; same name and seed, same row.

    A row whose status is not "ok" keeps status and reason and holds nothing else.

    Args:
        contexts: Rows with captions that speak of the picture.
        captions: Sources whose captions are read; None reads all.
        seed: Another seed gives other misses, false objects and texts.
        written: What is read in a picture that holds text; None: lines of common words, without regard to the post.
    """
    for context in contexts:
        yield _simulated(context, captions, seed, written)


def _simulated(
    context: VisualContext, sources: Collection[str] | None, seed: int, written: Writer | None
) -> VisualContext:
    about = {"name": "mner-simulated", "version": version("mner"), "fingerprint": f"simulate-{VERSION}-{seed}"}
    if context.status != "ok":
        return VisualContext(context.image, extractor=about, status=context.status, reason=context.reason)
    texts = [caption.text for caption in context.captions if sources is None or caption.source in sources]
    dice = random.Random(f"{seed}:{context.image}")  # noqa: S311  (chance, no secret)
    tags = sorted(_tags(texts, dice), key=lambda tag: -(tag.confidence or 0))
    seen = _scenes(texts, dice)
    ocr = _ocr(texts, dice, (lambda: written(context.image, dice)) if written else lambda: _posters(dice))
    return VisualContext(context.image, tuple(tags), tuple(_caption(tags, seen, ocr)), tuple(ocr), extractor=about)


def _caption(tags: list[Tag], scenes: list[Scene], ocr: list[OcrText]) -> list[Caption]:
    """The template captioner's own sentence; it looks at no pixel."""
    captioner = template.Captioner(template.Options())
    return captioner(Image.new("RGB", (1, 1)), tags, scenes=scenes, ocr=ocr)


def _tags(captions: list[str], dice: random.Random) -> Iterator[Tag]:
    named = [nouns.objects(caption) for caption in captions]
    votes = Counter(name for objects in named for name in objects)
    for name, count in votes.items():
        if dice.random() >= FOUND.get(name, FOUND_OTHER)[min(count, 2) - 1]:
            continue
        least, most = dice.choice([objects[name] for objects in named if name in objects])
        number = dice.randint(least, most)
        chance = EACH if name == "person" else EACH_OTHER
        further = sum(dice.random() < chance for _ in range(number - 1))
        if name == "person" and dice.random() < AGAIN:
            further += 1
        for _ in range(1 + further):
            yield _tag(name, dice)
    if dice.random() < FALSE:
        yield _tag(dice.choice(CLASSES), dice)


def _tag(name: str, dice: random.Random) -> Tag:
    size, attributes = dice.random(), []
    if size < LARGE + SMALL:
        attributes.append("large" if size < LARGE else "small")
    if name not in UNCOLOURED and dice.random() < COLOUR:
        attributes.append(dice.choice(COLOURS))
    return Tag(name, tuple(attributes), round(dice.triangular(0.5, 0.88, 0.62), 4), source="nanodet")


def _scenes(captions: list[str], dice: random.Random) -> list[Scene]:
    possible = nouns.scenes(captions)
    if possible and dice.random() < SCENE:
        return [Scene(dice.choice(possible), 0.7)]
    return [Scene(dice.choice([*nouns.SCENES]), 0.6)] if dice.random() < FALSE_SCENE else []


def _ocr(captions: list[str], dice: random.Random, lines: Callable[[], Iterable[str]]) -> list[OcrText]:
    writing = any(nouns.WRITING.intersection(nouns.words(caption)) for caption in captions)
    if dice.random() >= (TEXT_IN_WRITING if writing else TEXT):
        return []
    return [OcrText(line, round(dice.triangular(0.8, 1.0, 0.99), 4), source="rapid") for line in lines() if line]


def _posters(dice: random.Random) -> Iterator[str]:
    for _ in range(dice.choice(LINES)):
        yield line_of_posters(dice)


def line_of_posters(dice: random.Random) -> str:
    """A line as OCR returns it: of any case, at times with numbers, letters lost or blanks lost."""
    drawn = [dice.choice(OCR_WORDS) for _ in range(dice.choice((1, 1, 2, 3, 4)))]
    if dice.random() < 0.15:
        drawn.append(str(dice.choice((dice.randint(0, 31), dice.randint(1990, 2017), dice.randint(0, 99999)))))
    if dice.random() < 0.1:
        place = dice.randrange(len(drawn))
        drawn[place] = drawn[place][: dice.randint(1, 3)]
    line = ("" if dice.random() < 0.1 else " ").join(drawn)
    return dice.choice((str.upper, str.upper, str.title, str.capitalize, str))(line)


def main(argv: Sequence[str] | None = None) -> int:
    """0; 2 when a file cannot be used."""
    parser = argparse.ArgumentParser(description="Write the contexts that the embedded backends might have read.")
    parser.add_argument("contexts", type=Path, help="file of contexts with captions of the pictures")
    parser.add_argument("--out", type=Path, required=True, help="file of contexts (.jsonl or .parquet) to write")
    parser.add_argument("--captions", action="append", help="source of captions to read; may be repeated, else all")
    parser.add_argument("--seed", type=int, default=1, help="another seed: other misses and false finds")
    options = parser.parse_args(argv)
    try:
        rows = simulate(iter_contexts(options.contexts), captions=options.captions, seed=options.seed)
        count = write_contexts(rows, options.out)
    except MnerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{count} simulated contexts, no picture read", file=sys.stderr)
    print(options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
