"""Posts -> the arrays of their pictures that a model declares, read from a folder of features."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mner.config import Config
from mner.errors import ConfigError, DataError
from mner.types import Post
from mner.views.inputs import Array, Needs
from mner.views.substitute import ring

if TYPE_CHECKING:
    from mner.vision.features import Features

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class PictureArrays(Mapping[str, np.ndarray]):
    """The declared arrays of one picture by name, read from disk each time."""

    features: Features
    image: str
    declared: Sequence[Array]

    def __getitem__(self, name: str) -> np.ndarray:
        """One array.

        Raises:
            KeyError: The model declares none of that name.
            DataError: It is damaged, or has other axes than the model declares.
        """
        array = next((array for array in self.declared if array.name == name), None)
        if array is None:
            raise KeyError(name)
        values = self.features[self.image][name]
        array.check(values, f"{self.features.folder}: {self.image}")
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(array.name for array in self.declared)

    def __len__(self) -> int:
        return len(self.declared)


@dataclass(frozen=True, slots=True)
class Reading:
    """The features of some posts.

    Attributes:
        arrays: Of each post's picture; empty where it has none.
        states: What became of each picture: used, filled (by the policy), none, unknown, or why it has no features.
        fingerprint: Of the extractor; "" where the model declares nothing.
    """

    arrays: Sequence[Mapping[str, np.ndarray]]
    states: Sequence[str]
    fingerprint: str


def arrays_of(posts: Sequence[Post], config: Config, root: Path, needs: Needs) -> Reading:
    """The arrays of each post's picture that the model declares, from the folder ``data.features``.

    ``data.features_missing`` says what stands for a picture without; the log says how many there are. Two controls:
    ``context.substitute = "shuffled"`` gives each picture the arrays of another one, by seed; and "zero" without a
    folder makes those of every picture zeros.

    Raises:
        ConfigError: [data] names no folder, or [context] puts other pictures in the place of a post's own.
        DataError: The folder lacks an array, contains it in another size, or has no picture of these posts.
    """
    if not needs.pictured:
        return Reading([{}] * len(posts), [""] * len(posts), "")
    names = " and ".join(f'"{array.name}"' for array in needs.pictured)
    if config.data.features is None and config.data.features_missing == "zero":
        return _zeros(posts, needs.pictured)
    if config.data.features is None:
        raise ConfigError(
            f'data.features: not set, but the model "{config.model.name}" reads {names} of each picture; name a folder '
            "of features: mner features build PICTURES --out FOLDER"
        )
    if config.context.substitute == "empty":
        raise ConfigError(
            'context.substitute: "empty" leaves nothing of features to train on; leave data.features out and set '
            'data.features_missing = "zero", so that every picture is zeros'
        )
    features = open_features(root / config.data.features, posts, needs.pictured, policy=config.data.features_missing)
    instead: Mapping[str, str] = {}
    if config.context.substitute == "shuffled":
        named = {image for post in posts for image in post.images}
        states_of = {image: row.status for image in named if (row := features.row(image)) is not None}
        instead = ring([image for image, status in states_of.items() if status == "ok"], config.seed)
    arrays: list[Mapping[str, np.ndarray]] = []
    states: list[str] = []
    pictures: dict[str, bool] = {}
    for post in posts:
        if not post.images:
            arrays.append({})
            states.append("none")
            continue
        rows = [features.row(image) for image in post.images]
        real = [image for image, row in zip(post.images, rows, strict=True) if row is not None and row.status == "ok"]
        pictures.update({image: image in real for image in post.images})
        known = real or (post.images[:1] if config.data.features_missing != "skip" else ())
        own = [PictureArrays(features, instead.get(image, image), needs.pictured) for image in known]
        arrays.append(side_by_side(own, needs.pictured))
        states.append("used" if real else "filled" if known else "unknown" if rows[0] is None else rows[0].status)
    lacking = [image for image, real in pictures.items() if not real]
    if pictures and len(lacking) == len(pictures):
        raise DataError(
            f"{features.folder}: has no features of the {len(pictures)} pictures, such as {lacking[0]}; "
            "build them from the folder of these pictures"
        )
    if lacking:
        _LOG.warning(
            '%s: %d of %d pictures have no features, such as %s (data.features_missing = "%s")',
            *(features.folder, len(lacking), len(pictures), lacking[0], config.data.features_missing),
        )
    return Reading(arrays, states, features.fingerprint)


def side_by_side(pictures: Sequence[Mapping[str, np.ndarray]], declared: Sequence[Array]) -> Mapping[str, np.ndarray]:
    """The arrays of one post's pictures together, see ``Array.side_by_side``; those of a single one as they are."""
    present = [arrays for arrays in pictures if arrays]
    if len(present) < 2:
        return present[0] if present else {}
    return {array.name: array.side_by_side([arrays[array.name] for arrays in present]) for array in declared}


def _zeros(posts: Sequence[Post], declared: Sequence[Array]) -> Reading:
    """One region of zeros for every picture, whatever it shows: what a model's further layers do by themselves."""
    zeros = {
        array.name: np.zeros([axis if isinstance(axis, int) else 1 for axis in array.axes[1:]], array.dtype)
        for array in declared
    }
    pictured = [post.image is not None for post in posts]
    _LOG.warning(
        'the features of all %d pictures are zeros (data.features is not set, and data.features_missing is "zero")',
        sum(pictured),
    )
    states = ["filled" if has else "none" for has in pictured]
    return Reading([zeros if has else {} for has in pictured], states, "")


def open_features(
    folder: Path, posts: Sequence[Post] | None, declared: Sequence[Array], *, policy: str = "skip"
) -> Features:
    """A folder of features that has the declared arrays; of the pictures of ``posts``, or of all with None.

    ``policy`` says what stands for a picture without features, like ``data.features_missing``.

    Raises:
        DataError: The folder is missing or damaged, lacks an array, or contains it in another size.
    """
    from mner.vision.features import read_features

    images = None if posts is None else [image for post in posts for image in post.images]
    features = read_features(folder, images, policy=policy)  # type: ignore[arg-type]  # checked by the schema
    for array in declared:
        if array.name not in features.widths:
            held = ", ".join(features.widths)
            raise DataError(
                f'{folder}: holds {held}, made by "{features.extractor}", but the model reads "{array.name}"; build '
                "features by another extractor"
            )
        array.check(np.empty((features.regions[0], features.widths[array.name]), np.bool_), str(folder))
    return features
