"""Files -> posts and back: streaming readers and writers, fingerprints, statistics."""

from mner.data.convert import Converted, convert
from mner.data.fingerprint import Stamp, stamp
from mner.data.identify import Identity, identify
from mner.data.reading import read
from mner.data.statistics import Statistics, statistics
from mner.data.writing import write

__all__ = [
    "Converted",
    "Identity",
    "Stamp",
    "Statistics",
    "convert",
    "identify",
    "read",
    "stamp",
    "statistics",
    "write",
]
