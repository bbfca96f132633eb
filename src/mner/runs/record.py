"""The record of one run, ``record.json``: what was trained, on what, how it scored, and what it took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mner.config import Config
from mner.config.names import FileName
from mner.errors import DataError
from mner.evaluation.signature import Signature
from mner.files import write_json
from mner.runs.shape import CalibrationTable, Count, Number, PostOutcomes, Settings, Text, fault, settings_of
from mner.types import ViewName

ScoredSplit = Literal["dev", "test"]


class RunId(NamedTuple):
    """Which run: data set, name, seed, and the fingerprint of its saved model, "" where it does not matter.

    >>> str(RunId("mine", "text", 1, "5f0c")), RunId.parse("mine/text/1")
    ('mine/text/1@5f0c', RunId(data='mine', name='text', seed=1, model=''))
    """

    data: str
    name: str
    seed: int
    model: str = ""

    def __str__(self) -> str:
        return f"{self.experiment}/{self.seed}" + (f"@{self.model}" if self.model else "")

    @property
    def experiment(self) -> str:
        """Data set and name, such as "mine/text"."""
        return f"{self.data}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> RunId:
        """The run that a file of results names.

        Raises:
            ValueError: It is not DATA/NAME/SEED, perhaps with @MODEL.
        """
        match text.split("/"):
            case [data, name, last]:
                seed, _, model = last.partition("@")  # the names may hold one, too
                if seed.isdecimal():
                    return cls(data, name, int(seed), model)
        raise ValueError(f'expected DATA/NAME/SEED, found "{text}"')


class Part(BaseModel):
    """A part of a record. Keys that this version does not know are kept and written back."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)


class Identity(Part):
    """Which experiment a run belongs to, whatever its folder is called.

    Attributes:
        experiment: The experiment, such as "ita-ga-cva".
        variant: What sets it apart from others of that experiment, such as another encoder; "" for nothing.
        tuned: Whether its settings come from a search on dev.
    """

    experiment: Text
    variant: Text = ""
    tuned: bool = False


class Score(Part):
    """Precision, recall and F1 as percentages, and the counts of entities behind them."""

    precision: Number
    recall: Number
    f1: Number
    correct: Count
    predicted: Count
    gold: Count


NO_ENTITIES = Score(precision=0.0, recall=0.0, f1=0.0, correct=0, predicted=0, gold=0)
"""The score of a label that occurs neither in the gold labels nor among the predictions."""


class ViewScores(Part):
    """The scores of one view of one split.

    Attributes:
        micro: Over all entities.
        labels: By label.
        posts: Posts scored.
        signature: The printed signature, for readers of the file.
        fingerprint: Of the posts scored; None in records of the first version, which kept it elsewhere.
        mner: The version that scored them; None likewise.
        calibration: What ``evaluation.calibration.table`` says of the entities' probabilities; None where they were not
            kept.
    """

    micro: Score
    macro: Score | None = None
    labels: dict[str, Score]
    posts: Count = 0
    signature: Text
    fingerprint: Text | None = None
    mner: Text | None = None
    calibration: CalibrationTable | None = None


class SplitFacts(Part):
    """What is known of a split that a run read. Counts of contexts and cut sub-tokens are by name."""

    fingerprint: Text
    posts: Count = 0
    contexts: dict[str, Count] = Field(default_factory=dict)
    contexts_fingerprint: Text | None = None
    context_subtokens_cut: dict[str, Count] = Field(default_factory=dict)


class EncoderFacts(Part):
    """The encoder's name and the SHA-256 over its weights."""

    name: Text
    sha256: Text = ""


class Machine(Part):
    """The machine that a run was trained on."""

    cpu: Text
    flags: tuple[Text, ...]
    cores: Count
    memory_gib: Number | None = None
    system: Text = ""


