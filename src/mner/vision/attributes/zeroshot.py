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
from pydantic import Field, field_validator

from mner.types import Box, Tag
from mner.vision.attributes.attributes import COLOURS, means_people
from mner.vision.networks.folder import HubModel
from mner.vision.protocols import Checkpoint, PluginOptions
from mner.vision.vocabulary import read_names

PACKAGED = Path(str(files("mner.vision.assets"))) / "attributes.txt"

NOT_FOR_PEOPLE = frozenset((*COLOURS, "grey", "beige", "golden", "silver", "dark", "pale", "bright", "colorful"))

LEAST = 8.0
"""Pixels of the shortest side of a box that shows anything."""

_MODEL = HubModel("vision.options.zeroshot.model", ("clip", "siglip"))


class Options(PluginOptions):
    """[vision.options.zeroshot]."""

    model: str = "openai/clip-vit-base-patch32"  # a folder, or a hub id, perhaps followed by "@revision"
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


ABOUT = _MODEL.about(
    licence="the model's; the packaged list of attributes is mner's own, CC0-1.0.",
    speed="the model's, for each object; objects share forward passes.",
    checkpoints=(
        Checkpoint("openai/clip-vit-base-patch32", "0.6 GB", "MIT", "under 0.3 s an object"),
        Checkpoint("google/siglip-base-patch16-224", "0.8 GB", "Apache-2.0", "under 1 s an object"),
    ),
    models=lambda options: [_list(options), *_MODEL.files(options)],
)


class Describer:
    """Gives attributes to objects; one without a box or with attributes stays as it is."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._names = read_names(_list(options))
        self._options = options
        self._network = _MODEL.load(options, threads=threads)
        from mner.vision.networks import compare

        prompts = [options.prompt.format(name) for name in self._names]
        self._texts: Any = compare.texts(self._network, prompts)

    def __call__(self, picture: Image.Image, tags: Sequence[Tag]) -> list[Tag]:
        """The tags of an upright RGB picture, attributes added."""
        return self.many([picture], [tags])[0]

    def many(self, pictures: Sequence[Image.Image], tags: Sequence[Sequence[Tag]]) -> list[list[Tag]]:
        """The tags of several pictures, the same as of each alone; their objects share batches."""
        from mner.vision.networks import compare

        described = [list(each) for each in tags]
        bare = [(of, place) for of, each in enumerate(tags) for place, tag in enumerate(each) if _bare(tag)]
        for start in range(0, len(bare), self._options.batch):
            batch = bare[start : start + self._options.batch]
            crops = [_crop(pictures[of], tags[of][place].box or (0, 0, 1, 1)) for of, place in batch]
            for (of, place), fits in zip(batch, compare.fits(self._network, crops, self._texts), strict=True):
                chosen = self._chosen(fits, tags[of][place].object)
                described[of][place] = replace(tags[of][place], attributes=chosen)
        return described

    def _chosen(self, fits: Sequence[float], name: str) -> tuple[str, ...]:
        left_out = NOT_FOR_PEOPLE if means_people(name) else ()
        pairs = zip(self._names, fits, strict=True)
        over = [(name, fit) for name, fit in pairs if fit > self._options.threshold and name.lower() not in left_out]
        return tuple(name for name, _ in sorted(over, key=lambda pair: -pair[1])[: self._options.most])


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
