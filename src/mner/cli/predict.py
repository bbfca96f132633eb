"""mner predict: posts -> records of entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mner.cli import options, source
from mner.cli.output import console, record, say, working
from mner.overwrite import PREDICTIONS, TASKS, check_file

if TYPE_CHECKING:
    from mner.bulk import Counts
    from mner.tagger import Tagger
    from mner.types import Post, Prediction

Tool = Literal["label-studio", "doccano", "prodigy"]


def predict(
    posts: options.PostsArgument = None,
    model: options.ModelOption = None,
    text: options.TextOption = None,
    image: options.ImageOption = None,
    contexts: options.ContextsOption = None,
    features: options.FeaturesOption = None,
    images: options.ImagesOption = None,
    allow_outside_images: options.OutsideOption = False,
    format: options.FormatOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File of records (.jsonl), or a folder for shards, which the same command continues.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        Tool | None,
        typer.Option(help="Write tasks for this labelling tool instead of records.", show_default=False),
    ] = None,
    force: options.ForceOption = False,
    shard_size: Annotated[
        int | None, options.bounded(1, options.COUNT, help="Posts of one shard.", show_default="1000")
    ] = None,
    min_score: options.MinScoreOption = 0.0,
    raw_scores: options.RawScoresOption = False,
    no_images: options.NoImagesOption = False,
    timeout: options.TimeoutOption = None,
    max_pictures: options.MaxPicturesOption = 16,
    grounding: options.GroundingOption = "on",
    threads: options.ThreadsOption = 0,
    device: options.DeviceOption = "cpu",
    allow_plugins: options.PluginsOption = False,
    as_json: options.JsonRecordsOption = False,
    engine: options.EngineOption = "local",
    workers: options.WorkersOption = 1,
    gpus: options.GpusOption = 0.0,
    batch: options.BatchOption = None,
    address: options.AddressOption = None,
) -> None:
    """Tag posts, or one text with its picture; records go to stdout, or into --out.

    A picture that cannot be used never stops a run: its post is tagged by the words alone and its record says why.
    """
    source.check_source(posts, text, image, format)
    if out is not None and text is not None:
        raise typer.BadParameter("goes with a file of posts", param_hint="--out")
    if to is not None and text is not None:
        raise typer.BadParameter("goes with a file of posts", param_hint="--to")
    if force and out is None:
        raise typer.BadParameter("goes with --out", param_hint="--force")
    hire = options.hire(engine, workers=workers, gpus=gpus, address=address)
    one_file = out is not None and options.is_file(out)
    if hire is not None and (out is None or one_file):
        place = "" if out is None else f"{out}: "
        raise typer.BadParameter(f"{place}workers write shards; name a folder", param_hint="--out")
    if batch is not None and hire is None:
        raise typer.BadParameter("goes with --workers of 2 or more, or --engine ray", param_hint="--batch")
    if shard_size is not None and (out is None or one_file):
        raise typer.BadParameter("goes with a folder: --out FOLDER", param_hint="--shard-size")
    if to is not None and out is not None and not one_file:
        raise typer.BadParameter(
            f"{out}: tasks go into one file; end its name with .json or .jsonl", param_hint="--out"
        )
    if out is not None and one_file:
        check_file(out, PREDICTIONS if to is None else TASKS, force=force)
    settings: dict[str, Any] = {
        "threads": threads,
        "device": device,
        "allow_plugins": allow_plugins,
        "use_images": not no_images,
        "images": source.picture_folder(images, posts),
        "allow_outside_images": allow_outside_images,
        "contexts": contexts or None,
        "features": features,
        "timeout": timeout,
        "max_pictures": max_pictures,
        "grounding": source.grounding_settings(grounding),
        "raw_scores": raw_scores,
    }
    if min_score == "calibrated":  # the tagger's own, so that a model without thresholds is refused before any work
        settings["min_score"], min_score = min_score, 0.0
    tagger = source.open_tagger(model, **settings)
    if text is not None:
        prediction = tagger(text, image=image, min_score=min_score)
        shown = source.pretty(as_json)  # which shows what became of the picture
        _print([prediction], shown)
        if not shown and not no_images:
            source.warn_unread(prediction)
        return
    tagged = source.read_posts(str(posts), format)
    if to is not None:
        _summarize(_tasks(tagger, tagged, out, to, min_score), settings["images"])
        if out is not None:
            say(out)
        return
    if out is None:
        predictions = tagger.pipe(tagged, min_score=min_score)
        _print(_counted(predictions, settings["images"]), source.pretty(as_json))
        return
    from mner.bulk import SHARD_SIZE, predict_file, predict_shards

    with working("tagging") as work:

        def watch(count: int) -> None:
            work.show(f"tagging: {count} posts")

        if one_file:
            counts = predict_file(tagger, tagged, out, min_score=min_score, watch=watch)
            files, note = [out], ""
        else:
            workers_settings: dict[str, Any] = {}
            if hire is not None:
                from mner.tagger import load

                backend, _, precision = tagger.settings["runtime"].partition(" ")  # as here, on any processor
                alike = {"backend": backend, "precision": precision or "auto"}
                reopen = partial(
                    load, model, **{**settings, **alike, "threads": threads or 1}
                )  # a worker for each core
                workers_settings = {"hire": hire, "reopen": reopen} | ({"batch_size": batch} if batch else {})
            done = predict_shards(
                tagger,
                tagged,
                out,
                shard_size=shard_size or SHARD_SIZE,
                min_score=min_score,
                force=force,
                watch=watch,
                **workers_settings,
            )
            counts, files = done.counts, list(done.files)
            note = f"; {done.before} of {len(files)} shards were there already"
    _summarize(counts, settings["images"], note)
    for file in files:
        say(file)


def _print(predictions: Iterable[Prediction], pretty: bool) -> None:
    if pretty:
        from mner.show.terminal import sentence, status

        screen = console()
        for prediction in predictions:
            screen.print(sentence(prediction), status(prediction), "", sep="\n", soft_wrap=True)
        return
    from mner.bulk import line

    for prediction in predictions:
        record(line(prediction.to_dict()))


def _counted(predictions: Iterable[Prediction], images: Path | None) -> Iterator[Prediction]:
    """The predictions; after the last, stderr says what became of the pictures."""
    from mner.bulk import Counts

    counts = Counts()
    for prediction in predictions:
        counts.add(prediction)
        yield prediction
    _summarize(counts, images)


def _tasks(tagger: Tagger, posts: Iterable[Post], out: Path | None, to: Tool, min_score: float) -> Counts:
    from mner.bulk import Counts
    from mner.files import writing
    from mner.integrations.labelling import lines

    counts = Counts()
    tasks = lines(tagger, posts, to, min_score=min_score, watch=counts.add)
    if out is None:
        for task in tasks:
            record(task)
        return counts
    with working("tagging") as work, writing(out) as stream:
        for task in tasks:
            stream.write(f"{task}\n")
            work.show(f"tagging: {counts.posts} posts")
    return counts


def _summarize(counts: Counts, images: Path | None, note: str = "") -> None:
    say(f"{counts}{note}", err=True)
    source.hint_missing(counts.pictures["missing"], images)
