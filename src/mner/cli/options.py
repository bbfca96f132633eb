"""Options that several commands share, and the values that they take."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

COUNT = 10**9
"""The most of anything that is merely counted: posts, records, findings."""

THREADS = 1024
"""Most threads or processes of one machine."""

SEED = 2**32 - 1
"""Largest seed of a generator."""

DAY = 86_400
"""Seconds."""

RECORDS = {".jsonl", ".ndjson", ".json"}
"""Suffixes of files of JSON records."""

_OTHERS = {".csv", ".tsv", ".txt", ".parquet", ".html", ".md", ".conll", ".toml", ".gz"}
_WORKERS = "Workers and clusters"  # the heading that help puts these options under, after all else


def bounded(least: float, most: float, *names: str, **settings: Any) -> Any:
    """An option that takes a number from ``least`` to ``most``; the rest is as for ``typer.Option``."""

    def check(value: float | None) -> float | None:
        if value is None or least <= value <= most:  # NaN fails both comparisons
            return value
        raise typer.BadParameter(f"expected a number from {least:,} to {most:,}, found {value:,}")

    return typer.Option(*names, callback=check, **settings)


def _min_score(text: str | float) -> float | str:
    if text == "calibrated":
        return text
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if 0 <= value <= 1:
        return value
    raise typer.BadParameter(f'expected a number from 0 to 1 or "calibrated", found {text}')


MinScoreOption = Annotated[
    Any,
    typer.Option(
        parser=_min_score,
        metavar="NUMBER",
        help="Least probability of an entity, or calibrated: the thresholds that mner calibrate stored in the model.",
    ),
]
RawScoresOption = Annotated[
    bool, typer.Option("--raw-scores", help="Give the exact probabilities of a model that has calibrated ones.")
]
BaseOption = Annotated[Path | None, typer.Option(help="Data set's file to use instead of the one CONFIG builds on.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="a.b=c", help="Override one value; may be repeated.")
]
ResultsOption = Annotated[Path, typer.Option(help="Folder of run records.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite files that mner did not write.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JsonRecordsOption = Annotated[bool, typer.Option("--json", help="Print JSON records on a terminal, too.")]
PluginsOption = Annotated[bool, typer.Option("--allow-plugins", help="Run code outside mner that the model names.")]
ThreadsOption = Annotated[int, bounded(0, THREADS, help="Threads of one forward pass; 0 takes all cores.")]
DeviceOption = Annotated[
    str, typer.Option(help="cpu, cuda, cuda:1, mps, or auto: a GPU if there is one. ONNX files run on the CPU.")
]
TimeoutOption = Annotated[
    float | None, bounded(0.001, DAY, help="Most seconds for one picture; by default no limit.", show_default=False)
]

PostsArgument = Annotated[
    str | None, typer.Argument(help="File of posts in any format; - is stdin.", show_default=False)
]
ModelOption = Annotated[
    Path | None,
    typer.Option(help="Model or run directory, or hub:owner/name; by default the packaged model.", show_default=False),
]
TextOption = Annotated[str | None, typer.Option(help="One text instead of a file of posts.", show_default=False)]
ImageOption = Annotated[
    list[str] | None,
    typer.Option(
        help="The picture that goes with --text: its file, or a data URI; may be repeated.", show_default=False
    ),
]
MaxPicturesOption = Annotated[int, bounded(1, COUNT, help="Most pictures of one post.")]
GroundingOption = Annotated[
    str,
    typer.Option(
        metavar="on|off|FILE",
        help="Whether entities get the regions of the picture that show them, or settings (TOML).",
    ),
]
ContextsOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="File of ready contexts, looked up before a picture is read; may be repeated.", show_default=False
    ),
]
FeaturesOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of ready features, for a model that reads them; looked up before a picture is read.",
        show_default=False,
    ),
]
ImagesOption = Annotated[
    Path | None, typer.Option(help="Folder of the pictures; by default that of the file of posts.", show_default=False)
]
OutsideOption = Annotated[
    bool, typer.Option("--allow-outside-images", help="Also read pictures that posts name outside that folder.")
]
NoImagesOption = Annotated[bool, typer.Option("--no-images", help="Read the words alone.")]
FormatOption = Annotated[
    str | None,
    typer.Option(
        help="twitter, conll, jsonl, json, csv, text or a module's dotted name; by default mner recognizes it.",
        show_default=False,
    ),
]
PicturesArgument = Annotated[
    Path,
    typer.Argument(
        help="Folder of pictures, one picture, a file of posts, a tar archive, a folder of such, or a Parquet file "
        "of paths or bytes."
    ),
]
PictureFolderOption = Annotated[Path | None, typer.Option(help="Folder of the posts' or the table's pictures.")]

Engine = Literal["local", "ray"]
EngineOption = Annotated[
    Engine,
    typer.Option(help="What does the work: processes of this machine, or Ray.", rich_help_panel=_WORKERS),
]
WorkersOption = Annotated[
    int,
    bounded(1, THREADS, help="Processes, or Ray actors, that work at the same time.", rich_help_panel=_WORKERS),
]
GpusOption = Annotated[
    float, bounded(0.0, THREADS, help="GPUs of each Ray actor; 0.25 puts four on one GPU.", rich_help_panel=_WORKERS)
]
BatchOption = Annotated[
    int | None,
    bounded(
        1,
        COUNT,
        help="Posts or pictures that a worker gets at once; by default as many as suit it.",
        show_default=False,
        rich_help_panel=_WORKERS,
    ),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        help="Ray cluster to join, or auto; by default this machine alone.",
        show_default=False,
        rich_help_panel=_WORKERS,
    ),
]


def hire(engine: Engine, *, workers: int, gpus: float, address: str | None) -> Callable[[Any], Any] | None:
    """What starts the workers; None where this process does the work."""
    if engine == "ray":
        from mner.engines.ray import Actors

        return partial(Actors, workers=workers, gpus=gpus, address=address)
    for value, name in ((gpus, "--gpus"), (address, "--address")):
        if value:
            raise typer.BadParameter("goes with --engine ray", param_hint=name)
    if workers == 1:
        return None
    from mner.engines.processes import Processes

    return partial(Processes, workers=workers)


def check_suffix(path: Path, *allowed: str, hint: str) -> None:
    """Refuse a name that ends like a file of another kind; a name without such an ending, as of a pipe, may pass.

    Raises:
        BadParameter: It does.
    """
    if path.suffix.lower() in {*_OTHERS, *RECORDS} - {*allowed} and not path.is_dir():
        raise typer.BadParameter(f"{path}: expected a name that ends in {' or '.join(allowed)}", param_hint=hint)


def is_file(out: Path) -> bool:
    """Whether --out names one file of records, rather than a folder for shards; an existing folder is a folder.

    Raises:
        BadParameter: The name is that of a file of another kind.
    """
    if out.is_dir():
        return False
    if out.suffix.lower() in _OTHERS:
        raise typer.BadParameter(
            f"{out}: records are written as JSON lines; name a file that ends in .jsonl, or a folder",
            param_hint="--out",
        )
    return out.suffix.lower() in RECORDS or out.exists()
