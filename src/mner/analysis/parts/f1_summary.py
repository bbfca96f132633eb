"""A number with its signature: the F1 of one reading over the runs of an experiment, and numbers that are no score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed_version

from mner.config import Config
from mner.evaluation import Signature
from mner.evaluation.mean import Mean
from mner.evaluation.signature import line
from mner.evaluation.views import signature_of
from mner.types import ViewName


@dataclass(frozen=True, slots=True)
class F1Summary:
    """A micro F1 in percent. As text it is the mean, of several runs with its deviation.

    Attributes:
        f1: Of each run, in order.
        mean: Their mean.
        sd: Their standard deviation; None for one run.
        signature: What exactly was measured.

    >>> str(F1Summary((70.0, 72.0), 71.0, 1.414, "")), str(F1Summary((70.0,), 70.0, None, ""))
    ('71.00 ± 1.41', '70.00')
    """

    f1: tuple[float, ...]
    mean: float
    sd: float | None
    signature: str

    def __str__(self) -> str:
        return f"{Mean(self.mean, self.sd):.2f}"


def f1_summary(f1: Sequence[float], *, config: Config, data: str, view: ViewName | str) -> F1Summary:
    """The F1 of each run as one number with its signature.

    Args:
        f1: Micro F1 of each run.
        config: How gold labels were read and predictions decoded.
        data: Data set, split and fingerprint.
        view: The view decoded; a slice or a changed context follows it: "I+T:shuffled".

    >>> f1_summary([70.0, 72.0], config=Config(), data="d/dev@1", view="T").mean
    71.0
    """
    return summary_of(signature_of(config, f1=f1, data=data, view=view))


def summary_of(signature: Signature) -> F1Summary:
    """The mean and deviation of the runs that a signature is of."""
    mean = Mean.of(signature.f1)
    return F1Summary(signature.f1, mean.mean, mean.sd, str(signature))


def unscored(*, data: str, seeds: int = 1, version: str | None = None, **more: str) -> str:
    """The signature of a number that is no score, such as a share or a distance.

    Args:
        data: Data set, split and fingerprint, such as "mine/dev@3f2a9c"; or a file and its fingerprint.
        seeds: Number of runs behind the number.
        version: mner's version; None takes the installed one.
        more: What else decides the number, put first.

    >>> unscored(view="T", data="mine/dev@3f2a", version="0.1")
    'view=T data=mine/dev@3f2a seeds=1 mner=0.1'
    """
    return line({**more, "data": data, "seeds": str(seeds), "mner": version or installed_version("mner")})
