"""Captions by a model behind an OpenAI-compatible chat API (vLLM, Ollama, llama.cpp, LM Studio, hosted ones)."""

from __future__ import annotations

from collections.abc import Sequence

from PIL.Image import Image

from mner.types import Caption, OcrText, Tag
from mner.vision.endpoint.settings import ABOUT, Options
from mner.vision.protocols import Scene

__all__ = ["ABOUT", "Captioner", "Options"]


class Captioner:
    """Sentences of the one answer about a picture; tags, scenes and text in the picture are not sent."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        from mner.vision.endpoint.handle import open_endpoint

        self.endpoint = open_endpoint(options, "captions")

    def __call__(
        self, picture: Image, tags: Sequence[Tag], *, scenes: Sequence[Scene], ocr: Sequence[OcrText]
    ) -> list[Caption]:
        """The sentences about an upright RGB picture, best first."""
        return self.endpoint.captions([picture])[0]

    def many(
        self,
        pictures: Sequence[Image],
        tags: Sequence[Sequence[Tag]],
        *,
        scenes: Sequence[Sequence[Scene]],
        ocr: Sequence[Sequence[OcrText]],
    ) -> list[list[Caption]]:
        """The sentences about several pictures, which are asked for at the same time."""
        return self.endpoint.captions(pictures)
