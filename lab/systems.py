"""Train every system on the packaged sample and say what its picture pathway gains there.

In a marked third of the sample's posts the words fit every type and the picture decides. Features are random
projections of the pixels, tags what the embedded detector sees. OCSGA also reads what each marked picture was drawn as,
since the detector sees an object in few of them. Each model is scored on the test posts in three ways: with their
pictures, in the T view, and with zeros in the place of every picture (OCSGA: without tags). It is a check that pictures
reach the labels, and no reproduction.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mner
from mner import config as configs
from mner import data, encoders, models
from mner.config import Config, VisionConfig
from mner.contexts.artefact import write_contexts
from mner.data.listing import pictures
from mner.evaluation import score
from mner.evaluation.views import decoder_of, scored_in_views, spans_of
from mner.files import write_json
from mner.machine import machine
from mner.runtime import open_model, read_model
from mner.training.run import train
from mner.types import Span, Tag, VisualContext
from mner.views import Views
from mner.views.split import ViewSplit, read_split
from mner.vision.extract import Extractor
from mner.vision.features import build
from tools.sample_marked import marked

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "configs"
SYSTEMS = ("umt", "umgf", "ocsga", "rpbert", "rpbert-without-rp", "riva", "vinvl", "bert-vinvl", "imgfeat")
SLOW = {"ocsga": 5, "riva": 5, "rpbert": 3, "rpbert-without-rp": 3, "umgf": 3}
"""Times as many epochs for systems that start much of what they learn afresh: all but word vectors, or deep layers."""

WIDTH = 64
"""Numbers of a projected cell."""

TRAINING = {
    "optimizer": "adamw",
    "schedule": "linear",
    "encoder_lr": 3e-4,
    "crf_lr": 0.05,
    "feature_lr": 1e-3,
    "posts_per_step": 8,
    "weight_decay": 0.0,
    "warmup": 0.1,
    "patience": 0,
}
"""For all alike, since published rates are those of thousands of posts."""

RATES = {
    "umgf": {"feature_lr": 1e-4},
    "rpbert": {"encoder_lr": 1e-4},
    "rpbert-without-rp": {"encoder_lr": 1e-4},
    "riva": {"feature_lr": 3e-3},
}
"""Rates of rows that do better by them on dev. At 1e-3 the ReLU layers that UMGF reads objects by die out: then each
picture is the same to it. At 3e-4 RpBERT's gate does not learn whether a picture adds to its text. RIVA's
own layers, which start afresh, learn less at 1e-3 than at 3e-3, the other rate that was tried."""


@dataclass(frozen=True, slots=True)
class Gain:
    """F1 of one model on the test posts of the sample that are marked.

    Attributes:
        system: Name of its row.
        epochs: Of its training.
        posts: Marked test posts.
        seen: In the I+T view.
        unseen: In the T view.
        zeros: In the I+T view, every picture zeros.
        whole: On all test posts, in the I+T view.
        seconds: Of wall-clock time, training and scoring.
        machine: That it was trained on.
    """

    system: str
    epochs: int
    posts: int
    seen: float
    unseen: float
    zeros: float
    whole: float
    seconds: float
    machine: Mapping[str, Any]


def main(argv: Sequence[str] | None = None) -> int:
    """0 when all systems were trained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("systems", nargs="*", help="rows to train, the others staying as they are; all by default")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("systems.json"))
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--encoder", default="embedded:minilm", help="name or folder")
    options = parser.parse_args(argv)
    if unknown := set(options.systems) - set(SYSTEMS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(SYSTEMS)}")
    head = {
        "format": 1,
        "about": " ".join((__doc__ or "").split()),
        "mner": mner.__version__,
        "encoder": Path(options.encoder).name,
        "epochs": options.epochs,
        "seed": options.seed,
    }
    try:
        gains = earlier(options.out, head) if options.systems else {}
    except ValueError as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        materials(folder)
        for row in options.systems or SYSTEMS:
            gain = measured(row, folder, epochs=options.epochs, seed=options.seed, encoder=options.encoder)
            print(line(gain), file=sys.stderr, flush=True)
            gains[row] = gain
    ordered = [gains[row] for row in SYSTEMS if row in gains]
    write_json(options.out, {**head, "systems": [asdict(gain) for gain in ordered]})
    print(table(ordered))
    return 0


def earlier(record: Path, head: Mapping[str, Any]) -> dict[str, Gain]:
    """The rows of a record, which stay beside those that are trained again.

    Raises:
        ValueError: They were trained by another version or with other settings.
    """
    if not record.is_file():
        return {}
    before = json.loads(record.read_text(encoding="utf-8"))
    if other := [key for key, value in head.items() if key != "about" and before[key] != value]:
        raise ValueError(f"{record}: its rows have another {' and '.join(other)}; name no rows, to train all again")
    return {each["system"]: Gain(**each) for each in before["systems"]}


def materials(folder: Path) -> None:
    """Features in all three forms, tags, relation pairs and unlabelled posts, made of the packaged sample."""
    sample = configs.root_folder(configs.load(CONFIGS / "sample.toml").data, CONFIGS)
    for gives in ("grid", "regions", "crops"):
        shape = {"gives": gives, "width": WIDTH, **({"cells": 2} if gives == "crops" else {})}
        build(pictures(sample / "images"), folder / gives, extractor="projection", options=shape)
    seen = Extractor(VisionConfig(captioner="", ocr="")).stream(
        (path.name, path) for path in sorted((sample / "images").iterdir())
    )
    write_contexts(seen, folder / "tags.jsonl")
    write_contexts(labels(sample), folder / "labels.jsonl")
    posts = [post for post in data.read(sample / "train.jsonl") if post.image is not None]
    pairs = [{"text": post.text, "image": post.image, "image_adds": bool(post.extra.get("marked"))} for post in posts]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")


