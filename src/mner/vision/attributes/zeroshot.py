"""Attributes of detected objects by CLIP or SigLIP: each crop is compared with every name of a list.

It takes the place of the measured attributes where ``[vision.options.zeroshot]`` sets anything. The rule is: at
most 3 attributes over 0.1, before the object, as in the paper. Objects that have attributes keep theirs. People get no
colour: it would be that of clothes, or be read as more than a colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, field_validator

from mner.types import Box, Tag
from mner.vision.attributes.attributes import COLOURS, means_people
from mner.vision.networks import folder as folders
from mner.vision.protocols import About, Checkpoint
from mner.vision.vocabulary import read_names

ARCHITECTURES = ("clip", "siglip")
PACKAGED = Path(str(files("mner.vision.assets"))) / "attributes.txt"

NOT_FOR_PEOPLE = frozenset((*COLOURS, "grey", "beige", "golden", "silver", "dark", "pale", "bright", "colorful"))

LEAST = 8.0
"""Pixels of the shortest side of a box that shows anything."""

_OPTION = "vision.options.zeroshot.model"


class Options(BaseModel):
    """[vision.options.zeroshot]."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "openai/clip-vit-base-patch32"  # a folder, or a hub id, perhaps with "@revision" behind it
    attributes: str = ""  # file of attributes, one a line; "": the packaged list
    prompt: str = "a photo of something {}"  # how an attribute is put to the model
    threshold: float = Field(default=0.1, ge=0, le=1)  # an attribute is given where it is over this
    most: int = Field(default=3, ge=0, le=3)  # attributes of an object; 0: none
    batch: int = Field(default=16, ge=1, exclude=True)  # crops of one forward pass, whichever pictures they are of
    device: str = "auto"  # a GPU where there is one; else as torch names it

    @field_validator("prompt")
    @classmethod
    def _has_place(cls, prompt: str) -> str:
        if prompt.count("{}") != 1 or prompt.replace("{}", "").count("{"):
            raise ValueError('expected a text with one "{}" where the attribute goes')
        return prompt


ABOUT = About(
    downloads=(
        'nothing by itself. It needs `pip install "mner[vision-hub]"` and a model, as a folder or in the '
        "hub's local cache. Torchvision is not needed."
    ),
    licence="the model's; the packaged list of attributes is mner's own, CC0-1.0.",
    speed="the model's, for each object; objects share forward passes.",
    needs=("torch", "transformers"),
    checkpoints=(
        Checkpoint("openai/clip-vit-base-patch32", "0.6 GB", "MIT", "under 0.3 s an object"),
        Checkpoint("google/siglip-base-patch16-224", "0.8 GB", "Apache-2.0", "under 1 s an object"),
    ),
    models=lambda options: [_list(options), *folders.files(folders.find(options.model, option=_OPTION))],
    batch=True,
)


class Describer:
    """Gives attributes to objects.

    Args:
        options: The model, the attributes and the rule.
        threads: Most CPU threads of torch; 0: all cores.

    Raises:
        DataError: A line of the list cannot be used.
        MissingExtraError: A package is not installed.
        ModelError: The model is not here, is damaged, or of another architecture.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._names = read_names(_list(options))
        folder = folders.find(options.model, option=_OPTION)
        architecture = folders.expect(folder, ARCHITECTURES, option=_OPTION)
        from mner.vision.networks import compare
        from mner.vision.networks.load import load

        self._options = options
        self._network = load(folder, architecture, auto="AutoModel", device=options.device, threads=threads)
        prompts = [options.prompt.format(name) for name in self._names]
        self._texts: Any = compare.texts(self._network, prompts)

    def __call__(self, picture: Image.Image, tags: Sequence[Tag]) -> list[Tag]:
        """The tags of an upright RGB picture, attributes added; one without a box or with attributes stays as it is."""
        return self.many([picture], [tags])[0]

    def many(self, pictures: Sequence[Image.Image], tags: Sequence[Sequence[Tag]]) -> list[list[Tag]]:
        """The tags of several pictures, the same as of each alone; their objects share batches."""
        from mner.vision.networks import compare

        described = [list(some) for some in tags]
        bare = [(of, place) for of, some in enumerate(tags) for place, tag in enumerate(some) if _bare(tag)]
        for start in range(0, len(bare), self._options.batch):
            some = bare[start : start + self._options.batch]
            crops = [_crop(pictures[of], tags[of][place].box or (0, 0, 1, 1)) for of, place in some]
            for (of, place), row in zip(some, compare.fits(self._network, crops, self._texts), strict=True):
                chosen = self._chosen(row, tags[of][place].object)
                described[of][place] = replace(tags[of][place], attributes=chosen)
        return described

    def _chosen(self, fits: Sequence[float], name: str) -> tuple[str, ...]:
        left_out = NOT_FOR_PEOPLE if means_people(name) else ()
        over = [
            one
            for one in range(len(fits))
            if fits[one] > self._options.threshold and self._names[one].lower() not in left_out
        ]
        best = sorted(over, key=lambda one: -fits[one])[: self._options.most]
        return tuple(self._names[one] for one in best)


def _bare(tag: Tag) -> bool:
    """Whether a tag is an object that can be looked at and has no attributes yet."""
    if tag.box is None or tag.attributes or tag.text is not None:
        return False
    left, top, right, bottom = tag.box
    return min(right - left, bottom - top) >= LEAST


def _crop(picture: Image.Image, box: Box) -> Image.Image:
    left, top, right, bottom = (round(side) for side in box)
    return picture.crop((left, top, right, bottom))


def _list(options: Options) -> Path:
    return Path(options.attributes).expanduser() if options.attributes else PACKAGED
