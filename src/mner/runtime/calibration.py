"""What ``model.json`` says of calibration, under the key "calibration": read, checked, written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from mner.decode import Scaling
from mner.errors import ModelError
from mner.files import write_json
from mner.runtime.manifest import CHECKSUM, NAME, checksum
from mner.runtime.saved import SavedModel, amend_model
from mner.types import ViewName

KEY = "calibration"
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """A part of a calibration; keys of later versions are left alone."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Basis(Part):
    """The posts that something rests on: what they are called, their fingerprint, how many; and their entities."""

    data: str
    fingerprint: str
    posts: Count
    entities: Count


class Scale(Part):
    """A scaling of probabilities.

    Attributes:
        method: One temperature, or a curve for each label.
        temperature: What the chain's scores are divided by.
        platt: Slope and intercept over the log-odds, by label.
        ece: By view the calibration error in percent before and after, on posts that the fit did not see.
        brier: Likewise the Brier score.
        basis: What it was fitted on.
    """

    method: Literal["temperature", "platt"]
    temperature: Annotated[FiniteFloat, Field(gt=0)] = 1.0
    platt: dict[str, tuple[FiniteFloat, FiniteFloat]] = Field(default_factory=dict)
    ece: dict[ViewName, tuple[FiniteFloat, FiniteFloat]] = Field(default_factory=dict)
    brier: dict[ViewName, tuple[FiniteFloat, FiniteFloat]] = Field(default_factory=dict)
    basis: Basis

    def scaling(self) -> Scaling:
        """The same as the decoder takes it."""
        return Scaling(self.temperature, self.platt)


class ViewThresholds(Part):
    """The thresholds of one view.

    Attributes:
        thresholds: Least probability of a returned entity, by label.
        mean: The observed mean over posts of what was promised, the lowest of the labels' where each has its own.
        precision: Observed over all returned entities; nothing is promised of it.
        recall: Likewise, over all gold entities.
        basis: What they rest on; its posts are all that were read in this view.
    """

    thresholds: dict[str, Share]
    mean: Share
    precision: Share
    recall: Share
    basis: Basis


class Thresholds(Part):
    """The promise that the thresholds keep: with probability 1 - ``delta`` the mean ``target`` is at least ``least``.

    ``by_label`` says that it is made of each label by itself, all of them at once.
    """

    target: Literal["precision", "recall"]
    least: Share
    delta: Share
    by_label: bool = False
    views: dict[ViewName, ViewThresholds]


class StoredCalibration(Part):
    """All that a model's calibration holds; ``model`` is the model's fingerprint without it."""

    model: str = ""
    scale: Scale | None = None
    thresholds: Thresholds | None = None


NONE = StoredCalibration()


def calibration_of(saved: SavedModel) -> StoredCalibration:
    """The calibration of a saved model; an empty one where it has none.

    Raises:
        ModelError: It is damaged.
    """
    return _checked(saved.manifest.get(KEY) or {}, str(saved.folder / NAME))


def scaling_of(saved: SavedModel) -> Scaling | None:
    """What makes a model's probabilities true; None where it has no such."""
    scale = calibration_of(saved).scale
    return None if scale is None else scale.scaling()


def trained_fingerprint(saved: SavedModel) -> str:
    """The fingerprint of a model as it was trained: what is calibrated later does not change it."""
    rest = _uncalibrated(saved.manifest)
    before = checksum(rest)[:12]
    files = hashlib.sha256(json.dumps(saved.manifest["files"], sort_keys=True).encode()).hexdigest()[:12]
    claimed = calibration_of(saved).model
    return claimed if claimed in (before, files) else saved.fingerprint


def store(saved: SavedModel, calibration: StoredCalibration, *, out: Path | None = None) -> Path:
    """Write a calibration into a model's ``model.json``, or into a copy of the model; the folder.

    Args:
        saved: The model.
        calibration: The calibration; an empty one takes out what is there.
        out: Folder of the copy; None changes the model where it is.

    Raises:
        DataError: It cannot be written.
    """
    about = calibration.model_copy(update={"model": trained_fingerprint(saved)})
    table: dict[str, Any] | None = None if calibration == NONE else about.model_dump(mode="json", exclude_none=True)
    if out is not None and out.resolve() != saved.folder.resolve():
        writer = {name: saved.manifest[name] for name in ("format", "mner")}  # part of the fingerprint as trained
        amend_model(saved, out, change=lambda part: {KEY: table, **writer})
        return out
    manifest = _uncalibrated(saved.manifest)
    if table is not None:
        manifest |= {KEY: table}
    sealed = checksum(manifest)
    if table is None and about.model != sealed[:12]:  # a model of mner 0.1, as it was
        write_json(saved.folder / NAME, manifest)
    else:
        write_json(saved.folder / NAME, {**manifest, CHECKSUM: sealed})
    return saved.folder


def _uncalibrated(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in manifest.items() if key not in (KEY, CHECKSUM)}


def _checked(table: Any, where: str) -> StoredCalibration:
    try:
        return StoredCalibration.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in (KEY, *first["loc"]))
        raise ModelError(
            f"{where}: damaged ({place}: {first['msg'][:1].lower()}{first['msg'][1:]}); copy the model again, or "
            "calibrate it again: mner calibrate"
        ) from None
