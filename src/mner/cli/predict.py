"""mner predict: posts -> rows of entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mner.cli import engine as engines
from mner.cli import source
from mner.cli.bounded import COUNT, bounded
from mner.cli.output import console, record, say, working
from mner.cli.target import ForceOption, is_file
from mner.overwrite import PREDICTIONS, TASKS, check_file

if TYPE_CHECKING:
    from mner.tagger import Tagger
    from mner.types import Prediction


class Tool(StrEnum):
    """A tool in which people label texts."""

    LABEL_STUDIO = "label-studio"
    DOCCANO = "doccano"
    PRODIGY = "prodigy"


def predict(
    posts: source.PostsArgument = None,
    model: source.ModelOption = None,
    text: source.TextOption = None,
    image: source.ImageOption = None,
    contexts: source.ContextsOption = None,
    images: source.ImagesOption = None,
    allow_outside_images: source.OutsideOption = False,
    format: source.FormatOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File of rows (.jsonl), or a folder for shards, which the same command continues.", show_default=False
        ),
    ] = None,
    to: Annotated[
        Tool | None,
        typer.Option(help="Write tasks that a labelling tool imports instead of rows.", show_default=False),
    ] = None,
    force: ForceOption = False,
    shard_size: Annotated[int, bounded(1, COUNT, help="Posts of one shard.")] = 1000,
    min_score: Annotated[float, bounded(0.0, 1.0, help="Least probability of an entity.")] = 0.0,
    no_images: source.NoImagesOption = False,
    timeout: source.TimeoutOption = None,
    threads: source.ThreadsOption = 0,
    device: source.DeviceOption = "cpu",
    allow_plugins: source.PluginsOption = False,
    as_json: source.JsonOption = False,
    engine: engines.EngineOption = engines.Engine.local,
    workers: engines.WorkersOption = 1,
    gpus: engines.GpusOption = 0.0,
    batch: engines.BatchOption = None,
    address: engines.AddressOption = None,
) -> None:
    """Tag posts, or one text with its picture; rows go to stdout, or into --out.

    A picture that cannot be used never stops a run: its post is tagged by the words alone and its row says why.
    """
    source.check_source(posts, text, image)
    if out is not None and text is not None:
        raise typer.BadParameter("goes with a file of posts", param_hint="--out")
    if to is not None and text is not None:
        raise typer.BadParameter("goes with a file of posts", param_hint="--to")
    hire = engines.hire(engine, workers=workers, gpus=gpus, address=address)
    if hire is not None and out is None:
        raise typer.BadParameter("workers write shards; name their folder", param_hint="--out")
    one_file = out is not None and is_file(out)
    if to is not None and out is not None and not one_file:
        raise typer.BadParameter(
            f"{out}: tasks go into one file; end its name with .json or .jsonl", param_hint="--out"
        )
    if one_file and out is not None:
        if hire is not None:
            raise typer.BadParameter(f"{out}: workers write shards; name a folder", param_hint="--out")
        check_file(out, PREDICTIONS if to is None else TASKS, force=force)
    settings = source.tagger_settings(
        model,
        posts,
        contexts=contexts,
        images=images,
        allow_outside_images=allow_outside_images,
        no_images=no_images,
        timeout=timeout,
        threads=threads,
        device=device,
        allow_plugins=allow_plugins,
    )
    tagger = source.open_tagger(settings)
    if text is not None:
        prediction = tagger(text, image=image, min_score=min_score)
        shown = source.pretty(as_json)  # a reader sees what became of the picture
        _print([prediction], shown)
        if not shown and not no_images:
            source.warn_unread(prediction)
    elif to is not None:
        _tasks(tagger, str(posts), format, out, to, min_score, settings["images"])
    elif out is not None and one_file:
        _file(tagger, str(posts), format, out, min_score, settings["images"])
    elif out is not None:
        options: dict[str, Any] = {"shard_size": shard_size, "min_score": min_score, "force": force}
        if hire is not None:
            from mner.tagger import load

            alone = {**settings, "threads": threads or 1}  # as many workers as cores: one thread each
            options |= {"hire": hire, "reopen": partial(load, **alone)} | ({"batch_size": batch} if batch else {})
        _shards(tagger, str(posts), format, out, options, settings["images"])
    else:
        found = tagger.pipe(source.read_posts(str(posts), format), min_score=min_score)
        _print(_counted(found, settings["images"]), source.pretty(as_json))


def _print(predictions: Iterable[Prediction], pretty: bool) -> None:
    if pretty:
        from mner.show.terminal import sentence, status

        screen = console()
        for one in predictions:
            screen.print(sentence(one), status(one), "", sep="\n", soft_wrap=True)
        return
    from mner.bulk import line

    for one in predictions:
        record(line(one.to_dict()))


def _counted(predictions: Iterable[Prediction], images: Path | None) -> Iterator[Prediction]:
    """The predictions; after the last, what became of the pictures is told on stderr."""
    from mner.bulk import Counts

    counts = Counts()
    for one in predictions:
        counts.add(one)
        yield one
    say(str(counts), err=True)
    source.hint_missing(counts.pictures["missing"], images)


def _file(tagger: Tagger, posts: str, format: str | None, out: Path, min_score: float, images: Path | None) -> None:
    from mner.bulk import predict_file

    with working("tagging") as work:
        counts = predict_file(
            tagger,
            source.read_posts(posts, format),
            out,
            min_score=min_score,
            watch=lambda count: work.show(f"tagging: {count} posts"),
        )
    say(str(counts), err=True)
    source.hint_missing(counts.pictures["missing"], images)
    say(out)


def _tasks(
    tagger: Tagger, posts: str, format: str | None, out: Path | None, to: Tool, min_score: float, images: Path | None
) -> None:
    from mner.bulk import Counts
    from mner.files import writing
    from mner.integrations.labelling import lines

    counts = Counts()
    tasks = lines(tagger, source.read_posts(posts, format), to.value, min_score=min_score, watch=counts.add)
    if out is None:
        for task in tasks:
            record(task)
    else:
        with working("tagging") as work, writing(out) as stream:
            for task in tasks:
                stream.write(f"{task}\n")
                work.show(f"tagging: {counts.posts} posts")
    say(str(counts), err=True)
    source.hint_missing(counts.pictures["missing"], images)
    if out is not None:
        say(out)


def _shards(
    tagger: Tagger, posts: str, format: str | None, out: Path, options: dict[str, Any], images: Path | None
) -> None:
    from mner.bulk import predict_shards

    with working("tagging") as work:
        done = predict_shards(
            tagger,
            source.read_posts(posts, format),
            out,
            **options,
            watch=lambda count: work.show(f"tagging: {count} posts"),
        )
    say(f"{done.counts}; {done.kept} of {len(done.files)} shards were there already", err=True)
    source.hint_missing(done.counts.pictures["missing"], images)
    for file in done.files:
        say(str(file))
