"""Make the packaged sample: posts as JSON lines and drawn pictures; ``--check`` only says whether they are current."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops
from sample_layouts import draw
from sample_marked import UNSEEN, Marked, marked
from sample_photographs import PHOTOGRAPHS, extract, faults
from sample_posts import PICTURES, POSTS

SAMPLE = Path(__file__).resolve().parents[1] / "src" / "mner" / "data" / "sample"
SPLITS = ("train", "dev", "test", "unseen")


def main() -> int:
    """0: the sample was made, or is current; 1: it is not current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; compare with what is there")
    parser.add_argument("--photographs", type=Path, metavar="WHEEL", help="a scikit-image wheel to take them from")
    arguments = parser.parse_args()
    images = SAMPLE / "images"
    images.mkdir(parents=True, exist_ok=True)
    if arguments.photographs is not None:
        extract(arguments.photographs, images)
    files = sample()
    if arguments.check:
        wrong = [*stale(files), *faults(images)]
        print("\n".join(wrong) if wrong else f"{SAMPLE}: current, {len(files)} files", file=sys.stderr)
        return 1 if wrong else 0
    for name in leftovers(files):
        (SAMPLE / name).unlink()
    for name, content in files.items():
        (SAMPLE / name).write_bytes(content)
    wrong = faults(images)
    print("\n".join([*wrong, f"{SAMPLE}: {len(files)} files written"]), file=sys.stderr)
    return 1 if wrong else 0


def sample() -> dict[str, bytes]:
    """File name -> content of all posts and drawn pictures."""
    files: dict[str, bytes] = {}
    for split in SPLITS:
        rows = []
        # Hashes mix the posts, the same way everywhere; no order of types or of marked posts remains.
        order = sorted(posts(split), key=lambda at: hashlib.sha256(repr(at).encode()).digest())
        for number, (text, picture, is_marked) in enumerate(order, 1):
            row = {"id": f"{split}-{number:03}", **parse(text)}
            if picture:
                row["image"] = f"{picture[0]}.jpg" if picture[0] in PHOTOGRAPHS else f"{split}-{number:03}.png"
                if picture[0] not in PHOTOGRAPHS:
                    files[f"images/{row['image']}"] = png(picture, row)
            row["marked"] = is_marked
            rows.append(json.dumps(row, ensure_ascii=False) + "\n")
        files[f"{split}.jsonl"] = "".join(rows).encode()
    return files


def posts(split: str) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """The posts of a split: text with markup, picture (layout and lines, a photograph's name, or nothing), marked."""
    pictured = [Marked(*post) for post in UNSEEN] if split == "unseen" else marked(split)
    for text, picture in pictured:
        yield text, picture, True
    for line in POSTS.get(split, ()):
        text, _, name = line.partition(" <- ")
        yield text, PICTURES.get(name, (name,) if name else ()), False


def parse(markup: str) -> dict[str, Any]:
    """The text and entities of a post written as "[Jordan|PER] was amazing"."""
    text, entities, at = "", [], 0
    for match in re.finditer(r"\[([^|\]]+)\|([A-Z]+)\]", markup):
        text += markup[at : match.start()]
        entities.append({"start": len(text), "end": len(text) + len(match[1]), "label": match[2]})
        text, at = text + match[1], match.end()
    return {"text": text + markup[at:], "entities": entities}


def png(picture: tuple[str, ...], row: dict[str, Any]) -> bytes:
    """The drawn picture; the line with the post's entity, or else the first one, is the largest."""
    layout, *lines = picture
    names = [row["text"][at["start"] : at["end"]].upper() for at in row["entities"]]
    main_line = next((line for line in lines for name in names if name in line), lines[0])
    stream = io.BytesIO()
    draw(layout, lines, main=main_line).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def leftovers(files: dict[str, bytes]) -> list[str]:
    """Files of an earlier sample that this one does not have."""
    there = [path.relative_to(SAMPLE).as_posix() for kind in ("*.jsonl", "images/*.png") for path in SAMPLE.glob(kind)]
    return sorted(set(there) - set(files))


def stale(files: dict[str, bytes]) -> Iterator[str]:
    """What differs between the sample that is there and the one that was just made."""
    for name in leftovers(files):
        yield f"{SAMPLE / name}: not part of the sample"
    for name, content in files.items():
        path = SAMPLE / name
        if not path.is_file():
            yield f"{path}: missing; make it with tools/make_sample.py"
        elif path.read_bytes() != content and not (name.endswith(".png") and same_pixels(path.read_bytes(), content)):
            yield f"{path}: differs from what tools/make_sample.py makes"


def same_pixels(drawn: bytes, stored: bytes) -> bool:
    """Whether two PNG files show the same: another zlib writes other bytes for one picture."""
    first, second = (Image.open(io.BytesIO(at)).convert("RGB") for at in (drawn, stored))
    return first.size == second.size and ImageChops.difference(first, second).getbbox() is None


if __name__ == "__main__":
    sys.exit(main())
