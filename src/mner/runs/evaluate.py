"""A finished run -> its scores: dev as often as wanted, test once, on what was frozen."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mner import config as configs
from mner.errors import DataError, MnerError
from mner.evaluation.signature import Signature
from mner.files import append, write_json
from mner.runs.experiments import joined, seed_folders
from mner.runs.posts import Evaluation, refuse_test, score_split, views_of
from mner.runs.record import RunRecord, ViewScores, read_record
from mner.runtime import SavedModel, read_model
from mner.runtime.calibration import trained_fingerprint
from mner.runtime.saved import saved_config
from mner.tagger.features import check_trained
from mner.tagger.opening import READY_NAME
from mner.types import ViewName
from mner.views.coverage import check_covered
from mner.views.split import Name, read_fingerprint, read_posts, read_split


def evaluate(
    run: Path,
    *,
    final: bool = False,
    dev: str | None = None,
    results: Path = Path("results"),
    allow_plugins: bool = False,
) -> Evaluation:
    """The scores of a run's best model on both views, each with its signature.

    Without ``final`` dev is scored. ``final`` is the only door to a test split: it freezes the run (fingerprints
    of configuration and weights), scores test once, writes a line into ``results/test-uses.jsonl`` and then the
    scores into the run's record. A second call returns the recorded scores and leaves test closed, and so does
    the first of a run that was trained again, bit for bit, if ``results`` holds its scores. Only a record from before
    outcomes of posts were kept, and one that could not be written, is scored, and counted, once more.

    Args:
        run: A run directory that ``mner train`` finished.
        final: Score test instead of dev.
        dev: Other dev posts to score: a file, relative to the folder of the data; never the test split's.
        results: Folder of the committed run records.
        allow_plugins: Run code outside mner that the run's configuration names.

    Raises:
        ValueError: Both ``final`` and ``dev`` are given.
        MnerError: ``dev`` holds the posts of the test split; the run is unfinished; configuration or weights have
            changed since it was frozen; or ``results`` holds the record of another run that is scored on test.
        ModelError: The features come from another extractor than those of training.
        ConfigError: The configuration names no such split.
        DataError: A file is missing or faulty, such as the run's record, or too few of the split's pictures have a
            context.

    >>> for view, signature in evaluate(Path("runs/mine/ita/1")).signatures.items():  # doctest: +SKIP
    ...     print(signature)
    """
    if final and dev is not None:
        raise ValueError("final scores test; it takes no dev posts")
    record_path = run / "record.json"
    if not record_path.is_file():
        if (run / "model.json").is_file() or (str(run) == READY_NAME and not run.exists()):
            raise MnerError(f"{run}: a saved model, not a run; name the posts to score: mner evaluate {run} POSTS")
        if below := sorted(run.glob("*/*/record.json")):
            raise MnerError(f"{run}: not a run directory; runs are below it: mner evaluate {below[0].parents[1]}")
        if run.is_file():
            raise MnerError(f"{run}: a file, not a run; predictions need their posts: mner evaluate {run} POSTS")
        unfinished = any((run / name).exists() for name in ("checkpoint.safetensors", "config.toml"))
        raise MnerError(
            f"{run}: {'an unfinished run; continue it' if unfinished else 'not a run directory; make one'}: "
            "mner train CONFIG"
        )
    record = read_record(record_path)
    saved = read_model(run / "model", allow_plugins=allow_plugins)
    if not final:
        return _score(run, saved, "dev", dev, allow_plugins=allow_plugins)
    committed = _keep_scored(results, record, run)
    _freeze(run, record, saved)
    if record.test is None and committed.exists():
        record = _scored_before(record, read_record(committed))
    if record.test is None or not record.outcomes.get("test"):
        _same_contexts(run, saved, record, allow_plugins=allow_plugins)
        scored = _score(run, saved, "test", allow_plugins=allow_plugins)
        if record.test is not None and not _agree(record.test, scored):
            raise MnerError(
                f"{run}: scoring test again gives other scores than the record; score it on the machine that trained it"
            )
        record = record.with_test(scored.scores, scored.outcomes)
        _count_use(results / "test-uses.jsonl", record)  # first: a use may be counted twice, but never not at all
        record.write(record_path)
    if not record.outcomes.get("dev"):  # a run from before outcomes were kept
        scored = _score(run, saved, "dev", allow_plugins=allow_plugins)
        if _agree(record.dev, scored):
            record = record.with_outcomes("dev", scored.outcomes)
            record.write(record_path)
    record.write(record_path)
    record.write(committed)
    views = record.test or {}
    return Evaluation(views, {view: record.signature("test", view) for view in views}, record.outcomes["test"])


def _agree(recorded: Mapping[ViewName, ViewScores], scored: Evaluation) -> bool:
    return all(recorded[view].micro == scores.micro for view, scores in scored.scores.items())


def evaluate_seeds(
    folder: Path,
    *,
    final: bool = False,
    dev: str | None = None,
    results: Path = Path("results"),
    allow_plugins: bool = False,
    watch: Callable[[Path], None] = lambda run: None,
) -> dict[int, Evaluation]:
    """The scores of every run in an experiment's folder, by seed; with ``final`` each is one use of the test split.

    With ``final`` all runs are frozen before the first one is scored, so that none is scored if one was changed or
    if ``results`` holds the scored record of another run.

    Args:
        folder: A folder of run directories, such as runs/mine/text.
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
    runs = seed_folders(folder)
    if not runs:
        raise MnerError(f"{folder}: holds no runs (<seed>/record.json); train them: mner train CONFIG --seeds 5")
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
    _check_alike(runs, list(scores.values()))
    return scores


