"""Text in a picture, without boxes, by a model behind an OpenAI-compatible chat API."""

from __future__ import annotations

from collections.abc import Sequence

from PIL.Image import Image

from mner.types import OcrText
from mner.vision.endpoint.settings import ABOUT, Options

__all__ = ["ABOUT", "Options", "Reader"]


class Reader:
    """Lines of text of the one answer about a picture."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        from mner.vision.endpoint.handle import open_endpoint

        self.endpoint = open_endpoint(options, "text")

    def __call__(self, picture: Image) -> list[OcrText]:
        """The lines of an upright RGB picture, in reading order."""
        return self.endpoint.text([picture])[0]

    def many(self, pictures: Sequence[Image]) -> list[list[OcrText]]:
        """The lines of several pictures, which are asked for at the same time."""
        return self.endpoint.text(pictures)
