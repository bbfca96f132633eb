"""The entities of a request -> the same with the regions of its picture that show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mner.evidence import Evidence
from mner.grounding import GroundingSettings, ground
from mner.grounding.boxes import Size, size_of
from mner.tagger.pictures import Pictures
from mner.tagger.requests import Request
from mner.types import Entity, Prediction, VisualContext


class Grounder:
    """Looks for entities in what was read from a request's picture.

    Args:
        settings: Where it looks; None: nowhere.
        pictures: Finds a request's picture, whose size is the limit of all boxes.
    """

    def __init__(self, settings: GroundingSettings | None, pictures: Pictures) -> None:
        self._settings, self._pictures = settings, pictures

    @property
    def fingerprints(self) -> dict[str, str]:
        """How it looks, where that is not as by default."""
        if self._settings == GroundingSettings():
            return {}
        return {"grounding": "off" if self._settings is None else self._settings.model_dump_json()}

    def __call__(
        self, wanted: Request, context: VisualContext | None, entities: Iterable[Entity]
    ) -> tuple[Entity, ...]:
        """The entities of one request with their regions."""
        entities = tuple(entities)
        if self._settings is None or not entities:
            return entities

        def size(picture: int) -> Size | None:
            apart = wanted.apart or (wanted,)
            return size_of(self._pictures.source(apart[picture])) if picture < len(apart) else None

        return ground(entities, context, self._settings, size=size)

    def evidence(
        self,
        wanted: Request,
        prediction: Prediction,
        evidence: Sequence[Evidence],
    ) -> tuple[Evidence, ...]:
        """The evidence with the regions of its entities, which are those of the prediction where it has the entity."""
        regions = {(entity.start, entity.end, entity.label): entity.regions for entity in prediction.entities}
        entities = self(wanted, prediction.context, (row.entity for row in evidence))
        return tuple(
            replace(
                row,
                entity=replace(entity, regions=regions.get((entity.start, entity.end, entity.label), entity.regions)),
            )
            for row, entity in zip(evidence, entities, strict=True)
        )
