"""Files -> posts and back: streaming readers and writers, fingerprints, statistics."""

from mner.data.boxes import GoldBoxes, read_boxes
from mner.data.fingerprint import Stamp, Statistics, stamp, statistics
from mner.data.identify import Identity, identify
from mner.data.reading import read
from mner.data.writing import Converted, convert, write

__all__ = [
    "Converted",
    "GoldBoxes",
    "Identity",
    "Stamp",
    "Statistics",
    "convert",
    "identify",
    "read",
    "read_boxes",
    "stamp",
    "statistics",
    "write",
]
