"""Draw the figures of docs/systems and count the parameters that its pages state; ``--check`` only compares.

What a figure shows stands in ``system_figures.py``. The block ``<!-- parameters umt -->`` up to ``<!-- end -->`` of a
page holds those of a model that is built from its row of ``configs/rows``, on the base that the page's commands name,
with an encoder of BERT base's sizes and no weights. The block ``<!-- sample -->`` holds what ``lab/systems.json`` says
of training on the packaged sample.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from system_figures import FIGURES, Arrow, Box, Figure

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "systems"
BLOCK = re.compile(r"(?P<head><!-- parameters (?P<rows>[^\n]+) -->\n).*?<!-- end -->", re.DOTALL)
SAMPLE = re.compile(r"(?P<head><!-- sample -->\n).*?<!-- end -->", re.DOTALL)
LABELS = ("LOC", "MISC", "ORG", "PER")
UNCASED = {"vinvl", "bert-vinvl", "rpbert", "rpbert-without-rp"}
"""Rows on BERT base, uncased; the others are on the cased one."""
WORD_VECTORS = {"ocsga": (200, 50), "riva": (200, 50)}
"""Systems that read a table of word vectors, which stands for the encoder: widths as published and as a package has."""

REMARKS = {"riva": " (re-implementation from the paper's description)"}
"""What follows the name of a row wherever a table shows it."""

MARGIN, GAP, HIGH, PITCH = 16, 44, 44, 68
"""Pixels: around the figure, between columns, of a box of one row, from row to row."""

STYLE = """
  .back { fill: #ffffff } .text { fill: #1b1f24 } .small { fill: #57606a; font-size: 11px }
  .arrow { stroke: #57606a; fill: none; stroke-width: 1.5 } .training { stroke-dasharray: 5 4 } .head { fill: #57606a }
  .input { fill: #f1f3f5; stroke: #868e96 } .pretrained { fill: #e7f0fd; stroke: #3b77c9 }
  .learned { fill: #fff4dc; stroke: #b7791f } .result { fill: #e3f6e8; stroke: #2f855a }
  @media (prefers-color-scheme: dark) {
    .back { fill: #15181d } .text { fill: #e6e9ed } .small { fill: #a9b1ba }
    .arrow { stroke: #a9b1ba } .head { fill: #a9b1ba }
    .input { fill: #262b32; stroke: #868e96 } .pretrained { fill: #1c2f4a; stroke: #6ea3e8 }
    .learned { fill: #3d3016; stroke: #d9a545 } .result { fill: #173525; stroke: #5fbd85 }
  }"""
LEGEND = (("input", "read"), ("pretrained", "starts pretrained"), ("learned", "starts fresh"), ("result", "result"))


def main() -> int:
    """0: all was written, or is current; 1: something is not current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something is not current")
    check = parser.parse_args().check
    files = {FOLDER / f"{name}.svg": draw(figure) for name, figure in FIGURES.items()}
    for page in sorted(FOLDER.glob("*.md")):
        files[page] = SAMPLE.sub(sampled, BLOCK.sub(filled, page.read_text(encoding="utf-8")))
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if check:
            print(f"{path}: not current; run: python tools/draw_systems.py", file=sys.stderr)
        else:
            path.write_text(files[path], encoding="utf-8")
            print(path, file=sys.stderr)
    return int(check and bool(stale))


def draw(figure: Figure) -> str:
    """The figure as SVG, readable on light and on dark."""
    columns = 1 + max(box.column for box in figure.boxes.values())
    widths = [max(wide(box) for box in figure.boxes.values() if box.column == column) for column in range(columns)]
    lefts = [MARGIN + sum(widths[:column]) + GAP * column for column in range(columns)]
    places = {
        key: (lefts[box.column], MARGIN + PITCH * box.row, widths[box.column], HIGH + PITCH * (box.tall - 1))
        for key, box in figure.boxes.items()
    }
    width = lefts[-1] + widths[-1] + MARGIN
    bottom = max(top + high for _, top, _, high in places.values())
    height = bottom + 44
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-label={quoteattr(f"{figure.title}. {figure.about}")} '
        'font-family="system-ui, sans-serif" font-size="13px">',
        f"<title>{escape(figure.title)}</title>",
        f"<style>{STYLE}\n</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path class="head" d="M0 0 L8 4 L0 8 z"/></marker></defs>',
        f'<rect class="back" width="{width:.0f}" height="{height:.0f}" rx="8"/>',
        *(drawn for arrow in figure.arrows for drawn in line(arrow, figure, places)),
        *(drawn for key, box in figure.boxes.items() for drawn in shape(box, places[key])),
        *legend(bottom + 28, dashed=any(arrow.training for arrow in figure.arrows)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


Place = tuple[float, float, float, float]
"""Left, top, width and height of a box, in pixels."""


def centre(place: Place) -> float:
    """The height at which arrows leave a box, in pixels from above."""
    return place[1] + place[3] / 2


def wide(box: Box) -> float:
    """Pixels of a box that holds its text."""
    return max(7.3 * len(box.text), 6.0 * len(box.small)) + 24


def shape(box: Box, place: Place) -> Iterator[str]:
    """A box and its text."""
    left, top, width, height = place
    middle, y = left + width / 2, centre(place)
    yield (
        f'<rect class="{box.kind}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{16 if box.kind == "input" else 5}"/>'
    )
    yield text(middle, y + (-3 if box.small else 4.5), box.text)
    if box.small:
        yield text(middle, y + 13, box.small, "small")


def text(x: float, y: float, words: str, style: str = "text", anchor: str = "middle") -> str:
    """A line of text."""
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def line(arrow: Arrow, figure: Figure, places: dict[str, Place]) -> Iterator[str]:
    """An arrow of straight pieces; within a column it goes up or down."""
    (left, top, width, height), (to_left, to_top, _, to_height) = places[arrow.start], places[arrow.end]
    if left == to_left:
        x = left + width / 2
        down = to_top > top
        yield stroke([(x, top + height if down else top), (x, to_top if down else to_top + to_height)], arrow)
        return
    x, y = left + width, top + height / 2
    end = port(arrow, figure, places)
    if abs(y - end) < to_height / 2 and to_height > HIGH:  # a tall box is entered where the arrow comes from
        end = y
    turn = x + GAP * 0.4 if arrow.early else to_left - GAP * lane(arrow, figure, places)
    corners = [(x, y), (to_left, end)] if y == end else [(x, y), (turn, y), (turn, end), (to_left, end)]
    yield stroke(corners, arrow)


def port(arrow: Arrow, figure: Figure, places: dict[str, Place]) -> float:
    """Where an arrow enters its box: those that come from above enter above those that come from below."""
    _, top, _, height = places[arrow.end]
    entering = [
        each for each in figure.arrows if each.end == arrow.end and places[each.start][0] < places[arrow.end][0]
    ]
    order = sorted(entering, key=lambda each: (centre(places[each.start]), -places[each.start][0]))
    middle = top + height / 2
    level = [each for each in order if centre(places[each.start]) == middle]
    if not level or len(order) == 1:
        return middle + (order.index(arrow) - (len(order) - 1) / 2) * 12
    return middle + (order.index(arrow) - order.index(level[0])) * 12


def lane(arrow: Arrow, figure: Figure, places: dict[str, Place]) -> float:
    """Where in the gap before its box an arrow turns, as a share of the gap: each source has its own place."""
    sources = dict.fromkeys(
        each.start
        for each in figure.arrows
        if figure.boxes[each.end].column == figure.boxes[arrow.end].column
        and figure.boxes[each.start].column < figure.boxes[each.end].column
        and not each.early
        and centre(places[each.start]) != centre(places[each.end])
    )
    names = sorted(sources)
    return (1 + names.index(arrow.start)) / (len(names) + 1) * 0.6 + 0.3 if arrow.start in names else 0.5


def stroke(corners: list[tuple[float, float]], arrow: Arrow) -> str:
    """The line through some corners, with its head."""
    points = " L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
    dashed = " training" if arrow.training else ""
    return f'<path class="arrow{dashed}" marker-end="url(#head)" d="M{points}"/>'


def legend(y: float, *, dashed: bool) -> Iterator[str]:
    """What the colours mean."""
    x: float = MARGIN
    for kind, meaning in LEGEND:
        yield f'<rect class="{kind}" x="{x:.1f}" y="{y - 10:.1f}" width="16" height="12" rx="3"/>'
        yield text(x + 22, y, meaning, "small", "start")
        x += 40 + 6.2 * len(meaning)
    if dashed:
        yield f'<path class="arrow training" d="M{x:.1f} {y - 4:.1f} L{x + 26:.1f} {y - 4:.1f}"/>'
        yield text(x + 32, y, "in training alone", "small", "start")


def filled(match: re.Match[str]) -> str:
    """A block of a page with the table of its rows' parameters."""
    lines = ["| row | encoder or word vectors | trained beside them | all |", "|---|---:|---:|---:|"]
    for name in match["rows"].split():
        for width in WORD_VECTORS.get(name, (0,)):
            encoders, rest = parameters(name, vectors=width)
            called = f"`{name}`{REMARKS.get(name, '')}" + f", {width} numbers a word" * bool(width)
            lines.append(f"| {called} | {encoders:,} | {rest:,} | {encoders + rest:,} |")
    return f"{match['head']}\n" + "\n".join(lines) + "\n\n<!-- end -->"


def sampled(match: re.Match[str]) -> str:
    """A block of a page with what each system gains from pictures on the packaged sample."""
    record = json.loads((ROOT / "lab" / "systems.json").read_text(encoding="utf-8"))
    lines = [
        "| row | epochs | F1 with pictures | T view | zeros as pictures | over the T view | over zeros |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for each in record["systems"]:
        seen, *others = (each[key] for key in ("seen", "unseen", "zeros"))
        scores = " | ".join(f"{score:.1f}" for score in (seen, *others))
        gains = " | ".join(f"{seen - other:+.1f}".replace("-", "−") for other in others)
        name = each["system"]
        lines.append(f"| `{name}`{REMARKS.get(name, '')} | {each['epochs']} | {scores} | {gains} |")
    about = (
        f"{record['systems'][0]['posts']} marked test posts, {record['encoder']}, seed {record['seed']}, "
        f"mner {record['mner']}."
    )
    return f"{match['head']}\n" + "\n".join(lines) + f"\n\n{about}\n\n<!-- end -->"


def base_of(name: str) -> str:
    """The base that a row's page names, and on which its parameters are counted."""
    return f"configs/twitter15-bert-base-{'un' * (name in UNCASED)}cased.toml"


def parameters(name: str, *, vectors: int) -> tuple[int, int]:
    """Parameters of a row's encoders, of BERT base's sizes, and of all else it learns, for four types of entity.

    With ``vectors`` word vectors of that width stand for the encoder. Their table counts 0: its size is the
    vocabulary's.
    """
    import torch
    from transformers import BertConfig, BertModel

    from mner import config as configs
    from mner import models, tags

    own = ['model.options={start="random"}'] if name == "bert-vinvl" else []  # needs no folder of VinVL's
    config = configs.load(ROOT / "configs" / "rows" / f"{name}.toml", base=ROOT / base_of(name), set_values=own)
    sizes = {"vocab_size": 30522 if name in UNCASED else 28996}
    if vectors:
        sizes = {"hidden_size": vectors, "num_attention_heads": 2, "num_hidden_layers": 0}
    labels = tags.bioes_labels(LABELS, padded=config.model.subtoken_labels == "pad")
    with torch.device("meta"):
        networks = [BertModel(BertConfig(**sizes), add_pooling_layer=False) for _ in models.needs(config).encoders]
        model = models.build(config, labels, *networks)
    encoders = sum(parameter.numel() for network in networks for parameter in network.parameters())
    every = sum(parameter.numel() for parameter in model.parameters())
    return (0 if vectors else encoders), every - encoders


if __name__ == "__main__":
    raise SystemExit(main())
