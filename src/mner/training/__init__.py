"""POSTS -> A TRAINED MODEL: job (what is trained on), loop (a generator), run (the caller of both), records."""

from mner.training.run import Event, train

__all__ = ["Event", "train"]
