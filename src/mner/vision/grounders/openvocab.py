"""OWLv2 and Grounding DINO, asked for each entity by its type and text, such as "person Kevin Love".

They know what a person or a logo looks like and hardly any names, so each box goes to the one name that fits it best.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from pydantic import Field

from mner.types import Box
from mner.vision.detectors import openvocab
from mner.vision.networks.folder import HubModel
from mner.vision.protocols import PluginOptions, Sought
from mner.vision.texts import clean

LONGEST = 80
"""Characters of a name that a network is asked for; its text holds few tokens."""

_MODEL = HubModel("grounding.options.model", openvocab.ARCHITECTURES)


class Options(PluginOptions):
    """Settings under "options" of the grounding."""

    model: str = "google/owlv2-base-patch16-ensemble"  # a folder, or a hub id, perhaps followed by "@revision"
    threshold: float = Field(default=0.25, gt=0, le=1)  # least confidence of a box
    most: int = Field(default=1, ge=1, le=20)  # boxes of one entity in a picture
    device: str = "auto"  # a GPU where there is one; else as torch names it


ABOUT = _MODEL.about(
    speed="the model's; meant for a GPU.",
    checkpoints=openvocab.ABOUT.checkpoints,
    batch=False,
)


class Grounder:
    """The boxes that fit each name better than any other name."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._options = options
        self._network = _MODEL.load(options, threads=threads)

    def __call__(self, picture: Image.Image, sought: Sequence[Sought]) -> list[list[tuple[float, Box]]]:
        """For each name its confidences and boxes in an upright RGB picture, the best first."""
        from mner.vision.networks import boxes

        names = [_name(each) for each in sought]
        unique = [name for name in dict.fromkeys(names) if name]
        if not unique:
            return [[] for _ in sought]
        (triples,) = boxes.find(self._network, [picture], boxes.ask(self._network, unique), self._options.threshold)
        return [[(score, box) for own, score, box in triples if own == name][: self._options.most] for name in names]


def _name(sought: Sought) -> str:
    """The name as the networks are asked; Grounding DINO separates names by full stops."""
    return clean(f"{sought.kind} {sought.text}".replace(".", " "), longest=LONGEST)
