"""The templates of ``show/templates``, everything that is put into them escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mner.show.plain import TONE

if TYPE_CHECKING:
    from jinja2 import Environment, Template


def template(name: str) -> Template:
    """The template of a name; one that asks for something it is not given fails."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("mner", "show/templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals["tones"] = TONE
    return made
