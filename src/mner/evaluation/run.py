"""A finished run -> its scores: dev as often as wanted, test once, on what was frozen."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mner import config as configs
from mner import encoders
from mner.atomic import append, write_json
from mner.errors import DataError, MnerError
from mner.evaluation.outcomes import outcomes
from mner.evaluation.records import check_alike, joined, read_record, seed_folders
from mner.evaluation.scores import evaluate_views
from mner.evaluation.signature import joint
from mner.evaluation.views import decoder_of, found_in_views, split_signature
from mner.runtime import SavedModel, open_model, read_model
from mner.runtime.saved import saved_config
from mner.tags import entity_types
from mner.views import Views
from mner.views.contexts import contexts_of
from mner.views.coverage import check_covered
from mner.views.split import Name, contexts_fingerprint, read_posts, read_split


def evaluate(
    run: Path,
    *,
    final: bool = False,
    dev: str | None = None,
    results: Path = Path("results"),
    allow_plugins: bool = False,
) -> dict[str, Any]:
    """The scores of a run's best model on both views, each with its signature.

    Without ``final`` dev is scored. ``final`` is the only door to a test split: it freezes the run (fingerprints
    of configuration and weights), scores test once, writes the scores into the run's record and a line into
    ``results/test-uses.jsonl``. Asked again, it returns the recorded scores and leaves test closed. Only a record
    from before outcomes of posts were kept is scored, and counted, once more.

    Args:
        run: A run directory that ``mner train`` finished.
        final: Score test instead of dev.
        dev: Other dev posts to score: a file, relative to the folder of the data; never the test split's.
        results: Folder of the committed run records.
        allow_plugins: Run code outside mner that the run's configuration names.

    Raises:
        ValueError: Both ``final`` and ``dev`` are given.
        MnerError: ``dev`` names the test split; the run is unfinished; configuration or weights have changed
            since it was frozen; or ``results`` holds the record of another run that is scored on test.
        ConfigError: The configuration names no such split.
        DataError: A file is missing or faulty, such as the run's record, or too few of the split's pictures have a
            context.
    """
    if final and dev is not None:
        raise ValueError("final scores test; it takes no dev posts")
    record_path = run / "record.json"
    if not record_path.is_file():
        unfinished = any((run / name).exists() for name in ("checkpoint.safetensors", "config.toml"))
        raise MnerError(
            f"{run}: {'an unfinished run; continue it' if unfinished else 'not a run directory; make one'}: "
            "mner train CONFIG"
        )
    record = dict(read_record(record_path))
    saved = read_model(run / "model", allow_plugins=allow_plugins)
    if not final:
        return _score(run, saved, "dev", dev, allow_plugins=allow_plugins)[0]
    committed = _keep_scored(results, record, run)
    _freeze(run, record, saved)
    kept = record.setdefault("outcomes", {})
    if "test" not in record or not kept.get("test"):
        _same_contexts(run, record, allow_plugins=allow_plugins)
        scores, kept["test"] = _score(run, saved, "test", allow_plugins=allow_plugins)
        if not _agree(record.setdefault("test", scores), scores):
            raise MnerError(f"{run}: test scored anew differs from the record; score it on the machine that trained it")
        write_json(record_path, record)
        _count_use(results / "test-uses.jsonl", record)
    if not kept.get("dev"):  # a run from before outcomes were kept
        scores, told = _score(run, saved, "dev", allow_plugins=allow_plugins)
        if _agree(record["dev"], scores):
            kept["dev"] = told
            write_json(record_path, record)
    write_json(committed, record)
    return dict(record["test"])


def _agree(recorded: Mapping[str, Any], scores: Mapping[str, Any]) -> bool:
    return all(recorded[view]["micro"] == one["micro"] for view, one in scores.items())


def evaluate_seeds(
    row: Path,
    *,
    final: bool = False,
    dev: str | None = None,
    results: Path = Path("results"),
    allow_plugins: bool = False,
    watch: Callable[[Path], None] = lambda run: None,
) -> dict[int, dict[str, Any]]:
    """The scores of every run in a row's folder, by seed; with ``final`` each is one use of the test split.

    With ``final`` all runs are frozen before the first one is scored, so that none is scored if one was changed or
    if ``results`` holds the scored record of another run.

    Args:
        row: A folder of run directories, such as runs/twitter15/text.
        final: As for ``evaluate``, like the next two.
        dev: Other dev posts to score.
        results: Folder of the committed run records.
        allow_plugins: Run code outside mner that the runs' configurations name.
        watch: Called with each run before it is scored.

    Raises:
        MnerError: There is no run, one is unfinished, or one has changed since it was frozen; or ``results`` holds
            the record of another run that is scored on test.
        DataError: The runs do not belong together, or they were scored on different posts or in different ways.
    """
    runs = seed_folders(row)
    if not runs:
        raise MnerError(f"{row}: holds no runs (<seed>/record.json); train some: mner train CONFIG --seeds 5")
    unfinished = [str(run) for run in runs if not (run / "record.json").is_file()]
    if unfinished:
        raise MnerError(f"{', '.join(unfinished)}: not finished; continue with mner train, or name one finished run")
    records = [read_record(run / "record.json") for run in runs]
    joined([(run / "record.json", record) for run, record in zip(runs, records, strict=True)])
    if final:
        for run, record in zip(runs, records, strict=True):
            _keep_scored(results, record, run)
        for run, record in zip(runs, records, strict=True):
            _freeze(run, record, read_model(run / "model", allow_plugins=allow_plugins))
    scores = {}
    for run in runs:
        watch(run)
        scores[int(run.name)] = evaluate(run, final=final, dev=dev, results=results, allow_plugins=allow_plugins)
    check_alike(list(zip(runs, scores.values(), strict=True)))
    return scores


def mean_signatures(scores: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """For each view the signature of the mean over several runs' scores."""
    return {
        view: joint(one["signature"], [run[view]["micro"]["f1"] for run in scores]) for view, one in scores[0].items()
    }


