"""What exactly a score measures: a value with named parts, which becomes a line of text only when it is printed."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version

CONDITIONS = ("scheme", "match", "decode", "data")
"""Parts that must be the same before two scores may be averaged or subtracted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The conditions of a score. ``str()`` gives the line that stands beside it.

    Attributes:
        f1: Micro F1 of each run, as percentages.
        view: The view decoded, "T" or "I+T"; a changed context follows it, as in "I+T:shuffled".
        data: Data set, split and fingerprint, such as "mine/test@3f2a9c".
        decode: "constrained" (legal paths only) or "unconstrained".
        scheme: "iob2-repaired" or "iob2-strict": how stray I- labels of the gold data were read.
        match: What counts as correct; "exact" is both ends and the label.
        seeds: Number of runs behind ``f1`` where that is not its length.
        mner: mner's version; by default the installed one.

    >>> str(Signature(f1=(70.0, 71.0), view="I+T", data="mine/dev@3f2a", mner="0.1"))
    'f1=70.50 sd=0.71 view=I+T scheme=iob2-repaired match=exact decode=constrained data=mine/dev@3f2a seeds=2 mner=0.1'
    """

    f1: tuple[float, ...]
    view: str
    data: str
    decode: str = "constrained"
    scheme: str = "iob2-repaired"
    match: str = "exact"
    seeds: int | None = None
    mner: str = field(default_factory=lambda: version("mner"))

    def parts(self) -> dict[str, str]:
        """Every part by name, in the order in which they are printed.

        >>> Signature(f1=(70.0,), view="T", data="mine/dev@3f2a").parts()["match"]
        'exact'
        """
        parts = {"f1": f"{statistics.fmean(self.f1):.2f}"}
        if len(self.f1) > 1:
            parts["sd"] = f"{statistics.stdev(self.f1):.2f}"
        parts |= {"view": self.view, "scheme": self.scheme, "match": self.match, "decode": self.decode}
        seeds = len(self.f1) if self.seeds is None else self.seeds
        return parts | {"data": self.data, "seeds": str(seeds), "mner": self.mner}

    def __str__(self) -> str:
        return line(self.parts())

    def over(self, f1: Sequence[float], *, view: str | None = None, seeds: int | None = None) -> Signature:
        """The signature of other runs under the same conditions, perhaps read in another way.

        >>> str(Signature(f1=(70.0,), view="T", data="d/dev@3f", mner="0.1").over([70.0, 71.0])).split()[:3]
        ['f1=70.50', 'sd=0.71', 'view=T']
        """
        return replace(self, f1=tuple(f1), view=view or self.view, seeds=seeds)

    def differences(self, other: Signature) -> list[str]:
        """The conditions in which two scores differ; scores with any cannot be averaged.

        >>> scored = Signature(f1=(70.0,), view="T", data="mine/test@3f2a")
        >>> scored.differences(replace(scored, data="mine/test@90bc"))
        ['data mine/test@3f2a and mine/test@90bc']
        """
        pairs = ((name, getattr(self, name), getattr(other, name)) for name in CONDITIONS)
        return [f"{name} {ours} and {theirs}" for name, ours, theirs in pairs if ours != theirs]


def line(parts: Mapping[str, str]) -> str:
    """Named parts as one line, ``key=value`` with spaces between; a space within a value becomes "_"."""
    return " ".join(f"{key}={'_'.join(value.split())}" for key, value in parts.items())
