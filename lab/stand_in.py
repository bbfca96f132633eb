"""Captions of pictures -> object tags that stand in for a detector's, where there are no pictures at hand.

They say only what the captions say, in a detector's words: a row that reads them says "stand-in" beside its score.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from lab import nouns
from mner.contexts.artefact import iter_contexts, write_contexts
from mner.errors import DataError, MnerError
from mner.types import Caption, Tag, VisualContext

VERSION = 1
SOURCE = "nouns"


@dataclass(slots=True)
class Named:
    """How many rows got tags."""

    rows: int = 0


def tags_of_captions(
    contexts: Iterable[VisualContext],
    *,
    captions: Collection[str] | None = None,
    named: Named | None = None,
    where: str = "contexts",
) -> Iterator[VisualContext]:
    """The same rows, their tags replaced by the objects that captions name; captions and OCR stay.

    An object is there as often as the caption that counts most of it says at least. Its confidence is the share of
    the captions that name it; equal ones keep the order in which they are named.

    Args:
        contexts: Rows with captions.
        captions: Sources whose captions are read; None reads all.
        named: Counts the rows that got tags.
        where: What the rows are of, for the error.

    Raises:
        DataError: At the end, if no row has a caption of one of the sources.
    """
    there: set[str | None] = set()
    for context in contexts:
        there.update(caption.source for caption in context.captions)
        chosen = [caption for caption in context.captions if captions is None or caption.source in captions]
        extractor = {"name": "mner-nouns", "version": version("mner"), "fingerprint": f"nouns-{VERSION}"}
        tags = tuple(_tags(chosen))
        if named is not None:
            named.rows += bool(tags)
        yield replace(context, tags=tags, extractor=extractor)
    if absent := sorted(set(captions or ()) - there):
        known = ", ".join(sorted(filter(None, there))) or "none"
        raise DataError(f"{where}: no caption of {', '.join(absent)}; sources of captions there: {known}")


def _tags(captions: Collection[Caption]) -> list[Tag]:
    named = [nouns.objects(objects.text) for objects in captions]
    names = dict.fromkeys(name for objects in named for name in objects)
    tags = []
    for name in names:
        counts = [objects[name][0] for objects in named if name in objects]
        confidence = round(len(counts) / len(named), 4)
        tags += [Tag(name, confidence=confidence, source=SOURCE)] * max(counts)
    return sorted(tags, key=lambda tag: -(tag.confidence or 0))


def main(argv: Sequence[str] | None = None) -> int:
    """0; 2 when a file cannot be used."""
    parser = argparse.ArgumentParser(
        description="Write the contexts with the objects that their captions name as tags."
    )
    parser.add_argument("contexts", type=Path, help="file of contexts with captions of the pictures")
    parser.add_argument("--out", type=Path, required=True, help="file of contexts (.jsonl or .parquet) to write")
    parser.add_argument("--captions", action="append", help="source of captions to read; may be repeated, else all")
    options = parser.parse_args(argv)
    named = Named()
    try:
        rows = tags_of_captions(
            iter_contexts(options.contexts), captions=options.captions, named=named, where=str(options.contexts)
        )
        count = write_contexts(rows, options.out)
    except MnerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{count} contexts, {named.rows} of them with tags, which are from captions alone", file=sys.stderr)
    print(options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
