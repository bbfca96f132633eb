"""The tables of a configuration, their defaults, units and the meaning of zero."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from mner.config.names import DeviceName, FileName
from mner.types import ViewName

Source = Literal["captions", "tags", "ocr", "texts"]
"""A kind of visual context, by the name of its list in the artefact."""

Substitute = Literal["none", "empty", "shuffled"]
"""What stands in the place of a picture's context: itself, nothing, or the context of another picture."""

BUDGET: dict[Source, int] = {"captions": 128, "tags": 128, "ocr": 96, "texts": 256}
"""Most sub-tokens of each kind of context; what is over is cut and counted."""

PLUGIN = "plug-in"
"""Marks a field whose value names a plug-in: where there is a dot in it, the module of that name is imported."""

PluginName = Annotated[str, PLUGIN]


class Section(BaseModel):
    """A table of the configuration; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataConfig(Section):
    """[data]: where the splits and their contexts are.

    ``root`` is the folder that the other paths are relative to: a path relative to the config file,
    ``$NAME`` for the folder an environment variable holds, or ``mner:sample`` for the packaged sample.
    """

    name: FileName = "data"  # names the data set in run folders and signatures
    root: str = "."
    format: PluginName | None = None  # None: by the file's name and first lines
    train: str | tuple[str, ...] | None = None  # one file, or several that are read one after the other
    train_posts: int = Field(default=0, ge=0)  # train on so many of them, drawn once for all seeds; 0: all
    dev: str | None = None
    test: str | None = None
    contexts: tuple[str, ...] = ()  # artefact files; later ones add to earlier ones
    contexts_missing: float = Field(default=0.05, ge=0, le=1)  # share of a split's pictures that may lack one there
    images: str | None = None  # folder of pictures, read where a context is absent
    features: str | None = None  # folder of the pictures' features, for models that look at pictures
    features_missing: Literal["skip", "zero", "mean"] = "skip"  # what stands for a picture without features
    tasks: dict[str, str] = Field(default_factory=dict)  # posts of a model's further tasks -> their file, JSON lines
    labels: Literal["repair", "strict"] = "repair"  # what an I- without a beginning means
    rename: dict[str, str] = Field(default_factory=dict)  # entity type in the files -> the type it is read as

    def files(self, split: Literal["train", "dev", "test"]) -> tuple[str, ...]:
        """The files of a split as they are written here; none where it is not set."""
        names = getattr(self, split)
        return (names,) if isinstance(names, str) else names or ()


class VisionConfig(Section):
    """[vision]: which backends read pictures that have no ready context. "" turns one off."""

    detector: PluginName = "nanodet"
    captioner: PluginName = "template"
    ocr: PluginName = "rapid"
    features: PluginName = ""  # extractor for models that look at pictures, where no ready features are given
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)  # by plug-in name
    _saved_in: str = PrivateAttr("")  # no setting: in no file, and in no fingerprint

    @property
    def saved_in(self) -> str:
        """The folder of the saved model that this table came out of; "" where the user gave it."""
        return self._saved_in

    def mark_saved(self, folder: str) -> None:
        """Remember that a saved model chose these settings, not the user."""
        self._saved_in = folder


class ContextConfig(Section):
    """[context]: which of what was read goes beside the words, in which order, and how much of it."""

    order: tuple[Source, ...] = ("captions", "tags", "ocr")
    captions: tuple[str, ...] | None = None  # sources by name, in this order; None: all, in the file's order
    tags: tuple[str, ...] | None = None
    ocr: tuple[str, ...] | None = None
    texts: tuple[str, ...] | None = None
    tags_apart: bool = False  # a separator between tags, for models that read each tag by itself
    substitute: Substitute = "none"  # controls: each picture's context is "empty" or another's ("shuffled", by seed)
    budget: dict[Source, Annotated[int, Field(ge=0)]] = Field(
        default_factory=lambda: dict(BUDGET)
    )  # most sub-tokens of each kind; a table in a file replaces this one, and a kind that it leaves out is not cut
    word_pieces: int = Field(default=0, ge=0)  # most sub-tokens of one word, the rest cut and counted; 0: no limit
    links: Literal["keep", "fold"] = "keep"  # "fold": one sub-token stands for a link, the others are counted as cut
    windows: Literal["words", "release"] = "words"  # "words": each window carries the whole context
    max_tokens: int = Field(default=512, ge=32)  # sub-tokens of one window, special ones included
    overlap: int = Field(default=256, ge=0)  # sub-tokens two windows share


class ModelConfig(Section):
    """[model]: which system, on which encoder."""

    name: PluginName = "ita"
    encoder: str = "embedded:minilm"
    layers: int = Field(default=0, ge=0)  # keep the encoder's first so many layers: faster, less exact; 0: all
    subtoken_labels: Literal["first", "pad"] = "first"  # "pad": a word's further sub-tokens carry a label too, PAD
    word_dropout: float = Field(default=0.1, ge=0, lt=1)  # chance that a word's whole vector is zeroed
    case_shape: bool = False  # a learned embedding of how the original sub-token is written
    init: str | None = None  # continue from this saved model, whose labels may differ
    options: dict[str, Any] = Field(default_factory=dict)  # of the model alone; its file says which


class LossConfig(Section):
    """[loss]: which views are trained and how they are aligned. Weights left out come from the preset."""

    preset: Literal["official", "paper"] = "official"
    views: tuple[ViewName, ...] = ("T", "I+T")
    cva: Literal["none", "posterior", "sequence"] = "none"
    weight_t: float | None = Field(default=None, ge=0)
    weight_it: float | None = Field(default=None, ge=0)
    weight_cva: float | None = Field(default=None, ge=0)
    temperature: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _views_suit(self) -> LossConfig:
        if not self.views or len(set(self.views)) < len(self.views):
            raise ValueError('views: name "T", "I+T" or both, each once')
        if self.cva != "none" and set(self.views) != {"T", "I+T"}:
            raise ValueError(f'cva = "{self.cva}" aligns two views; set views = ["T", "I+T"]')
        return self


class TeachersConfig(Section):
    """[teachers]: saved models whose posteriors this one learns from, word by word, beside the gold labels.

    ``data.tasks.unlabelled`` names further posts, without labels, that are learned from the teachers alone.
    """

    models: tuple[str, ...] = ()  # runs or saved models; the mean of their posteriors is taught
    view: Literal["same", "T", "I+T"] = "same"  # view of the teachers: "same" as the view that learns from it
    rename: dict[str, str] = Field(default_factory=dict)  # entity type of a teacher -> the type here; "": no entity
    weight: float = Field(default=1.0, ge=0)  # of the loss towards the teachers
    temperature: float = Field(default=1.0, gt=0)  # of the posteriors of both


class TrainingConfig(Section):
    """[training]: one optimizer step is always ``posts_per_step`` posts."""

    epochs: int = Field(default=10, ge=1)
    passes: int = Field(default=1, ge=1)  # times an epoch goes through all posts; dev is scored at its end
    posts_per_step: int = Field(default=16, ge=1)
    tokens_per_batch: int = Field(default=4096, ge=1)  # cuts a step into micro-batches; no effect on the result
    packing: bool = True  # several posts in one row instead of padding, where the encoder allows it
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    encoder_lr: float = Field(default=5e-5, gt=0)  # encoder and emission layer
    feature_lr: float = Field(default=1e-3, gt=0)  # all that starts fresh, such as the case-shape embedding
    crf_lr: float = Field(default=0.05, gt=0)  # transitions, start and end scores only
    lr: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)  # rates by the model's parameter groups
    momentum: float = Field(default=0.0, ge=0, lt=1)  # of sgd
    weight_decay: float = Field(default=0.0, ge=0)
    eps: float = Field(default=1e-6, gt=0)
    clip_norm: float = Field(default=5.0, gt=0)
    warmup: float = Field(default=0.0, ge=0, lt=1)  # share of all steps over which the rates rise from 0
    schedule: Literal["linear", "step", "inverse", "constant"] = "linear"  # of the rates after that
    decay: float = Field(default=0.5, gt=0, le=1)  # step: factor; inverse: rates are divided by 1 + decay * epochs
    decay_every: int = Field(default=1, ge=1)  # step: epochs between two steps
    patience: int = Field(default=0, ge=0)  # epochs without a better dev score before stopping; 0: never
    precision: Literal["fp32", "bf16", "auto"] = "fp32"  # auto: bf16 where the CPU or GPU supports it
    gradient_checkpointing: bool = (
        False  # compute layers again instead of keeping them: less memory, a third more time; not in MPNet
    )
    device: DeviceName = "auto"  # auto: a GPU where there is one
    threads: int = Field(default=0, ge=0, le=1024)  # 0: all cores


class DecodeConfig(Section):
    """[decode]: from label scores to entities."""

    constrained: bool = True  # only legal BIOES paths
    labels: Literal["repair", "strict"] = "repair"


class IdentityConfig(Section):
    """[identity]: which experiment this is, whatever it is called. It is not part of the fingerprint."""

    experiment: str = ""  # "": the name
    variant: str = ""  # what sets it apart from others of that experiment, such as another encoder
    tuned: bool = False  # whether its settings come from a search on dev


class Config(Section):
    """A whole configuration."""

    name: FileName = "run"  # names the run's folder
    seed: int = Field(default=1, ge=0, lt=2**32)
    identity: IdentityConfig = IdentityConfig()
    data: DataConfig = DataConfig()
    vision: VisionConfig = VisionConfig()
    context: ContextConfig = ContextConfig()
    model: ModelConfig = ModelConfig()
    loss: LossConfig = LossConfig()
    teachers: TeachersConfig = TeachersConfig()
    training: TrainingConfig = TrainingConfig()
    decode: DecodeConfig = DecodeConfig()

    @model_validator(mode="after")
    def _coding_suits(self) -> Config:
        if self.model.subtoken_labels == "pad" and self.decode.constrained:
            raise ValueError(
                'decode.constrained: model.subtoken_labels = "pad" is decoded without constraints, as published; '
                "set decode.constrained = false"
            )
        return self

    @property
    def outside_code(self) -> tuple[str, ...]:
        """The dotted names of modules that this configuration would import, sorted.

        >>> Config(data=DataConfig(format="their_pkg.format")).outside_code
        ('their_pkg.format',)
        """
        return tuple(sorted({name for name in _plugin_names(self) if "." in name}))

    @property
    def fingerprint(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 of the resolved configuration without ``data.root``.

        The place of the data on a machine is not a setting; their content has fingerprints of its own. Settings of
        ``LATER`` are left out where they have their defaults, so that older records keep their fingerprints.
        """
        settings = self.model_dump(mode="json", exclude={"identity": True, "data": {"root"}})
        for table, name in LATER:
            if getattr(getattr(self, table), name) == type(getattr(self, table)).model_fields[name].get_default(
                call_default_factory=True
            ):
                del settings[table][name]
                if not settings[table]:
                    del settings[table]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def _plugin_names(section: Section) -> Iterator[str]:
    """The values of all fields that are marked with PLUGIN, in this table and the tables in it."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from _plugin_names(value)
        elif isinstance(value, str) and (PLUGIN in field.metadata or PLUGIN in _marks(field.annotation)):
            yield value


def _marks(annotation: Any) -> Iterator[Any]:
    """The marks in the parts of a type such as ``Annotated[str, PLUGIN] | None``."""
    yield from getattr(annotation, "__metadata__", ())
    for part in getattr(annotation, "__args__", ()):
        yield from _marks(part)


LATER: tuple[tuple[str, str], ...] = (
    ("data", "rename"),
    ("data", "train_posts"),
    ("data", "contexts_missing"),
    ("data", "features"),
    ("data", "features_missing"),
    ("data", "tasks"),
    ("vision", "features"),
    ("context", "substitute"),
    ("context", "tags_apart"),
    ("context", "links"),
    ("model", "layers"),
    ("model", "subtoken_labels"),
    ("model", "options"),
    ("teachers", "models"),
    ("teachers", "view"),
    ("teachers", "rename"),
    ("teachers", "weight"),
    ("teachers", "temperature"),
    ("training", "optimizer"),
    ("training", "lr"),
    ("training", "momentum"),
    ("training", "schedule"),
    ("training", "decay"),
    ("training", "decay_every"),
    ("training", "gradient_checkpointing"),
    ("training", "passes"),
)
"""Settings, as table and name, that were added after the first records were written."""

RETIRED: dict[str, dict[str, object]] = {
    "training": {"ema": 0.0, "layer_decay": 1.0},
    "loss": {"teacher": None, "weight_teacher": None},
}
"""Retired settings and their value for off; earlier files that have one of them, off, are read without it."""
