"""The templates of pages; whatever is put into them is escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from mner.show.plain import TONE

if TYPE_CHECKING:
    from jinja2 import Environment


def template(name: str) -> Any:
    """The template of that file name."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("mner", "show/templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals["tones"] = TONE
    return made
