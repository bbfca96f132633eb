"""Two artefacts -> what each says of a picture that the other does not: what two extractors saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from mner.contexts.artefact import Contexts
from mner.contexts.entry_text import KINDS, entry_texts
from mner.types import VisualContext


@dataclass(frozen=True, slots=True)
class Difference:
    """One picture of which two artefacts do not say the same.

    Attributes:
        image: Its name.
        status: Its status in each; None where an artefact has no row.
        first: By kind, what only the first artefact says; a kind without such is left out.
        second: The same of the second.
    """

    image: str
    status: tuple[str | None, str | None]
    first: dict[str, tuple[str, ...]] = field(default_factory=dict)
    second: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Summary:
    """Counts over all pictures; a kind's count is (only in the first, in both, only in the second)."""

    same: int = 0
    differing: int = 0
    only_first: int = 0
    only_second: int = 0
    kinds: dict[str, list[int]] = field(default_factory=lambda: {kind: [0, 0, 0] for kind in KINDS})

    @property
    def equal(self) -> bool:
        """Whether both say the same of the same pictures."""
        return not (self.differing or self.only_first or self.only_second)


def differences(first: Contexts, second: Contexts, summary: Summary) -> Iterator[Difference]:
    """The pictures of which two artefacts say different things, in the order of the first; counted as they come.

    What is compared is what a model is given: the words of each entry, as often as they occur, and the status.
    Confidences, boxes, sources and the order of entries are not.

    >>> from mner.types import Caption
    >>> rows = [Contexts([VisualContext("1.jpg", captions=(Caption(text),))]) for text in ("a dog", "a cat")]
    >>> [(one.first, one.second) for one in differences(*rows, Summary())]
    [({'captions': ('a dog',)}, {'captions': ('a cat',)})]
    """
    for image, one in first.items():
        other = second.get(image)
        found = _between(image, one, other, summary)
        if found is not None:
            yield found
    for image, one in second.items():
        if first.get(image) is None:
            found = _between(image, None, one, summary)
            if found is not None:
                yield found


def _between(image: str, one: VisualContext | None, other: VisualContext | None, summary: Summary) -> Difference | None:
    status = (None if one is None else one.status, None if other is None else other.status)
    found = Difference(image, status)
    for kind in KINDS:
        said, also = (Counter(() if row is None else entry_texts(row, kind)) for row in (one, other))
        both, counts = said & also, summary.kinds[kind]
        for place, only in ((0, said - both), (2, also - both)):
            counts[place] += only.total()
            if only:
                (found.second if place else found.first)[kind] = tuple(only.elements())
        counts[1] += both.total()
    if one is None or other is None:
        summary.only_first += other is None
        summary.only_second += one is None
        return found
    differs = bool(found.first or found.second or one.status != other.status)
    summary.differing += differs
    summary.same += not differs
    return found if differs else None