class RunRecord(Part):
    """One finished run; a key of the file is the attribute of the same name, ``row`` excepted.

    Attributes:
        name: The name of its configuration and folder; ``row`` in the file.
        identity: The experiment it belongs to; None in records of the first version.
        config: The resolved configuration as a table. It may hold settings that were taken out since.
        model: Fingerprint of the saved model.
        init: Fingerprint of the model that training began from, as it was trained itself; "" for none, or unknown.
        teachers: Likewise of each model that it learned from.
        seconds: Of training, dev scoring left out.
        cpu_seconds: Processor time of all threads in the same; None where it was not kept.
        precision: The number format of training, as accelerate names it.
        outcomes: By split what became of each post, see ``evaluation.outcomes``.
    """

    format: Count = 1
    data: FileName
    name: FileName = Field(alias="row")
    seed: Count
    identity: Identity | None = None
    fingerprint: Text = ""
    config_fingerprint: Text
    config: Settings
    encoder: EncoderFacts
    init: Text = ""
    teachers: list[Text] = Field(default_factory=list)
    model: Text
    labels: list[Text] = Field(default_factory=list)
    parameters: Count
    splits: dict[str, SplitFacts]
    best_epoch: Count
    dev: dict[ViewName, ViewScores]
    epochs: list[dict[str, Any]]
    outcomes: dict[ScoredSplit, PostOutcomes] = Field(default_factory=dict)
    seconds: Number
    cpu_seconds: Number | None = None
    peak_memory_mib: Number
    precision: Text
    machine: Machine
    versions: dict[str, Text] = Field(default_factory=dict)
    finished: Text
    test: dict[ViewName, ViewScores] | None = None

    @field_validator("splits")
    @classmethod
    def _has_dev(cls, splits: dict[str, SplitFacts]) -> dict[str, SplitFacts]:
        if "dev" not in splits:
            raise ValueError("it lacks 'dev'")
        return splits

    @field_validator("dev", "test")
    @classmethod
    def _has_views(cls, scores: dict[ViewName, ViewScores] | None) -> dict[ViewName, ViewScores] | None:
        if scores is not None and (lacking := {"T", "I+T"} - scores.keys()):
            raise ValueError(f"it lacks '{min(lacking)}'")
        return scores

    @cached_property
    def settings(self) -> Config:
        """Its configuration as one of this version; settings that there are no more are left out."""
        return settings_of(self.config)

    @property
    def id(self) -> RunId:
        """Which run it is of."""
        return RunId(self.data, self.name, self.seed, self.model)

    @property
    def number_format(self) -> str:
        """The number format of training: "bf16" or "fp32", which accelerate calls "no"."""
        return "fp32" if self.precision == "no" else self.precision

    def scores(self, split: ScoredSplit) -> Mapping[ViewName, ViewScores] | None:
        """The scores of a split by view; None where it was not scored."""
        return self.dev if split == "dev" else self.test

    def signature(self, split: ScoredSplit, view: ViewName) -> Signature:
        """The signature of one view's score.

        Raises:
            KeyError: The split was not scored in this view.
        """
        scores = (self.scores(split) or {})[view]
        return Signature(
            f1=(scores.micro.f1,),
            view=view,
            scheme=f"iob2-{'repaired' if self.settings.data.labels == 'repair' else 'strict'}",
            decode="constrained" if self.settings.decode.constrained else "unconstrained",
            data=f"{self.data}/{split}@{self.posts_fingerprint(split)[:6]}",
            mner=scores.mner or self.versions.get("mner", "?"),
        )

    def posts_fingerprint(self, split: ScoredSplit) -> str:
        """The fingerprint of a scored split's posts; "?" where a record of the first version did not keep it."""
        scored = next(iter((self.scores(split) or {}).values()), None)
        if scored is not None and scored.fingerprint is not None:
            return scored.fingerprint
        if split in self.splits:
            return self.splits[split].fingerprint
        return str(self.outcomes.get(split, {}).get("fingerprint", "?"))

    def with_test(self, scores: Mapping[ViewName, ViewScores], outcomes: Mapping[str, Any]) -> RunRecord:
        """The record with the scores and outcomes of its test split; scores that are there stay."""
        return self.model_copy(update={"test": self.test or dict(scores)}).with_outcomes("test", outcomes)

    def with_outcomes(self, split: ScoredSplit, outcomes: Mapping[str, Any]) -> RunRecord:
        """The record with what became of each post of a split."""
        return self.model_copy(update={"outcomes": {**self.outcomes, split: dict(outcomes)}})

    def write(self, path: Path) -> None:
        """Write the record as JSON; keys that it was not given are not written."""
        write_json(path, self.model_dump(mode="json", by_alias=True, exclude_unset=True))


def read_record(path: Path) -> RunRecord:
    """One run record.

    Raises:
        DataError: The file does not hold a record; each fault is named with its key.

    >>> record = read_record(Path("results/mine/text/1.json"))
    >>> record.seed, record.dev["T"].micro.f1
    (1, 75.0)
    """
    try:
        return RunRecord.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        why = fault(error)
    except (OSError, ValueError, RecursionError) as error:
        why = str(error)
    remedy = (
        "copy it from the folder of results, or train the run again: mner train CONFIG --restart"
        if path.name == "record.json"
        else "copy it again from its run directory"
    )
    raise DataError(f"{path}: not a run record ({why}); {remedy}")
