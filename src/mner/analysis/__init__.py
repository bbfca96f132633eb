"""Runs, records and contexts -> the Report of one figure or table of the paper, one a file. Nothing here draws.

A file of this folder is an analysis, and so is a module outside mner by its dotted name. It offers:

- ``ABOUT``: an ``About``: what it shows, what it reads, and what of it is recorded;
- ``Options``: a ``Section`` with its own options, each with a description; they are its options on the command line;
- ``analyze(inputs, options)``: the ``Report``;
- ``report(results)``: the ``Report`` of results that were computed before, where ``ABOUT.result`` is their type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from mner import plugins
from mner.analysis.parts.inputs import Inputs as Inputs
from mner.analysis.parts.report import Report as Report
from mner.config import Section
from mner.config.read import validated
from mner.errors import MnerError, PluginError


@dataclass(frozen=True, slots=True)
class About:
    """What an analysis is.

    Attributes:
        title: What it shows, in a line.
        reads: What it reads: trained runs, which it opens; trained runs or artefacts; or run records.
        result: The type of its results, one for each experiment, where they can be recorded and drawn again.
        posts: The fields of a result, each as a path, that hold words of posts and are left out of a record.
        alone: Whether it may be called without naming an experiment, and then reads all of them.
    """

    title: str
    reads: Literal["runs", "runs or artefacts", "records"]
    result: Any = None
    posts: tuple[tuple[str, ...], ...] = ()
    alone: bool = False


def names() -> list[str]:
    """The names of the analyses of this folder.

    >>> "captions" in names()
    True
    """
    return plugins.names(__name__)


def load(name: str) -> ModuleType:
    """The module of an analysis.

    Raises:
        PluginError: No analysis has that name, or a module outside mner lacks a part of one.
    """
    module = plugins.load(__name__, name)
    if absent := [part for part in ("ABOUT", "Options", "analyze") if not hasattr(module, part)]:
        raise PluginError(f'analysis "{name}": its module lacks {", ".join(absent)}; see the docstring of {__name__}')
    return module


def about(name: str) -> About:
    """What the analysis of a name is."""
    described: About = load(name).ABOUT
    return described


def checked_options(name: str, given: Mapping[str, Any]) -> Section:
    """The options of an analysis, checked.

    Raises:
        MnerError: An option is not one of its options, or one that it needs is missing.
        ConfigError: An option has a value that cannot be used.
    """
    schema: type[Section] = load(name).Options
    fields = schema.model_fields
    for option in given:
        if option not in fields:
            own = ", ".join(map(flag, fields)) or "none"
            raise MnerError(f"{name} has no option {flag(option)}; its options: {own}")
    for option, field in fields.items():
        if field.is_required() and option not in given:
            raise MnerError(f"{name} needs {flag(option)}: {(field.description or '').rstrip('.').lower()}")
    return validated(schema, given, where=name)


def flag(option: str) -> str:
    """An option as it is typed on the command line.

    >>> flag("allow_plugins")
    '--allow-plugins'
    """
    return "--" + option.replace("_", "-")


def analyze(name: str, inputs: Inputs, options: Section | None = None) -> Report:
    """The report of one analysis.

    Args:
        name: One of ``names()``, or a dotted name.
        inputs: What is analyzed.
        options: An instance of the analysis's ``Options``; None takes the defaults.

    Raises:
        MnerError: There is no such analysis, or nothing is named that it could analyze.
        DataError: Posts, contexts or records are missing, faulty or not comparable.

    >>> cost = analyze("cost", Inputs(["mine/text", "mine/ita"])).results[0]
    >>> [(row.row, row.runs, row.seconds) for row in cost.rows]
    [('mine/text', 2, 90.0), ('mine/ita', 2, 90.0)]
    """
    module = load(name)
    if not inputs.rows and not module.ABOUT.alone:
        raise MnerError(f"{name}: name at least one experiment to analyze")
    written: Report = module.analyze(inputs, checked_options(name, {}) if options is None else options)
    return written


def report(name: str, results: Sequence[Any]) -> Report:
    """The report of results that an analysis computed before."""
    written: Report = load(name).report(results)
    return written
