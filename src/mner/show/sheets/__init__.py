"""Numbers of an analysis -> the sheet that shows them: one file an analysis, by its name."""

from __future__ import annotations

from collections.abc import Sequence

from mner import plugins
from mner.analysis.analyze import Result
from mner.show.sheet import Sheet


def sheet(name: str, results: Sequence[Result]) -> Sheet:
    """What is shown of the results that ``analyze`` gave under this name, all rows together."""
    made: Sheet = plugins.load(__name__, name, allow_dotted=False).sheet(results)
    return made
