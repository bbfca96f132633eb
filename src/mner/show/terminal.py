"""A prediction or an explanation as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mner.evidence import Explanation
from mner.show.display import STATUS, TONE, change, colour, number, shown
from mner.types import LINKS, Prediction

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

STYLES = ("blue", "green", "magenta", "yellow", "cyan", "red", "bright_blue", "bright_magenta")
TONES = {"plain": "dim", "good": "green", "bad": "red", "new": "yellow"}


def sentence(prediction: Prediction) -> Text:
    """The post's text, each entity bold and in its label's colour, with label and probability behind it.

    >>> from mner.types import Entity
    >>> sentence(Prediction("", "Kevin wins", (Entity(0, 5, "Kevin", "PER", 0.934),))).plain
    'Kevin PER 0.93 wins'
    """
    from rich.text import Text

    text, out, at = shown(prediction.text), Text(), 0
    for entity in prediction.entities:
        style = STYLES[colour(entity.label)]
        out.append(text[at : entity.start])
        out.append(text[entity.start : entity.end], f"bold {style}")
        out.append(f" {shown(entity.label)} {number(entity.score)}", f"dim {style}")
        at = entity.end
    return out.append(text[at:])


def status(prediction: Prediction) -> Text:
    """One line on what became of the picture, and what did not fit."""
    from rich.text import Text

    line = f"view {prediction.view} \u00b7 {STATUS[prediction.image_status]}"
    line += f": {shown(prediction.reason)}" if prediction.reason and not prediction.pictures else ""
    line += f" \u00b7 cut: {lost}" if (lost := cut(prediction)) else ""
    return Text("\n", "dim").join([Text(line, "dim"), *_pictures(prediction)])


def cut(prediction: Prediction) -> str:
    """What the model could not take, such as "12 sub-tokens of captions"; "" for nothing but ends of links."""
    return ", ".join(
        f"{count} sub-token{'s' * (count != 1)} of {'long words' if kind == 'words' else kind}"
        for kind, count in prediction.cut.items()
        if count and kind != LINKS
    )


def explanation(explained: Explanation) -> RenderableType:
    """A post's sentence, the table of its entities, and what was read from its picture."""
    from rich.console import Group

    parts: list[RenderableType] = [sentence(explained.prediction), status(explained.prediction)]
    if explained.evidence:
        parts += ["", _table(explained)]
    if explained.pieces:
        parts += ["", *_read(explained)]
    return Group(*parts)


def _pictures(prediction: Prediction) -> Iterator[Text]:
    """A line on what became of each of several pictures."""
    from rich.text import Text

    for place, picture in enumerate(prediction.pictures, 1):
        line = f"{place:<3}{shown(picture.image or 'picture')} \u00b7 {STATUS[picture.status]}"
        yield Text(line + (f": {shown(picture.reason)}" if picture.reason else ""), "dim")


def _table(explained: Explanation) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    used = explained.prediction.image_status == "used"
    left_out = min((len(row.without_picture) for row in explained.evidence), default=0)
    pictures = explained.prediction.pictures[:left_out]
    shown_places = [place for place, each in enumerate(pictures) if each.status == "used"]
    kinds = list(dict.fromkeys(kind for row in explained.evidence for kind in row.without_source))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("entity")
    table.add_column("label")
    if used:
        numbers = [f"w/o picture {place + 1}" for place in shown_places]
        for head in ("with picture", "without", *(f"w/o {kind}" for kind in kinds), *numbers):
            table.add_column(head, justify="right")
        table.add_column("what the picture did")
    else:
        table.add_column("probability", justify="right")
    for row in explained.evidence:
        style = STYLES[colour(row.entity.label)]
        cells = [Text(shown(row.entity.text), f"bold {style}"), Text(shown(row.entity.label), style)]
        if used and row.with_image is not None:
            scores = [row.with_image, row.without_image, *(row.without_source[kind] for kind in kinds)]
            scores += [row.without_picture[place] for place in shown_places]
            cells += [Text(number(score)) for score in scores]
            verdict = change(row.verdict, row.with_image, row.without_image)[0] + (
                f" (was {shown(row.label_without)})" if row.label_without else ""
            )
            verdict += "".join(f'; reads "{shown(match.text)}"' for match in row.matches)
            cells.append(Text(verdict, TONES[TONE[row.verdict]]))
        else:
            cells.append(Text(number(row.without_image)))
        table.add_row(*cells)
    return table


def _read(explained: Explanation) -> Iterator[Text]:
    from rich.text import Text

    several = bool(explained.prediction.pictures)
    for piece in explained.pieces:
        number = f"{piece.picture + 1:<3}" if several else ""
        yield Text.assemble(
            (f"{number}{piece.kind:<9}", "bold"), shown(piece.text), (f"  {shown(piece.source)}", "dim")
        )
