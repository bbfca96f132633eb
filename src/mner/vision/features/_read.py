"""A folder of features -> the arrays of pictures by name, read from disk as they are needed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mner.contexts.artefact import Contexts, iter_contexts, key, spelt
from mner.engines.shards import MANIFEST, part
from mner.errors import DataError
from mner.types import VisualContext
from mner.vision.features._shard import INDEX, SPAN, SUFFIX, Shard

Policy = Literal["skip", "zero", "mean"]
"""What stands for a picture without features: nothing, zeros, or the mean over all regions of the folder."""

_OPEN = 64  # shards mapped into memory at a time


class Features(Mapping[str, Mapping[str, NDArray[np.float32]]]):
    """Arrays of pictures by name or SHA-256; made by ``read_features``.

    A name is looked up as in ``Contexts``: the path, else its last part where that is unique.

    Attributes:
        fingerprint: Of the extractor, its options and its model.
        extractor: The extractor's name.
        widths: Numbers of a region, by array.
        regions: Least and most regions of a picture.
        statuses: Pictures of the folder by what became of them; only "ok" has features.
        missing: Names that were to be read and have no features, each once; the policy stands in for them.
    """

    def __init__(self, folder: Path, keys: Iterable[str] | None, policy: Policy) -> None:
        self.folder = folder
        self.fingerprint = _fingerprint(folder)
        self.statuses: Counter[str] = Counter()
        self._names = None if keys is None else tuple(dict.fromkeys(map(key, keys)))
        self._rows = Contexts()
        self._by_content: dict[str, VisualContext] = {}
        counts, holders = set[int](), dict[int, None]()
        wanted = None if self._names is None else set(map(_last_part, self._names))
        for row in iter_contexts(folder / INDEX):
            self.statuses[row.status] += 1
            place = _place(row, folder)
            if place is not None:
                counts.add(place[1])
                holders[place[0]] = None
            if wanted is None or row.sha256 in wanted or _last_part(key(row.image)) in wanted:
                self._rows.add(row)
                if row.sha256 is not None and place is not None:
                    self._by_content.setdefault(row.sha256, row)
        if not counts:
            raise DataError(f"{folder}: none of its {self.statuses.total()} pictures has features; see {INDEX} for why")
        self.regions = (min(counts), max(counts))
        first = self._opened(next(iter(holders)), widths={})
        self.extractor, self.widths = first.extractor, first.widths
        self._shard = lru_cache(_OPEN)(partial(self._opened, widths=self.widths))
        self.missing = tuple(name for name in self._names or () if self._row(name) is None)
        self._filler = None if policy == "skip" else self._filled(policy, holders)

    def __getitem__(self, image: str) -> Mapping[str, NDArray[np.float32]]:
        """The arrays of a picture, each (region, width).

        Raises:
            KeyError: It has none, and the policy is "skip".
            DataError: Its shard is missing, damaged, of another extractor, or holds NaN; the message names both.
        """
        row = self._row(image)
        if row is not None:
            return self._shard(row.extra[SPAN]["shard"]).read(row.image)
        if self._filler is None:
            raise KeyError(image)
        return self._filler

    def __contains__(self, image: object) -> bool:
        """Whether there are arrays for a picture, or the policy has some; none are read."""
        return isinstance(image, str) and (self._filler is not None or self._row(image) is not None)

    def __iter__(self) -> Iterator[str]:
        """The names to be read, without those that the policy skips; else those of the folder that have features."""
        if self._names is None:
            return (name for name, row in self._rows.items() if SPAN in row.extra)
        return (name for name in self._names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def row(self, image: str) -> VisualContext | None:
        """What the index says of a picture, with status and reason; None where it does not list it."""
        return self._rows.get(image) or self._by_content.get(image)

    def _row(self, image: str) -> VisualContext | None:
        row = self.row(image)
        return row if row is not None and SPAN in row.extra else None

    def _opened(self, number: int, *, widths: Mapping[str, int]) -> Shard:
        return Shard(part(self.folder, number, SUFFIX), fingerprint=self.fingerprint, widths=widths)

    def _filled(self, policy: Policy, holders: Iterable[int]) -> dict[str, NDArray[np.float32]]:
        """What stands for a picture without features: as many regions as every picture has, else one."""
        sums: dict[str, NDArray[np.float64]] = {name: np.zeros((1, width)) for name, width in self.widths.items()}
        regions: Counter[str] = Counter()
        for number in holders if policy == "mean" else ():
            for name, mean, count in self._shard(number).means():
                sums[name] += mean * count
                regions[name] += count
        least, most = self.regions
        height = least if least == most else 1
        means = {name: (total / max(1, regions[name])).astype(np.float32) for name, total in sums.items()}
        return {name: np.repeat(mean, height, axis=0) for name, mean in means.items()}


def read_features(folder: Path, keys: Iterable[str] | None = None, *, policy: Policy = "skip") -> Features:
    """The features of pictures; a picture's arrays are read from disk each time they are looked up.

    Args:
        folder: What ``mner features build`` made.
        keys: Names of the pictures, as posts name them, or their SHA-256; what else the folder holds is not kept in
            memory. None: all of them.
        policy: What stands for a picture without features.

    Raises:
        DataError: The folder is not there, is not finished, or holds damaged shards; the message says what to do.
    """
    return Features(folder, keys, policy)


def _last_part(name: str) -> str:
    return spelt(name).rpartition("/")[2]


def _fingerprint(folder: Path) -> str:
    advice = "make one: mner features build PICTURES --out FOLDER"
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder of features; {advice}")
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        fingerprint, finished = manifest["fingerprint"], "shards" in manifest
    except FileNotFoundError:
        raise DataError(f"{folder}: no folder of features, as it has no {MANIFEST}; {advice}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder / MANIFEST}: damaged ({error}); {advice}") from None
    if not finished or not (folder / INDEX).is_file():
        raise DataError(f"{folder}: not finished; the same mner features build goes on where it stopped")
    return str(fingerprint)


def _place(row: VisualContext, folder: Path) -> tuple[int, int] | None:
    """The shard of a picture and its number of regions; None where it has no features."""
    place: Any = row.extra.get(SPAN)
    if place is None:
        return None
    try:
        return int(place["shard"]), int(place["regions"])
    except (TypeError, KeyError, ValueError):
        raise DataError(
            f'{folder / INDEX}: {row.image}: features: expected {{"shard": 0, "regions": 49}}, found {place!r}; the '
            "same mner features build writes it again"
        ) from None
