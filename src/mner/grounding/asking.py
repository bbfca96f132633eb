"""Entities -> the regions that a backend with pixels finds for them, when it is asked for each by type and text."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mner import sessions
from mner.config import validated
from mner.errors import MnerError
from mner.grounding.boxes import inside, overlap
from mner.grounding.objects import SAME
from mner.regions import Region
from mner.types import Entity


class Asking:
    """A backend that is given names, loaded when it is first asked.

    Args:
        name: A file of ``vision/grounders``, or a dotted name.
        options: Its options.
        kinds: What entities of a label are called, by label; others by their label in small letters.

    Raises:
        PluginError: Nothing has that name.
        ConfigError: An option is unknown or faulty.
    """

    def __init__(self, name: str, options: Mapping[str, Any], kinds: Mapping[str, str]) -> None:
        from mner.vision.backends import find_plugin

        self._name = name
        self._kinds = {label.casefold(): kind for label, kind in kinds.items()}
        self._plugin = find_plugin("grounder", name)
        self._options = validated(self._plugin.options, options, where="grounding.options")
        self._lock = threading.Lock()
        self._backend: Callable[..., Any] | None = None
        sessions.forget_after_fork(self)

    def after_fork(self) -> None:
        """Load the backend again: a fork copies neither its threads nor the lock's owner."""
        self._lock = threading.Lock()
        sessions.never_free(self._backend)
        self._backend = None

    def __call__(self, entities: Sequence[Entity], sources: Sequence[Any]) -> tuple[tuple[Entity, ...], str]:
        """The entities with further regions, and why pictures could not be looked at; "" where all were.

        A box that another region of the entity overlaps by half says nothing new and is left out.

        Args:
            entities: Of one post, with the regions that are known already.
            sources: Its pictures, as paths, bytes or opened ones; None for what has no pixels.

        Raises:
            MissingExtraError: The backend needs packages that are not installed.
            ModelError: Its model is missing or damaged.
            ConfigError: Its options cannot be used.
        """
        regions = [None if entity.regions is None else list(entity.regions) for entity in entities]
        faults: dict[str, None] = {}
        for place, source in enumerate(sources):
            if source is None:
                continue
            backend = self._loaded()
            try:
                boxes, size = self._ask(backend, entities, source)
            except Exception as error:  # a backend may be anybody's code; one picture must not end the run
                why = error if isinstance(error, MnerError) else f"{type(error).__name__}: {error}"
                faults[f"the grounder failed: {why}"] = None
                continue
            for number, answer in enumerate(boxes):
                known = regions[number] = regions[number] or []
                for score, box in answer:
                    cut = inside(box, size)
                    if cut is not None and all(
                        other.picture != place or overlap(cut, other.box) < SAME for other in known
                    ):
                        known.append(Region(cut, self._name, score, "prompted", self._phrase(entities[number]), place))
        grounded = [
            replace(entity, regions=None if own is None else tuple(sorted(own, key=lambda region: -region.score)))
            for entity, own in zip(entities, regions, strict=True)
        ]
        return tuple(grounded), "; ".join(faults)

    def _loaded(self) -> Callable[..., Any]:
        with self._lock:
            if self._backend is None:
                self._backend = self._plugin.make(self._options, threads=0)
            return self._backend

    def _ask(
        self, backend: Callable[..., Any], entities: Sequence[Entity], source: Any
    ) -> tuple[list[list[tuple[float, Any]]], tuple[int, int]]:
        """For each entity confidences and boxes in the pixels of the picture's file, and that picture's size."""
        from mner.vision.extract import fitted
        from mner.vision.images import open_image
        from mner.vision.protocols import Sought

        picture = open_image(source)
        pixels = fitted(picture.pixels)
        sought = [Sought(entity.text, self._kind(entity)) for entity in entities]
        unique = list(dict.fromkeys(sought))
        answers = dict(zip(unique, backend(pixels, unique), strict=True))
        across, down = picture.width / pixels.width, picture.height / pixels.height
        scaled = {
            name: [(score, (box[0] * across, box[1] * down, box[2] * across, box[3] * down)) for score, box in boxes]
            for name, boxes in answers.items()
        }
        return [scaled[name] for name in sought], (picture.width, picture.height)

    def _kind(self, entity: Entity) -> str:
        return self._kinds.get(entity.label.casefold(), entity.label.casefold())

    def _phrase(self, entity: Entity) -> str:
        return f"{self._kind(entity)} {entity.text}".strip()
