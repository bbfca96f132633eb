"""Captioners of the transformers library: BLIP, BLIP-2, GIT, Florence-2, and chat models that see (SmolVLM, Qwen-VL).

The paper takes the 5 sentences of one beam search of width 5, each of at most 20 tokens; so does this by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mner.types import Caption, OcrText, Tag
from mner.vision.networks import folder as folders
from mner.vision.protocols import FLORENCE, GPU, MIDDLE, SLOW, About, Checkpoint, Scene
from mner.vision.texts import clean

ARCHITECTURES = (
    "blip", "blip-2", "git", "florence2", "smolvlm", "idefics3", "qwen2_vl", "qwen2_5_vl", "qwen3_vl",
)  # fmt: skip

_OPTION = "vision.options.hub.model"

_Texts = list[tuple[str, float | None]]
"""What was written about one picture, best first, each with its score."""


class Options(BaseModel):
    """[vision.options.hub], as far as it is the captioner's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "Salesforce/blip-image-captioning-base"  # a folder, or a hub id, perhaps with "@revision" behind it
    captions: int = Field(default=5, ge=1)  # sentences of a picture, the best of the beam search
    beams: int = Field(default=5, ge=1)  # width of the search; 1 gives no score
    tokens: int = Field(default=20, ge=1)  # most tokens of a sentence
    prompt: str = ""  # what a chat model is asked; how the sentence of BLIP and GIT begins; not for Florence-2
    detail: Literal["short", "detailed", "more"] = "short"  # which caption a Florence-2 is asked for
    device: str = "auto"  # a GPU where there is one; else as torch names it
    batch: int = Field(default=1, ge=1, exclude=True)  # pictures of one forward pass; a GPU is quicker with more

    @model_validator(mode="after")
    def _wide_enough(self) -> Options:
        if self.captions > self.beams:
            raise ValueError(f"captions: {self.captions} sentences need as many beams, found beams = {self.beams}")
        return self


ABOUT = About(
    downloads=(
        'nothing by itself. It needs `pip install "mner[vision-hub]"` and a model, as a folder or in the '
        "hub's local cache. Torchvision is not needed."
    ),
    licence="the model's.",
    speed="the model's, more with more beams; a GPU takes several pictures at once.",
    needs=("torch", "transformers"),
    checkpoints=(
        Checkpoint("Salesforce/blip-image-captioning-base", "1.0 GB", "BSD-3-Clause", MIDDLE),
        Checkpoint("microsoft/git-base-coco", "0.7 GB", "MIT", MIDDLE),
        FLORENCE,
        Checkpoint("HuggingFaceTB/SmolVLM-256M-Instruct", "0.5 GB", "Apache-2.0", SLOW),
        Checkpoint("Salesforce/blip2-opt-2.7b", "15 GB", "MIT, its OPT apart", GPU),
        Checkpoint("Qwen/Qwen2.5-VL-3B-Instruct", "7.5 GB", "Qwen research licence", GPU),
    ),
    models=lambda options: folders.files(folders.find(options.model, option=_OPTION)),
    batch=True,
)


class Captioner:
    """The best sentences of one beam search, equal ones once.

    Args:
        options: The model and the search.
        threads: Most CPU threads of torch; 0: all cores.

    Raises:
        MissingExtraError: A package is not installed.
        ModelError: The model is not here, is damaged, of another architecture, or a chat model without a template.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        folder = folders.find(options.model, option=_OPTION)
        architecture = folders.expect(folder, ARCHITECTURES, option=_OPTION)
        from mner.vision.networks import prompts
        from mner.vision.networks.load import load

        self._options = options
        auto = "AutoModelForImageTextToText"
        self._network = load(folder, architecture, auto=auto, device=options.device, threads=threads)
        prompts.check(self._network, folder)

    def __call__(
        self, picture: Image.Image, tags: Sequence[Tag], *, scenes: Sequence[Scene], ocr: Sequence[OcrText]
    ) -> list[Caption]:
        """The sentences about an upright RGB picture, best first; tags, scenes and text in it are not used."""
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
        from mner.vision.networks.joined import joined

        options, network = self._options, self._network
        search = {"beams": options.beams, "count": options.captions, "tokens": options.tokens}
        asked = [prompts.inputs(network, picture, options.prompt) for picture in pictures]
        texts: list[_Texts] = [[] for _ in pictures]
        for places, given in joined([made for made, _ in asked]):
            for place, written in zip(places, write(network, given, **search), strict=True):
                own = [one.ids[asked[place][1] :] for one in written]
                with network.lock:
                    decoded = [network.tokenizer.decode(ids, skip_special_tokens=True) for ids in own]
                texts[place] = [(text, one.score) for text, one in zip(decoded, written, strict=True)]
        return texts

    def _florence(self, pictures: Sequence[Image.Image]) -> list[_Texts]:
        from mner.vision.networks import florence

        options = self._options
        task = {"short": florence.CAPTION, "detailed": florence.DETAILED, "more": florence.MORE}[options.detail]
        search = {"tokens": options.tokens, "beams": options.beams, "count": options.captions}
        found = florence.run(self._network, pictures, task, **search)
        return [[(florence.sentence(self._network, text, task), score) for text, score in some] for some in found]


def _captions(written: _Texts) -> list[Caption]:
    """Each sentence once, with its best score."""
    sentences: dict[str, float | None] = {}
    for text, score in written:
        sentences.setdefault(clean(text), score)
    return [Caption(text, score, "hub") for text, score in sentences.items() if text]