def _score(
    run: Path, saved: SavedModel, name: Name, file: str | None = None, *, allow_plugins: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The scores and outcomes of a split; of ``file`` in its place, whose signature then holds the file's name."""
    config = saved_config(run / "config.toml", allow_plugins=allow_plugins)
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
    if file is None:
        check_covered(config, split)
    runtime = open_model(saved)
    found = found_in_views(runtime, split, decoder_of(config, saved.labels, runtime.chain))
    known = entity_types(saved.labels)
    unseen = Counter(span.label for post in split.posts for span in post.spans or () if span.label not in known)
    told: dict[str, Any] = {}
    for view, one in evaluate_views(split.posts, found).items():
        row = one.to_dict()
        told[view] = {**row, "signature": split_signature(config, called, view, row, split.stamp)}
        if unseen:
            told[view]["labels_unseen_in_training"] = dict(unseen)
    counted = {"contexts": dict(split.coverage)} if name == "test" else {}  # of dev the record has them from training
    return told, {**outcomes(split.posts, found, split.stamp), **counted}


def _keep_scored(results: Path, record: Mapping[str, Any], run: Path) -> Path:
    """Where a run's record is committed; a record there that is scored on test, which is done once, is kept.

    Raises:
        MnerError: The record there is scored, and it is another run's.
    """
    path: Path = results / record["data"] / record["row"] / f"{record['seed']}.json"
    if path.exists():
        scored = read_record(path)
        if "test" in scored and scored["model"] != record["model"]:
            raise MnerError(
                f"{path}: scored on test, and it is the record of another run than {run} (model {scored['model']}, "
                f"here {record['model']}); scoring this one would replace that score. Take another --results"
            )
    return path


def _same_contexts(run: Path, record: Mapping[str, Any], *, allow_plugins: bool) -> None:
    """Refuse to score test where the contexts are not those of training any more, as dev's tell."""
    trained = record["splits"]["dev"].get("contexts_fingerprint")
    if trained is None:  # a record of an earlier version
        return
    config = saved_config(run / "config.toml", allow_plugins=allow_plugins)
    root = configs.root_folder(config.data, run)
    own = contexts_of(read_posts(config, root, "dev"), config, root)
    if (now := contexts_fingerprint(own, config)) != trained:
        raise MnerError(
            f"{run}: what the row reads of dev's pictures has changed since training ({trained}, now {now}): "
            f"{', '.join(config.data.contexts) or config.data.images}; bring the contexts back that it was trained on"
        )


def _freeze(run: Path, record: Mapping[str, Any], saved: SavedModel) -> None:
    """Freeze a run, or check that it is still what was frozen."""
    config = saved_config(run / "config.toml", allow_plugins=True)  # nothing that it names is imported here
    now = {"config": config.fingerprint, "model": saved.fingerprint}
    path = run / "frozen.json"
    frozen = _frozen(path) if path.is_file() else None
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


def _frozen(path: Path) -> Mapping[str, str]:
    """The fingerprints of configuration and weights that a run was frozen with.

    Raises:
        DataError: The file is damaged.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {part: str(told[part]) for part in ("config", "model")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise DataError(
            f"{path}: damaged ({why}); delete it, and the run is frozen again if it is still as its record tells"
        ) from None


def _count_use(path: Path, record: Mapping[str, Any]) -> None:
    use = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "run": f"{record['data']}/{record['row']}/{record['seed']}",
        "config": record["config_fingerprint"],
        "model": record["model"],
        "f1": {view: scores["micro"]["f1"] for view, scores in record["test"].items()},
    }
    append(path, json.dumps(use, ensure_ascii=False) + "\n")