def labels(sample: Path) -> Iterator[VisualContext]:
    """What each marked picture shows ("ticket", "jersey"), in the words of the program that drew it."""
    for split in ("train", "dev", "test"):
        shown = {post.text: post.picture[0] for post in marked(split)}
        for line in (sample / f"{split}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["marked"]:
                text, (start, end, kind) = row["text"], row["entities"][0].values()
                layout = shown[f"{text[:start]}[{text[start:end]}|{kind}]{text[end:]}"]
                yield VisualContext(row["image"], tags=(Tag(layout),))


def config_of(row: str, folder: Path, *, epochs: int, seed: int, encoder: str, zeros: bool = False) -> Config:
    """The configuration of a row on the sample; with ``zeros`` one that puts zeros in the place of pictures."""
    plain = configs.load(CONFIGS / "rows" / f"{row}.toml", base=CONFIGS / "sample.toml")
    own: dict[str, Any] = dict(plain.model.options)
    looks = row != "ocsga"
    if looks:
        own["width"] = WIDTH
    if "vinvl" in row:
        own["start"] = "random"
    if row == "bert-vinvl":
        own["vinvl"] = ""
    pairs = str(folder / "pairs.jsonl")
    forms = {"umgf": "crops", "vinvl": "regions", "bert-vinvl": "regions"}
    words = {"ocsga": ("tags", "labels"), "vinvl": ("tags",), "bert-vinvl": ("tags",)}
    features = {"features_missing": "zero"} if zeros else {"features": str(folder / forms.get(row, "grid"))}
    table = plain.model_dump()
    table["name"] = row
    table["seed"] = seed
    table["data"] |= {
        "contexts": [str(folder / f"{name}.jsonl") for name in words.get(row, ())],
        "contexts_missing": 1.0,
        "tasks": {"relation": pairs, "unlabelled": pairs},
        **(features if looks else {}),
    }
    table["vision"]["features"] = ""
    table["context"]["substitute"] = "empty" if zeros and not looks else "none"
    table["model"] |= {"options": own, "encoder": encoder}
    table["training"] |= {**TRAINING, **RATES.get(row, {}), "epochs": epochs * SLOW.get(row, 1), "lr": {}}
    return configs.check(table)


def measured(row: str, folder: Path, *, epochs: int, seed: int, encoder: str) -> Gain:
    """Train a system and score it on the sample's test posts."""
    begun = time.perf_counter()
    own, zeros = (
        config_of(row, folder, epochs=epochs, seed=seed, encoder=encoder, zeros=blind) for blind in (False, True)
    )
    root = configs.root_folder(own.data, CONFIGS)
    saved = read_model(train(own, root=root, out=folder / "runs") / "model")
    runtime = open_model(saved)
    decoder = decoder_of(saved.config, saved.labels, runtime.chain)
    views = Views.of(encoders.of_model(saved.folder, saved.manifest["encoder"]), saved.config)
    split, blind_split = (read_split(each, root, "test", views, models.needs(each)) for each in (own, zeros))
    spans, blind_spans = (spans_of(scored_in_views(runtime, each, decoder)) for each in (split, blind_split))
    return Gain(
        system=row,
        epochs=own.training.epochs,
        posts=sum(bool(post.extra.get("marked")) for post in split.posts),
        seen=f1(split, spans["I+T"], marked=True),
        unseen=f1(split, spans["T"], marked=True),
        zeros=f1(split, blind_spans["I+T"], marked=True),
        whole=f1(split, spans["I+T"], marked=False),
        seconds=round(time.perf_counter() - begun, 1),
        machine=machine(),
    )


def f1(split: ViewSplit, spans: Sequence[Sequence[Span]], *, marked: bool) -> float:
    """Micro F1 in percent, of all posts of a split or of the marked ones."""
    chosen = [at for at, post in enumerate(split.posts) if post.extra.get("marked") or not marked]
    gold = [list(split.posts[at].spans or ()) for at in chosen]
    return round(score(gold, [list(spans[at]) for at in chosen]).micro.f1, 2)


def line(gain: Gain) -> str:
    """A system's scores and gains, in a line."""
    return (
        f"{gain.system:<18}{gain.seen:>8.1f}{gain.unseen:>8.1f}{gain.zeros:>8.1f}{gain.seen - gain.unseen:>+9.1f}"
        f"{gain.seen - gain.zeros:>+9.1f}{gain.whole:>8.1f}{gain.seconds:>9.0f}"
    )


def table(gains: Sequence[Gain]) -> str:
    """All systems, one a line."""
    head = f"{'system':<18}{'I+T':>8}{'T':>8}{'zeros':>8}{'over T':>9}{'over 0':>9}{'all':>8}{'seconds':>9}"
    return "\n".join(["F1 on the marked test posts of the sample; all: on every test post", head, *map(line, gains)])


if __name__ == "__main__":
    raise SystemExit(main())
