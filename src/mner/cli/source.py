"""Where predict and explain take posts, pictures and the model from."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mner.cli.bounded import DAY, THREADS, bounded
from mner.cli.output import say
from mner.errors import why_not
from mner.picture_files import is_picture, is_picture_name

if TYPE_CHECKING:
    from mner.tagger import Tagger
    from mner.types import Prediction

PostsArgument = Annotated[
    str | None, typer.Argument(help="File of posts in any format; - is stdin.", show_default=False)
]
ModelOption = Annotated[
    Path | None,
    typer.Option(
        help="Model or run directory, or hub:owner/name; by default the model of the package.", show_default=False
    ),
]
TextOption = Annotated[str | None, typer.Option(help="One text instead of a file of posts.", show_default=False)]
ImageOption = Annotated[
    str | None,
    typer.Option(help="The picture that goes with --text: its file, or a data URI.", show_default=False),
]
ContextsOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="File of ready contexts, looked up before a picture is read; may be repeated.", show_default=False
    ),
]
ImagesOption = Annotated[
    Path | None, typer.Option(help="Folder of the pictures; by default that of the file of posts.", show_default=False)
]
OutsideOption = Annotated[
    bool, typer.Option("--allow-outside-images", help="Read pictures that posts name outside that folder, too.")
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        help="twitter, conll, jsonl, json, csv, text or a module's dotted name; by default the file tells.",
        show_default=False,
    ),
]
NoImagesOption = Annotated[bool, typer.Option("--no-images", help="Read the words alone.")]
TimeoutOption = Annotated[
    float | None,
    bounded(0.001, DAY, help="Most seconds for one picture; by default no limit.", show_default=False),
]
ThreadsOption = Annotated[int, bounded(0, THREADS, help="Threads of one forward pass; 0 takes all cores.")]
DeviceOption = Annotated[
    str, typer.Option(help="cpu, cuda, cuda:1, mps, or auto: a GPU if there is one. ONNX files run on the CPU.")
]
PluginsOption = Annotated[bool, typer.Option("--allow-plugins", help="Run code outside mner that the model names.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON rows on a terminal, too.")]


def check_source(posts: str | None, text: str | None, image: str | None) -> None:
    """Refuse a command line that names no source, two, or a picture without a text."""
    if posts is None and text is None:
        raise typer.BadParameter(
            "nothing to read; name a file of posts (- is stdin), or give one text: --text TEXT", param_hint="POSTS"
        )
    if posts is not None and text is not None:
        raise typer.BadParameter("give a file of posts or --text, not both", param_hint="POSTS")
    if image is not None and text is None:
        raise typer.BadParameter("goes with --text; posts name their pictures themselves", param_hint="--image")
    if posts is not None and posts != "-":
        _check_readable(Path(posts))


def check_folder(path: Path, option: str) -> None:
    """Refuse a folder that is none."""
    if not path.is_dir():
        raise typer.BadParameter(f"{path}: {why_not(path, 'folder')}", param_hint=option)


def _check_readable(posts: Path) -> None:
    """Refuse what holds no posts: nothing, a folder, a device. A pipe, such as ``<(command)`` makes, is read once."""
    if posts.is_dir():
        raise typer.BadParameter(f"{posts}: {_folder(posts)}", param_hint="POSTS")
    if is_picture_name(posts.name) and posts.exists():
        raise typer.BadParameter(
            f"{posts}: is a picture; give the words of its post, too: --text TEXT --image {posts}. "
            f"To read the picture alone: mner context show {posts}",
            param_hint="POSTS",
        )
    if not posts.exists():
        raise typer.BadParameter(f"{posts}: no such file", param_hint="POSTS")
    if not (posts.is_file() or posts.is_fifo() or posts.is_socket() or str(posts) == "/dev/stdin"):
        raise typer.BadParameter(f"{posts}: is a device; expected a file of posts", param_hint="POSTS")


def _folder(posts: Path) -> str:
    """What a folder in the place of a file of posts is, and what to type instead."""
    if any(map(is_picture, posts.iterdir())):
        return (
            f"is a folder of pictures; name the file of the posts, and this folder with --images {posts}. "
            f"To read the pictures alone: mner context build {posts} --out contexts.jsonl"
        )
    return f"is a folder; name a file of posts in it, or read all its files: cat {posts}/* | mner ... -"


def tagger_settings(
    model: Path | None,
    posts: str | None,
    *,
    contexts: list[Path] | None,
    images: Path | None,
    allow_outside_images: bool,
    no_images: bool,
    timeout: float | None,
    threads: int,
    device: str,
    allow_plugins: bool,
) -> dict[str, Any]:
    """What ``mner.load`` is to be called with."""
    if images is not None:
        check_folder(images, "--images")
    elif posts is not None:  # a pipe has no folder that would hold the pictures
        images = Path(posts).parent if Path(posts).is_file() else Path()
    return {
        "path": model,
        "threads": threads,
        "device": device,
        "allow_plugins": allow_plugins,
        "use_images": not no_images,
        "images": images,
        "allow_outside_images": allow_outside_images,
        "contexts": contexts or None,
        "timeout": timeout,
    }


def open_tagger(settings: dict[str, Any]) -> Tagger:
    """The tagger of these settings; what a user should know of how it runs here goes to stderr, once on a machine."""
    from mner.files import first_time
    from mner.tagger import load

    tagger = load(**settings)
    if tagger.note and first_time(tagger.note):
        say(tagger.note, err=True)
    return tagger


def hint_missing(count: int, images: Path | None) -> None:
    """Say on stderr where pictures that are named and missing were looked for, and how to name another folder."""
    if count:
        pictures = f"{count} picture{'s' * (count != 1)}"
        where = f" in {images.resolve()}" if images is not None else ""
        say(f"{pictures} named and not found{where}; name the folder of the pictures: --images FOLDER", err=True)


def warn_unread(prediction: Prediction) -> None:
    """Say on stderr that the picture of --image could not be used, and why."""
    if prediction.image_status not in {"used", "empty", "none"}:
        reason = prediction.reason or prediction.image_status
        say(f"{prediction.image}: the picture was not used, the words alone were read: {reason}", err=True)


def read_posts(posts: str, format: str | None) -> Iterator[Any]:
    """The posts of a file or of stdin, streamed; labels that they may have are neither read nor checked."""
    from mner.data import read

    return read(getattr(sys.stdin, "buffer", sys.stdin) if posts == "-" else posts, format=format, labels=False)


def pretty(as_json: bool) -> bool:
    """Whether a reader sits at the other end of stdout."""
    return sys.stdout.isatty() and not as_json
