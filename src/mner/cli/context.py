"""mner context: read pictures into visual contexts, and show what was read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from mner.cli import options
from mner.cli.artefact import contexts_of
from mner.cli.options import COUNT, RECORDS, JsonOption, bounded
from mner.cli.output import say
from mner.cli.source import read_pictures
from mner.overwrite import CONTEXTS, check_file
from mner.safe_text import for_terminal
from mner.types import VisualContext

VisionConfigOption = Annotated[Path | None, typer.Option(help="Configuration whose vision table names the backends.")]


def build(
    source: options.PicturesArgument,
    out: Annotated[
        Path,
        typer.Option(
            help="File of contexts to write, or, with --shard-size, the folder of its shards; a name that ends in "
            ".parquet makes either Parquet."
        ),
    ],
    images: options.PictureFolderOption = None,
    allow_outside_images: options.OutsideOption = False,
    config: VisionConfigOption = None,
    detector: Annotated[str | None, typer.Option(help='Detector; "" for none.')] = None,
    captioner: Annotated[str | None, typer.Option(help='Captioner; "" for none.')] = None,
    ocr: Annotated[
        str | None, typer.Option(help='OCR engine: rapid, tesseract, paddle, hub, endpoint, "" for none.')
    ] = None,
    workers: options.WorkersOption = 1,
    store: Annotated[
        Path | None, typer.Option(help="File that keeps what was read; by default one in the user's cache.")
    ] = None,
    shard_size: Annotated[
        int | None,
        bounded(0, COUNT, help="Pictures of one shard; 0: one file. By default 1000 with Ray.", show_default=False),
    ] = None,
    engine: options.EngineOption = "local",
    gpus: options.GpusOption = 0.0,
    batch: options.BatchOption = None,
    address: options.AddressOption = None,
    force: options.ForceOption = False,
) -> None:
    """Read pictures into a file of visual contexts; what was read before is not read again."""
    from mner import config as configs
    from mner.vision.build import build as write

    chosen = configs.load(config).vision if config is not None else configs.VisionConfig()
    named = {"detector": detector, "captioner": captioner, "ocr": ocr}
    chosen = chosen.model_copy(update={kind: name for kind, name in named.items() if name is not None})
    if shard_size is None:
        shard_size = 1000 if engine == "ray" and out.suffix.lower() not in RECORDS else 0
    if not shard_size:
        options.check_suffix(out, ".jsonl", ".parquet", hint="--out")
        check_file(out, CONTEXTS, force=force)
    elif out.suffix.lower() in RECORDS and not out.is_dir():
        raise typer.BadParameter(f"{out}: shards go into a folder; name one", param_hint="--out")
    usage: dict[str, float] = {}
    read_pictures(
        source,
        images,
        allow_outside_images,
        lambda pictures, watch: write(
            pictures,
            out,
            config=chosen,
            store=store,
            hire=options.hire(engine, workers=workers, gpus=gpus, address=address),
            batch_size=batch,
            shard_size=shard_size,
            force=force,
            watch=watch,
            spent=usage.update,
        ),
    )
    if usage:
        say(_spent(usage), err=True)
    say(out)


def _spent(usage: Mapping[str, float]) -> str:
    """What an endpoint was asked, in one line."""
    return (
        "endpoint: {pictures:,.0f} pictures in {calls:,.0f} calls, {prompt_tokens:,.0f} prompt and "
        "{completion_tokens:,.0f} completion tokens, {seconds:.1f} s of waiting, {failures:,.0f} failed"
    ).format_map(usage)


def show(
    source: Annotated[Path, typer.Argument(help="A picture, or a file of contexts (.jsonl or .parquet).")],
    image: Annotated[list[str] | None, typer.Option(help="Only this picture of the file; may be repeated.")] = None,
    config: VisionConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was read from a picture, or what a file of contexts holds.

    Exit code 1 if the picture cannot be read.
    """
    from mner.contexts.rows import to_line
    from mner.picture_files import is_picture

    if not is_picture(source):
        for context in contexts_of(source, image):
            say(to_line(context) if as_json else described(context))
        return
    if not source.exists():
        raise typer.BadParameter(f"{source}: no such file", param_hint="SOURCE")
    from mner import config as configs
    from mner.vision.extract import Extractor

    chosen = configs.load(config).vision if config is not None else configs.VisionConfig()
    reading = Extractor(chosen).read(source, image=source.name)
    say(to_line(reading) if as_json else described(reading))
    raise typer.Exit(0 if reading.status in {"ok", "placeholder"} else 1)


def described(context: VisualContext) -> str:
    """A context as lines of text, one kind after the other.

    A file of contexts may hold anything, so what would end a line or steer the terminal is written as an escape.
    """
    from mner.contexts.entry_text import words_of

    lines = [f"{context.image}: {context.status}" + (f" ({context.reason})" if context.reason else "")]
    for caption in context.captions:
        lines.append(f"  caption  {caption.text}" + _of(caption.source))
    for tag in context.tags:
        lines.append(f"  tag      {words_of(tag)}" + _at(tag.confidence) + _of(tag.source))
    for read in context.ocr:
        lines.append(f"  text     {read.text}" + _at(read.confidence) + _of(read.source))
    for text in context.texts:
        lines.append(f"  beside   {text.text}" + _of(text.source))
    return "\n".join(for_terminal(line).replace("\n", "\\n") for line in lines)


def _at(confidence: float | None) -> str:
    return "" if confidence is None else f"  {confidence:.2f}"


def _of(source: str) -> str:
    return f"  [{source}]" if source else ""
