"""Captioners of the transformers library: BLIP, BLIP-2, GIT, Florence-2, and chat models that see (SmolVLM, Qwen-VL).

The paper takes the 5 sentences of one beam search of width 5, each of at most 20 tokens; so does this by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PIL import Image
from pydantic import Field, model_validator

from mner.types import Caption, OcrText, Tag
from mner.vision.networks.folder import HubModel
from mner.vision.protocols import FLORENCE, GPU, MIDDLE, SLOW, Checkpoint, PluginOptions, Scene
from mner.vision.texts import clean

_MODEL = HubModel(
    "vision.options.hub.model",
    ("blip", "blip-2", "git", "florence2", "smolvlm", "idefics3", "qwen2_vl", "qwen2_5_vl", "qwen3_vl"),
)

_Texts = list[tuple[str, float | None]]
"""What was written about one picture, best first, each with its score."""


class Options(PluginOptions):
    """[vision.options.hub], as far as it is the captioner's."""

    model: str = "Salesforce/blip-image-captioning-base"  # a folder, or a hub id, perhaps followed by "@revision"
    captions: int = Field(default=5, ge=1)  # sentences of a picture, the best of the beam search
    beams: int = Field(default=5, ge=1)  # width of the search; 1 gives no score
    tokens: int = Field(default=20, ge=1)  # most tokens of a sentence
    prompt: str = ""  # the question to a chat model; how the sentence of BLIP and GIT begins; not for Florence-2
    detail: Literal["short", "detailed", "more"] = "short"  # which caption a Florence-2 writes
    device: str = "auto"  # a GPU where there is one; else as torch names it
    batch: int = Field(default=1, ge=1, exclude=True)  # pictures of one forward pass; a GPU is quicker with more

    @model_validator(mode="after")
    def _wide_enough(self) -> Options:
        if self.captions > self.beams:
            raise ValueError(f"captions: {self.captions} sentences need as many beams, found beams = {self.beams}")
        return self


ABOUT = _MODEL.about(
    speed="the model's, more with more beams; a GPU takes several pictures at once.",
    checkpoints=(
        Checkpoint("Salesforce/blip-image-captioning-base", "1.0 GB", "BSD-3-Clause", MIDDLE),
        Checkpoint("microsoft/git-base-coco", "0.7 GB", "MIT", MIDDLE),
        FLORENCE,
        Checkpoint("HuggingFaceTB/SmolVLM-256M-Instruct", "0.5 GB", "Apache-2.0", SLOW),
        Checkpoint("Salesforce/blip2-opt-2.7b", "15 GB", "MIT, its OPT apart", GPU),
        Checkpoint("Qwen/Qwen2.5-VL-3B-Instruct", "7.5 GB", "Qwen research licence", GPU),
    ),
)


class Captioner:
    """The best sentences of one beam search, equal ones once; tags, scenes and text in the picture are not used."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._options = options
        self._network = _MODEL.load(options, threads=threads)
        from mner.vision.networks import prompts

        prompts.check(self._network)

    def __call__(
        self, picture: Image.Image, tags: Sequence[Tag], *, scenes: Sequence[Scene], ocr: Sequence[OcrText]
    ) -> list[Caption]:
        """The sentences about an upright RGB picture, best first."""
        return self.many([picture], [tags], scenes=[scenes], ocr=[ocr])[0]

    def many(
        self,
        pictures: Sequence[Image.Image],
        tags: Sequence[Sequence[Tag]],
        *,
        scenes: Sequence[Sequence[Scene]],
        ocr: Sequence[Sequence[OcrText]],
    ) -> list[list[Caption]]:
        """The sentences about several pictures, the same as about each alone; those of equal shape are one batch."""
        florence = self._network.architecture == "florence2"
        return [_captions(written) for written in (self._florence(pictures) if florence else self._written(pictures))]

    def _written(self, pictures: Sequence[Image.Image]) -> list[_Texts]:
        from mner.vision.networks import prompts
        from mner.vision.networks.generate import write
        from mner.vision.networks.load import joined

        network = self._network
        inputs, repeated = zip(
            *(prompts.inputs(network, picture, self._options.prompt) for picture in pictures), strict=True
        )
        texts: list[_Texts] = [[] for _ in pictures]
        for places, arrays in joined(inputs):
            for place, sequences in zip(places, write(network, arrays, **self._search), strict=True):
                with network.lock:
                    texts[place] = [
                        (
                            network.tokenizer.decode(sequence.ids[repeated[place] :], skip_special_tokens=True),
                            sequence.score,
                        )
                        for sequence in sequences
                    ]
        return texts

    def _florence(self, pictures: Sequence[Image.Image]) -> list[_Texts]:
        from mner.vision.networks import florence

        tasks = {"short": florence.CAPTION, "detailed": florence.DETAILED, "more": florence.MORE}
        return florence.sentences(self._network, pictures, tasks[self._options.detail], **self._search)

    @property
    def _search(self) -> dict[str, int]:
        return {"beams": self._options.beams, "count": self._options.captions, "tokens": self._options.tokens}


def _captions(written: _Texts) -> list[Caption]:
    """Each sentence once, with its best score."""
    sentences: dict[str, float | None] = {}
    for text, score in written:
        sentences.setdefault(clean(text), score)
    return [Caption(text, score, "hub") for text, score in sentences.items() if text]