def _check_alike(runs: Sequence[Path], scored: Sequence[Evaluation]) -> None:
    """Refuse seeds whose scores cannot be averaged, such as those of a file that changed in between."""
    for run, each in zip(runs[1:], scored[1:], strict=True):
        for view, signature in scored[0].signatures.items():
            if changed := signature.differences(each.signatures[view]):
                raise DataError(
                    f"{runs[0]} and {run}: seeds of one experiment were scored differently: {'; '.join(changed)}. "
                    "They cannot be averaged; compare them separately"
                )


def mean_signatures(scored: Sequence[Evaluation]) -> dict[ViewName, Signature]:
    """For each view the signature of the mean over several runs' scores."""
    return {
        view: signature.over([run.scores[view].micro.f1 for run in scored])
        for view, signature in scored[0].signatures.items()
    }


def _score(
    run: Path, saved: SavedModel, name: Name, file: str | None = None, *, allow_plugins: bool = False
) -> Evaluation:
    """The scores and outcomes of a split; of ``file`` in its place, whose signature then holds the file's name."""
    config = saved_config(run / "config.toml", allow_plugins=allow_plugins)
    root = configs.root_folder(config.data, run)
    called: str = name
    if file is not None:
        config = config.model_copy(update={"data": config.data.model_copy(update={"dev": file})})
        refuse_test(root / file, read_posts(config, root, "dev"), config, root)
        called = "/".join(Path(file).parts[-2:])
    split = read_split(config, root, name, views_of(saved, config), saved.needs)
    if split.features:
        check_trained(split.features, saved.features, f"{config.data.features}")
    if file is None and saved.needs.context:
        check_covered(config, split)
    scored = score_split(saved, config, split, called)
    if name == "dev":  # the record has the counts of its contexts from training
        return scored
    return replace(scored, outcomes={**scored.outcomes, "contexts": dict(split.coverage)})


def _keep_scored(results: Path, record: RunRecord, run: Path) -> Path:
    """Where a run's record is committed; a record there that is scored on test, which is done once, is kept.

    Raises:
        MnerError: The record there is scored, and it is another run's.
    """
    path = results / record.data / record.name / f"{record.seed}.json"
    if path.exists():
        scored = read_record(path)
        if scored.test is not None and scored.model != record.model:
            raise MnerError(
                f"{path}: scored on test, and it is the record of another run than {run} (model {scored.model}, "
                f"here {record.model}); scoring this one would replace that score. Name another --results"
            )
    return path


def _scored_before(record: RunRecord, committed: RunRecord) -> RunRecord:
    """The record with the test scores of the committed one, if it has any; both are of the same model, bit for bit."""
    if committed.test is None:
        return record
    return record.with_test(committed.test, committed.outcomes.get("test", {}))


def _same_contexts(run: Path, saved: SavedModel, record: RunRecord, *, allow_plugins: bool) -> None:
    """Refuse to score test where the contexts are no longer those of training, judged by dev's."""
    trained = record.splits["dev"].contexts_fingerprint
    if trained is None:  # a record of an earlier version
        return
    config = saved_config(run / "config.toml", allow_plugins=allow_plugins)
    root = configs.root_folder(config.data, run)
    if (now := read_fingerprint(read_posts(config, root, "dev"), config, root, saved.needs)) != trained:
        raise MnerError(
            f"{run}: what the model reads of dev's pictures has changed since training ({trained}, now {now}): "
            f"{', '.join(config.data.contexts) or config.data.images}; restore the contexts that it was trained on"
        )


def _freeze(run: Path, record: RunRecord, saved: SavedModel) -> None:
    """Freeze a run, or check that it is still what was frozen."""
    config = saved_config(run / "config.toml", allow_plugins=True)  # nothing that it names is imported here
    now = {"config": config.fingerprint, "model": trained_fingerprint(saved)}
    path = run / "frozen.json"
    frozen = _frozen(path) if path.is_file() else None
    trained = {"config": record.config_fingerprint, "model": record.model}
    for when, then in (("training ended", trained), ("the run was frozen", frozen)):
        changed = [part for part in now if then is not None and then[part] != now[part]]
        if changed:
            raise MnerError(
                f"{run}: {' and '.join(changed)} changed since {when}; test is scored on a frozen run only. "
                "Train it again under another name, and choose on dev"
            )
    if frozen is None:
        write_json(path, now)


def _frozen(path: Path) -> Mapping[str, str]:
    """The fingerprints of configuration and weights that a run was frozen with.

    Raises:
        DataError: The file is damaged.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return {part: str(table[part]) for part in ("config", "model")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise DataError(
            f"{path}: damaged ({why}); delete it, and the run is frozen again if it still matches its record"
        ) from None


def _count_use(path: Path, record: RunRecord) -> None:
    use = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "run": str(record.id._replace(model="")),
        "config": record.config_fingerprint,
        "model": record.model,
        "f1": {view: scores.micro.f1 for view, scores in (record.test or {}).items()},
    }
    append(path, json.dumps(use, ensure_ascii=False) + "\n")
