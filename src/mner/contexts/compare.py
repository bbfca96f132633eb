"""Two artefacts -> what each says of a picture that the other does not: what two extractors saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from mner.contexts.artefact import Contexts, key
from mner.contexts.entry_text import KINDS, entry_texts
from mner.types import VisualContext


@dataclass(frozen=True, slots=True)
class Difference:
    """One picture of which two artefacts do not say the same.

    Attributes:
        image: Its name.
        status: Its status in each; None where an artefact lacks it.
        first: By kind, what only the first artefact says, if anything.
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

    What is compared is what a model reads: the words of each entry, as often as they occur, and the status.
    Confidences, boxes, sources and the order of entries are not compared.

    >>> from mner.types import Caption
    >>> rows = [Contexts([VisualContext("1.jpg", captions=(Caption(text),))]) for text in ("a dog", "a cat")]
    >>> [(difference.first, difference.second) for difference in differences(*rows, Summary())]
    [({'captions': ('a dog',)}, {'captions': ('a cat',)})]
    """
    pairs = [(image, before, _counterpart(image, first, second)) for image, before in first.items()]
    matched = {key(after.image) for _, _, after in pairs if after is not None}
    only_second = [(image, None, after) for image, after in second.items() if image not in matched]
    for image, before, after in [*pairs, *only_second]:
        difference = _between(image, before, after, summary)
        if difference is not None:
            yield difference


def _counterpart(image: str, first: Contexts, second: Contexts) -> VisualContext | None:
    """The second artefact's record of a picture of the first, perhaps under another path; None if it has none.

    A record that is nearer to another picture of the first artefact belongs to that picture.
    """
    after = second.get(image)
    back = None if after is None else first.get(key(after.image))
    return after if back is not None and key(back.image) == image else None


def _between(
    image: str, before: VisualContext | None, after: VisualContext | None, summary: Summary
) -> Difference | None:
    status = (None if before is None else before.status, None if after is None else after.status)
    difference = Difference(image, status)
    for kind in KINDS:
        first, second = (Counter(() if row is None else entry_texts(row, kind)) for row in (before, after))
        both, counts = first & second, summary.kinds[kind]
        for place, only, texts in ((0, first - both, difference.first), (2, second - both, difference.second)):
            counts[place] += only.total()
            if only:
                texts[kind] = tuple(only.elements())
        counts[1] += both.total()
    if before is None or after is None:
        summary.only_first += after is None
        summary.only_second += before is None
        return difference
    differs = bool(difference.first or difference.second or before.status != after.status)
    summary.differing += differs
    summary.same += not differs
    return difference if differs else None
