"""A finished run -> its scores: dev as often as wanted, test once, on what was frozen."""

from __future__ import annotations

import datetime
import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mner import config as configs
from mner import encoders
from mner.atomic import write_json
from mner.errors import MnerError
from mner.evaluation.views import decoder_of, score_views, split_signature
from mner.runtime import SavedModel, open_model, read_model
from mner.tags import entity_types
from mner.views import Views
from mner.views.split import Name, read_split


def evaluate(
    run: Path, *, final: bool = False, dev: str | None = None, results: Path = Path("results")
) -> dict[str, Any]:
    """The scores of a run's best model on both views, each with its signature.

    Without ``final`` dev is scored. ``final`` is the only door to a test split: it freezes the run (fingerprints
    of configuration and weights), scores test once, writes the scores into the run's record and a line into
    ``results/test-uses.jsonl``. Asked again, it returns the recorded scores and leaves test closed.

    Args:
        run: A run directory that ``mner train`` finished.
        final: Score test instead of dev.
        dev: Other dev posts to score: a file, relative to the folder of the data; never the test split's.
        results: Folder of the committed run records.

    Raises:
        ValueError: Both ``final`` and ``dev`` are given.
        MnerError: ``dev`` names the test split; the run is unfinished; or configuration or weights have changed
            since it was frozen.
        ConfigError: The configuration names no such split.
    """
    if final and dev is not None:
        raise ValueError("final scores test; it takes no dev posts")
    record_path = run / "record.json"
    if not record_path.is_file():
        unfinished = (run / "checkpoint.safetensors").exists()
        raise MnerError(
            f"{run}: {'an unfinished run; continue it' if unfinished else 'not a run directory; make one'}: "
            "mner train CONFIG"
        )
    record = json.loads(record_path.read_text(encoding="utf-8"))
    saved = read_model(run / "model")
    if not final:
        return _score(run, saved, "dev", dev)
    _freeze(run, record, saved)
    if "test" not in record:
        record["test"] = _score(run, saved, "test")
        write_json(record_path, record)
        _count_use(results / "test-uses.jsonl", record)
    write_json(results / record["data"] / record["row"] / f"{record['seed']}.json", record)
    return dict(record["test"])


def _score(run: Path, saved: SavedModel, name: Name, file: str | None = None) -> dict[str, Any]:
    """The scores of a split; of ``file`` in its place, whose signature then holds the file's name."""
    config = configs.load(run / "config.toml")
    root = configs.root_folder(config.data, run)
    called: str = name
    if file is not None:
        if any((root / file).resolve() == (root / told).resolve() for told in config.data.files("test")):
            raise MnerError(f"{file}: the run's test split; only --final scores it")
        config = config.model_copy(update={"data": config.data.model_copy(update={"dev": file})})
        called = "/".join(Path(file).parts[-2:])
    files = encoders.of_model(saved.folder, saved.manifest["encoder"])
    views = Views(files, config.context, subtoken_labels=config.model.subtoken_labels)
    split = read_split(config, root, name, views)
    runtime = open_model(saved)
    scores = score_views(runtime, split, decoder_of(config, saved.labels, runtime.chain))
    known = entity_types(saved.labels)
    unseen = Counter(span.label for post in split.posts for span in post.spans or () if span.label not in known)
    told: dict[str, Any] = {}
    for view, one in scores.items():
        row = one.to_dict()
        told[view] = {**row, "signature": split_signature(config, called, view, row, split.stamp)}
        if unseen:
            told[view]["labels_unseen_in_training"] = dict(unseen)
    return told


def _freeze(run: Path, record: Mapping[str, Any], saved: SavedModel) -> None:
    """Freeze a run, or check that it is still what was frozen."""
    config = configs.load(run / "config.toml")
    now = {"config": config.fingerprint, "model": saved.fingerprint}
    path = run / "frozen.json"
    frozen = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    trained = {"config": record["config_fingerprint"], "model": record["model"]}
    for when, then in (("training ended", trained), ("the run was frozen", frozen)):
        changed = [part for part in now if then is not None and then[part] != now[part]]
        if changed:
            raise MnerError(
                f"{run}: {' and '.join(changed)} changed since {when}; test is scored on a frozen run only. "
                "Train anew under another name, and choose on dev"
            )
    if frozen is None:
        write_json(path, now)


def _count_use(path: Path, record: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    use = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "run": f"{record['data']}/{record['row']}/{record['seed']}",
        "config": record["config_fingerprint"],
        "model": record["model"],
        "f1": {view: scores["micro"]["f1"] for view, scores in record["test"].items()},
    }
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(use, ensure_ascii=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
