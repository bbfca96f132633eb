"""Entities and what was read from a picture -> where the picture shows each entity."""

from mner.grounding.ground import ground
from mner.grounding.settings import GroundingSettings

__all__ = ["GroundingSettings", "ground"]
