"""mner context: read pictures into visual contexts, and show what was read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mner.cli import engine as engines
from mner.cli.bounded import COUNT, bounded
from mner.cli.output import console, say
from mner.cli.source import OutsideOption, hint_missing
from mner.cli.target import ROWS, ForceOption
from mner.overwrite import CONTEXTS, check_file
from mner.safe_text import for_terminal
from mner.types import VisualContext


def build(
    source: Annotated[
        Path,
        typer.Argument(
            help="Folder of pictures, one picture, a file of posts, a tar archive, a folder of such, or a Parquet "
            "file of paths or bytes."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="File of contexts to write, or, with --shard-size, the folder of its shards; .parquet at its end "
            "makes either Parquet."
        ),
    ],
    images: Annotated[Path | None, typer.Option(help="Folder of the posts' or the table's pictures.")] = None,
    allow_outside_images: OutsideOption = False,
    config: Annotated[Path | None, typer.Option(help="Configuration whose vision table names the backends.")] = None,
    detector: Annotated[str | None, typer.Option(help='Detector; "" for none.')] = None,
    captioner: Annotated[str | None, typer.Option(help='Captioner; "" for none.')] = None,
    ocr: Annotated[str | None, typer.Option(help='OCR engine: rapid, tesseract, paddle, hub, "" for none.')] = None,
    workers: engines.WorkersOption = 1,
    store: Annotated[Path | None, typer.Option(help="File that keeps what was read; else the user's cache.")] = None,
    shard_size: Annotated[
        int | None,
        bounded(0, COUNT, help="Rows of one shard; 0: one file. By default 1000 with Ray.", show_default=False),
    ] = None,
    engine: engines.EngineOption = engines.Engine.local,
    gpus: engines.GpusOption = 0.0,
    batch: engines.BatchOption = None,
    address: engines.AddressOption = None,
    force: ForceOption = False,
) -> None:
    """Read pictures into a file of visual contexts; what was read before is not read again."""
    from rich.progress import track

    from mner import config as configs
    from mner.data.lines import printable
    from mner.data.listing import pictures
    from mner.vision.build import build as write

    chosen = configs.load(config).vision if config is not None else configs.VisionConfig()
    named = {"detector": detector, "captioner": captioner, "ocr": ocr}
    chosen = chosen.model_copy(update={name: value for name, value in named.items() if value is not None})
    items = pictures(source, images=images, allow_outside_images=allow_outside_images)
    screen = console(err=True)
    shown = track(items, "reading pictures", console=screen, transient=True, disable=not screen.is_terminal)

    def watch(context: VisualContext) -> None:
        if context.reason is not None:
            told = printable(f"{context.image}: {context.status}: {context.reason}")
            screen.print(told, soft_wrap=True)

    if shard_size is None:
        shard_size = 1000 if engine is engines.Engine.ray and out.suffix.lower() not in ROWS else 0
    if not shard_size:
        check_file(out, CONTEXTS, force=force)
    elif out.suffix.lower() in ROWS and not out.is_dir():
        raise typer.BadParameter(f"{out}: shards go into a folder; name one", param_hint="--out")
    statuses = write(
        shown,
        out,
        config=chosen,
        store=store,
        hire=engines.hire(engine, workers=workers, gpus=gpus, address=address),
        batch_size=batch,
        shard_size=shard_size,
        force=force,
        watch=watch,
    )
    told = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    count = sum(statuses.values())
    say(f"{count} {'picture' if count == 1 else 'pictures'}: {told}", err=True)
    hint_missing(statuses.get("missing", 0), images or (source.parent if source.is_file() else source))
    say(out)


def show(
    source: Annotated[Path, typer.Argument(help="A picture, or a file of contexts (.jsonl or .parquet).")],
    image: Annotated[list[str] | None, typer.Option(help="Only this picture of the file; may be repeated.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration whose vision table names the backends.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print rows of the artefact.")] = False,
) -> None:
    """Show what was read from a picture, or what a file of contexts holds.

    Exit code 1 if the picture cannot be read.
    """
    from mner import config as configs
    from mner.contexts.artefact import iter_contexts, key, read_contexts
    from mner.contexts.rows import to_line
    from mner.errors import DataError
    from mner.picture_files import is_picture

    code = 0
    if is_picture(source):
        from mner.vision.extract import Extractor

        if not source.exists():
            raise typer.BadParameter(f"{source}: no such file", param_hint="SOURCE")
        chosen = configs.load(config).vision if config is not None else configs.VisionConfig()
        reading = Extractor(chosen).read(source, image=source.name)
        code = 0 if reading.status in {"ok", "placeholder"} else 1
        rows = iter([reading])
    elif image:
        contexts = read_contexts(source)
        missing = [name for name in image if contexts.get(name) is None]
        if missing:
            raise DataError(f"{source}: no context of {', '.join(map(key, missing))}")
        rows = iter([contexts[name] for name in image])
    else:
        rows = iter_contexts(source)
    for row in rows:
        say(to_line(row) if as_json else described(row))
    raise typer.Exit(code)


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
