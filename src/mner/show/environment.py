"""The templates of ``show/templates``: what is put into them is escaped, and made fit to be shown."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from mner.show.display import TONE, number, shown

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from markupsafe import Markup


def template(name: str) -> Template:
    """The template of a name; one that asks for something it is not given fails."""
    return _environment().get_template(name)


def source(name: str) -> Markup:
    """A file of ``show/templates`` as it is, to be put into a template without escaping."""
    from markupsafe import Markup

    loader = _environment().loader
    assert loader is not None
    return Markup(loader.get_source(_environment(), name)[0])  # noqa: S704 (it is ours)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("mner", "show/templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_fit
    )
    environment.globals |= {"tones": TONE, "number": number}
    return environment


def _fit(value: Any) -> Any:
    """What a template prints: a string without the characters that must not be shown, anything else as it is."""
    from markupsafe import Markup

    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value
