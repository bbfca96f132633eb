"""Two configurations on record -> the settings in which they differ."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any

from mner.config import RETIRED, Config

EXECUTION = {"training": {"tokens_per_batch", "packing", "gradient_checkpointing", "precision", "device", "threads"}}
"""Settings that say how a run was computed, not what; seeds of one experiment may differ in them."""


def settings_that_differ(ours: Mapping[str, Any], theirs: Mapping[str, Any], *, but: Collection[str] = ()) -> list[str]:
    """The settings in which two configurations differ, "training.epochs = 3 and 4".

    Seed, identity and execution are left out, and those of ``but``; so are budgets of kinds of context that are not
    read. Where a configuration lacks a setting, which came later than its record or is None, the default stands there.

    >>> settings_that_differ({"training": {"epochs": 3}}, {"training": {"threads": 2}})
    ['training.epochs = 3 and 10']
    """
    but = {"seed", "identity", "data.root", *but}
    return list(_changed(_without_idle(ours), _without_idle(theirs), _defaults(), but))


def _without_idle(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without the budgets of kinds that its order leaves out."""
    context = _defaults()["context"] | config.get("context", {})
    budget = {kind: most for kind, most in context["budget"].items() if kind in context["order"]}
    return {**config, "context": {**context, "budget": budget}}


def _changed(
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    defaults: Mapping[str, Any],
    but: Collection[str],
    section: str = "",
) -> Iterator[str]:
    for key in sorted((ours.keys() | theirs.keys()) - EXECUTION.get(section, set())):
        dotted = f"{section}.{key}" if section else key
        default = defaults.get(key)
        if dotted in but:
            continue
        first, second = ours.get(key, default), theirs.get(key, default)
        if isinstance(first, dict) and isinstance(second, dict):
            # A table inside a section, such as context.budget, is stated as a whole: none of its keys has a default.
            inner = default if isinstance(default, dict) and not section else {}
            yield from _changed(first, second, inner, but, dotted)
        elif first != second:
            yield f"{dotted} = {first} and {second}"


@cache
def _defaults() -> Mapping[str, Any]:
    known = Config().model_dump(mode="json")
    return known | {section: known[section] | settings for section, settings in RETIRED.items()}
