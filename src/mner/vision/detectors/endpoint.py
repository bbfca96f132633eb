"""Objects and their attributes, without boxes, by a model behind an OpenAI-compatible chat API."""

from __future__ import annotations

from collections.abc import Sequence

from PIL.Image import Image

from mner.types import Tag
from mner.vision.endpoint.settings import ABOUT, Options

__all__ = ["ABOUT", "Detector", "Options"]


class Detector:
    """Objects of the one answer about a picture."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        from mner.vision.endpoint.handle import open_endpoint

        self.endpoint = open_endpoint(options, "objects")

    def __call__(self, picture: Image) -> list[Tag]:
        """The objects of an upright RGB picture, the most prominent first."""
        return self.endpoint.objects([picture])[0]

    def many(self, pictures: Sequence[Image]) -> list[list[Tag]]:
        """The objects of several pictures, which are asked for at the same time."""
        return self.endpoint.objects(pictures)
