"""The entities of a request -> the same with the regions of its pictures that show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mner.evidence import Evidence
from mner.grounding import GroundingSettings, ground
from mner.grounding.asking import Asking
from mner.grounding.boxes import Size, size_of
from mner.tagger.beside import PictureReading
from mner.tagger.pictures import Pictures
from mner.tagger.requests import Request
from mner.types import Entity, Prediction, Span, VisualContext


@dataclass(frozen=True, slots=True)
class Tagged:
    """A post that the model is done with.

    Attributes:
        prediction: With the regions that what was read from the pictures gives.
        spans: The words of its entities.
        look: Has a backend look at the pictures, which may take long, and gives the prediction with its regions, too;
            None where no backend is asked.
    """

    prediction: Prediction
    spans: tuple[Span, ...] = ()
    look: Callable[[], Prediction] | None = None

    def whole(self) -> Prediction:
        """The whole prediction."""
        return self.prediction if self.look is None else self.look()


class Grounder:
    """Looks for entities in what was read from a request's pictures, and has a backend look at the pictures.

    Args:
        settings: Where it looks; None: nowhere.
        pictures: Finds a request's pictures, whose size is the limit of all boxes.

    Raises:
        PluginError: There is no such backend.
        ConfigError: Its options are faulty.
    """

    def __init__(self, settings: GroundingSettings | None, pictures: Pictures) -> None:
        self._settings, self._pictures = settings, pictures
        self._asking = None
        if settings is not None and settings.grounder:
            self._asking = Asking(settings.grounder, settings.options, settings.kinds)

    @property
    def fingerprints(self) -> dict[str, str]:
        """How it looks, where that is not as by default."""
        if self._settings == GroundingSettings():
            return {}
        return {"grounding": "off" if self._settings is None else self._settings.model_dump_json()}

    def looking(
        self, wanted: Request, reading: PictureReading, prediction: Prediction
    ) -> Callable[[], Prediction] | None:
        """What has the backend look at a request's pictures, and gives the prediction with its regions.

        What went wrong is the prediction's reason. None: there is no backend, or nothing to look for or at.
        """
        asking = self._asking
        if asking is None or not prediction.entities:
            return None
        apart = wanted.apart or (wanted,)
        pairs = zip(apart, reading.apart or (reading,) * len(apart), strict=True)
        sources = [self._pictures.source(each) if own.status in {"used", "empty"} else None for each, own in pairs]
        if all(source is None for source in sources):
            return None

        def look() -> Prediction:
            entities, fault = asking(prediction.entities, sources)
            return replace(
                prediction, entities=entities, reason="; ".join(filter(None, (prediction.reason, fault))) or None
            )

        return look

    def evidence(self, wanted: Request, prediction: Prediction, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
        """The evidence with the regions of its entities, which are those of the prediction where it has the entity."""
        regions = {(entity.start, entity.end, entity.label): entity.regions for entity in prediction.entities}
        entities = self.read(wanted, prediction.context, tuple(row.entity for row in evidence))
        return tuple(
            replace(
                row,
                entity=replace(entity, regions=regions.get((entity.start, entity.end, entity.label), entity.regions)),
            )
            for row, entity in zip(evidence, entities, strict=True)
        )

    def read(self, wanted: Request, context: VisualContext | None, entities: tuple[Entity, ...]) -> tuple[Entity, ...]:
        """The entities with the regions of what was read."""
        if self._settings is None or not entities:
            return entities

        def size(picture: int) -> Size | None:
            apart = wanted.apart or (wanted,)
            return size_of(self._pictures.source(apart[picture])) if picture < len(apart) else None

        return ground(entities, context, self._settings, size=size)
