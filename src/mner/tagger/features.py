"""A picture -> the arrays that a model declares: from a ready folder, else by the extractor of [vision]."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mner import sessions
from mner.config import VisionConfig, validated
from mner.errors import ConfigError, ImageError, ModelError
from mner.types import ImageStatus
from mner.views import Array
from mner.views.features import PictureArrays, open_features

Outcome = tuple[Mapping[str, np.ndarray], ImageStatus, str | None]
"""The arrays, which are empty where there are none, what became of the picture, and why."""


class PictureFeatures:
    """Finds or makes the arrays of a picture.

    Args:
        declared: What the model reads.
        vision: Names the extractor, which is loaded with the first picture that needs it.
        folder: Ready features, looked up first, by the picture's name.
        trained: The fingerprint of the extractor whose features the model was trained on; "" if unknown.

    Raises:
        DataError: The folder lacks an array that the model declares.
        ModelError: Its features come from another extractor than those of training.
    """

    def __init__(
        self, declared: Sequence[Array], vision: VisionConfig, *, folder: Path | None = None, trained: str = ""
    ) -> None:
        self.declared = tuple(declared)
        self._vision = vision
        self._trained = trained
        self._ready = None if folder is None else open_features(folder, None, declared)
        if self._ready is not None:
            check_trained(self._ready.fingerprint, trained, str(folder))
        self._lock = threading.Lock()
        self._extractor: Any = None
        sessions.forget_after_fork(self)

    @property
    def fingerprints(self) -> dict[str, str]:
        """The extractor of the ready features, where there are any."""
        return {} if self._ready is None else {"features": self._ready.fingerprint}

    def after_fork(self) -> None:
        """Load the extractor again: a fork copies neither its threads nor the lock's owner."""
        self._lock = threading.Lock()
        sessions.never_free(self._extractor)
        self._extractor = None

    def read(self, name: str, source: Any) -> Outcome:
        """The arrays of one picture; a bad one gives a status and a reason.

        Args:
            name: The picture's name.
            source: Its path, bytes or pixels; None where only a text stands for it.

        Raises:
            ConfigError: The extractor's options cannot be used.
            DataError: Its arrays are not those that the model declares.
            ModelError: Its model is missing, or it is not the extractor of training.
        """
        if self._ready is not None and name in self._ready:
            return PictureArrays(self._ready, name, self.declared), "used", None
        if not self._vision.features:
            return {}, "disabled", "the model reads features of pictures, and its [vision] names no extractor of them"
        if source is None:
            return {}, "empty", "the model reads features of a picture, and a text alone stands for it"
        from mner.vision.extract import fitted
        from mner.vision.images import Picture, open_image

        try:
            picture = open_image(source)
        except ImageError as error:
            statuses: dict[str, ImageStatus] = {"missing": "missing", "too_large": "too_large", "skipped": "disabled"}
            return {}, statuses.get(error.status, "unreadable"), error.reason
        with self._lock:
            if self._extractor is None:
                self._extractor = self._load()
            small = Picture(fitted(picture.pixels), picture.sha256, picture.width, picture.height)
            (features,) = self._extractor([small], images=[name])
        if features is None:
            return {}, "empty", "the extractor has no features of the picture"
        arrays = {}
        for array in self.declared:
            if array.name not in features:
                raise ConfigError(
                    f'vision.features: "{self._vision.features}" gives {", ".join(features)}, but the model reads '
                    f'"{array.name}"; name an extractor that makes it'
                )
            arrays[array.name] = np.asarray(features[array.name], np.float16).astype(
                np.float32
            )  # as a folder keeps them
            array.check(arrays[array.name], name)
        return arrays, "used", None

    def _load(self) -> Any:
        from mner.vision.backends import find_plugin, fingerprint

        name = self._vision.features
        plugin = find_plugin("features", name)
        options = validated(plugin.options, self._vision.options.get(name, {}), where=f"[vision.options.{name}]")
        check_trained(fingerprint([(plugin, options)]), self._trained, f'vision.features: "{name}"')
        return plugin.make(options, threads=0)


def check_trained(fingerprint: str, trained: str, where: str) -> None:
    """Refuse features of another extractor than those of training; ``trained`` is "" where that is unknown.

    Raises:
        ModelError: They are; ``where`` says which.
    """
    if trained and fingerprint != trained:
        raise ModelError(
            f"{where}: its features are not those the model was trained on (extractor {fingerprint}, the model's "
            f"{trained}); take the extractor, options and files of training"
        )
