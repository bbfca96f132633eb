"""CONFIGURATION -> ITS SETTINGS CHOSEN ON DEV: defaults (what is tried), study (which is next), run, record."""

from mner.training.search.run import Tuned, tune

__all__ = ["Tuned", "tune"]
