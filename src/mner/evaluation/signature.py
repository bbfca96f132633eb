"""The line beside a score that says exactly what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from importlib.metadata import version as installed_version


def signature(
    *,
    f1: float | Sequence[float],
    view: str,
    data: str,
    decode: str = "constrained",
    scheme: str = "iob2-repaired",
    match: str = "exact",
    seeds: int | None = None,
    version: str | None = None,
) -> str:
    """The signature of a score: ``key=value`` parts with spaces between; a space within a value becomes "_".

    Args:
        f1: Micro F1 as a percentage; of several seeds either their mean or all of them, which adds ``sd``.
        view: The view decoded, "T" or "I+T".
        data: Data set, split and fingerprint, such as "twitter15/test@3f2a9c".
        decode: "constrained" (legal paths only) or "unconstrained".
        scheme: "iob2-repaired" or "iob2-strict": how stray I- labels of the gold data were read.
        match: What counts as correct; "exact" is both ends and the label.
        seeds: Number of runs behind the mean; None counts ``f1``.
        version: mner's version; None asks the installed package.

    >>> signature(f1=[70.0, 71.0], view="I+T", data="snap/dev@3f2a", version="0.1")
    'f1=70.50 sd=0.71 view=I+T scheme=iob2-repaired match=exact decode=constrained data=snap/dev@3f2a seeds=2 mner=0.1'
    """
    runs = [float(f1)] if isinstance(f1, int | float) else [float(each) for each in f1]
    parts = {"f1": f"{statistics.fmean(runs):.2f}"}
    if len(runs) > 1:
        parts["sd"] = f"{statistics.stdev(runs):.2f}"
    parts |= {"view": view, "scheme": scheme, "match": match, "decode": decode, "data": data}
    parts |= {"seeds": str(len(runs) if seeds is None else seeds), "mner": version or installed_version("mner")}
    return " ".join(f"{key}={'_'.join(value.split())}" for key, value in parts.items())


def parts(told: str) -> dict[str, str]:
    """The parts of a signature.

    >>> parts("f1=75.32 view=T")
    {'f1': '75.32', 'view': 'T'}
    """
    return dict(part.split("=", 1) for part in told.split())


def conditions_that_differ(ours: str, theirs: str) -> list[str]:
    """What two signatures say otherwise of data, scheme, match and decoding: such scores have no mean.

    >>> one, other = (signature(f1=70.0, view="T", data=f"snap/test@{end}", version="0.1") for end in ("3f2a", "90bc"))
    >>> conditions_that_differ(one, other)
    ['data snap/test@3f2a and snap/test@90bc']
    """
    one, other = parts(ours), parts(theirs)
    return [
        f"{key} {one.get(key)} and {other.get(key)}"
        for key in ("scheme", "match", "decode", "data")
        if one.get(key) != other.get(key)
    ]


def joint(told: str, f1: Sequence[float], *, view: str | None = None, seeds: int | None = None) -> str:
    """The signature of several runs: the parts of the first one's, with mean, deviation and number of seeds.

    ``view`` says what was read where that is not the first one's view; ``seeds`` how many runs stand behind the
    values where that is not their number.

    >>> joint(signature(f1=70.0, view="T", data="snap/dev@3f2a", version="0.1"), [70.0, 71.0]).split()[:3]
    ['f1=70.50', 'sd=0.71', 'view=T']
    """
    first = parts(told)
    return signature(
        f1=f1,
        view=view or first["view"],
        data=first["data"],
        decode=first["decode"],
        scheme=first["scheme"],
        match=first["match"],
        seeds=seeds,
        version=first["mner"],
    )
