"""paper.toml: the rows of the paper, with the numbers that were published, read and checked."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import Field

from mner.config import Section
from mner.types import ViewName


class Figure(Section):
    """F1 on test as published, on one encoder; "" where we have no copy of the number."""

    encoder: str
    twitter15: str = ""
    twitter17: str = ""
    snap: str = ""
    source: str  # a key of ``sources``


class PaperRow(Section):
    """One row of a table, under one view."""

    name: str
    view: ViewName
    row: str  # of configs/rows
    ours: str = ""  # what must be said of our model itself, behind the row's name
    best: bool = False  # the best of the seeds counts, not their mean
    contexts: tuple[str, ...] = ()  # kinds that the paper's row reads; of a row of ours that reads others this is said
    needs: str = ""  # what our data lack for it; "": nothing
    says: str = ""  # what the paper says of it
    published: tuple[Figure, ...] = ()


class PaperExhibit(Section):
    """A table, a figure or an appendix: rows, or an ``analysis`` of experiments."""

    name: str
    title: str
    about: str
    row: tuple[PaperRow, ...] = ()
    analysis: str = ""
    of: tuple[str, ...] = ()  # experiments that are analyzed
    runs: str = ""  # the command of the analysis
    needs: str = ""  # what our data lack for it; "": nothing
    why: str = ""  # what stands before it in any case


class Paper(Section):
    """All of it."""

    sources: dict[str, str]  # by the letter that follows a published number
    trained: dict[str, str]  # by row: what follows "mner train configs/rows/" where its file alone will not do
    exhibit: tuple[PaperExhibit, ...] = Field(min_length=1)


@cache
def published() -> Paper:
    """The paper's tables and figures, in order."""
    return Paper.model_validate(tomllib.loads(Path(__file__).with_name("paper.toml").read_text(encoding="utf-8")))
