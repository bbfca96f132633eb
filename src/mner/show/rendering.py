"""The page templates, their values escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from mner.show.plain import TONE

if TYPE_CHECKING:
    from jinja2 import Environment


def template(name: str) -> Any:
    """A template of the folder ``templates``; whatever it is given is escaped, a name it lacks is an error."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("mner", "show/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["tones"] = TONE
    return environment
