"""Numbers of an analysis -> the exhibit that shows them: one file an analysis, by its name."""

from __future__ import annotations

from collections.abc import Sequence

from mner import plugins
from mner.analysis.analyze import Result
from mner.show.exhibit import Exhibit


def exhibit(name: str, results: Sequence[Result]) -> Exhibit:
    """What is shown of the results that ``analyze`` gave under this name, all rows together."""
    made: Exhibit = plugins.load(__name__, name, allow_dotted=False).exhibit(results)
    return made
