"""The object users hold: text and picture in, entities with offsets and probabilities out."""

from mner.tagger.limits import MinScore
from mner.tagger.opening import load, model_folder, packaged
from mner.tagger.tagger import Tagger

__all__ = ["MinScore", "Tagger", "load", "model_folder", "packaged"]
