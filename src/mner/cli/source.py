"""Where predict and explain take posts, pictures and the model from; how pictures are read with a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mner.cli.output import console, say
from mner.errors import why_not
from mner.picture_files import is_picture, is_picture_name
from mner.safe_text import printable

if TYPE_CHECKING:
    from mner.tagger import Tagger
    from mner.types import Prediction, VisualContext


def check_source(posts: str | None, text: str | None, image: Sequence[str] | None, format: str | None) -> None:
    """Refuse a command line that names no source, two, a picture without a text, or a format without a file."""
    if posts is None and text is None:
        raise typer.BadParameter(
            "nothing to read; name a file of posts (- is stdin), or give one text: --text TEXT", param_hint="POSTS"
        )
    if posts is not None and text is not None:
        raise typer.BadParameter("give a file of posts or --text, not both", param_hint="POSTS")
    if image and text is None:
        raise typer.BadParameter("goes with --text; posts name their pictures themselves", param_hint="--image")
    if format is not None and posts is None:
        raise typer.BadParameter("goes with a file of posts", param_hint="--format")
    if posts is not None and posts != "-":
        _check_readable(Path(posts))


def check_folder(path: Path, option: str) -> None:
    """Refuse a path that is not a folder."""
    if not path.is_dir():
        raise typer.BadParameter(f"{path}: {why_not(path, 'folder')}", param_hint=option)


def _check_readable(posts: Path) -> None:
    """Refuse what cannot hold posts, such as a folder or a device. A pipe, as ``<(command)`` makes, is read once."""
    if posts.is_dir():
        wrong = _folder(posts)
    elif is_picture_name(posts.name) and posts.exists():
        wrong = (
            f"is a picture; also give the words of its post: --text TEXT --image {posts}. "
            f"To read the picture alone: mner context show {posts}"
        )
    elif not posts.exists():
        wrong = "no such file"
    elif not (posts.is_file() or posts.is_fifo() or posts.is_socket() or str(posts) == "/dev/stdin"):
        wrong = "is a device; expected a file of posts"
    else:
        return
    raise typer.BadParameter(f"{posts}: {wrong}", param_hint="POSTS")


def _folder(posts: Path) -> str:
    """What to type instead of a folder that was named as the file of posts."""
    if any(map(is_picture, posts.iterdir())):
        return (
            f"is a folder of pictures; name the file of the posts, and this folder with --images {posts}. "
            f"To read the pictures alone: mner context build {posts} --out contexts.jsonl"
        )
    return f"is a folder; name a file of posts in it, or read all its files: cat {posts}/* | mner ... -"


def picture_folder(images: Path | None, posts: str | None) -> Path | None:
    """The folder in which the pictures of posts are looked up: the one given, else that of the file of posts."""
    if images is not None:
        check_folder(images, "--images")
        return images
    if posts is None:
        return None
    return Path(posts).parent if Path(posts).is_file() else Path()  # a pipe is in no folder of pictures


def open_tagger(model: Path | None, **settings: Any) -> Tagger:
    """The tagger of these settings; a note on how it runs here goes to stderr, once on a machine."""
    from mner.files import first_time
    from mner.tagger import load

    tagger = load(model, **settings)
    if tagger.note and first_time(tagger.note):
        say(tagger.note, err=True)
    return tagger


def grounding_settings(value: str) -> bool | dict[str, Any]:
    """What --grounding says: on, off, or the settings that a TOML file holds."""
    if value in {"on", "off"}:
        return value == "on"
    if not Path(value).is_file():
        raise typer.BadParameter(
            f"expected on, off or a TOML file of settings, found {value}", param_hint="--grounding"
        )
    from mner.config import read_toml

    return read_toml(Path(value))


def hint_missing(count: int, images: Path | None) -> None:
    """Say on stderr how many pictures were not found and where, and how to name another folder."""
    if count:
        pictures = f"{count} picture{'s' * (count != 1)}"
        where = f" in {images.resolve()}" if images is not None else ""
        say(f"{pictures} not found{where}; name the folder of the pictures: --images FOLDER", err=True)


def warn_unread(prediction: Prediction) -> None:
    """Say on stderr which pictures of --image could not be used, and why."""
    if prediction.pictures:
        used = any(picture.status == "used" for picture in prediction.pictures)
        rest = "the other pictures" if used else "the words alone"
        for picture in prediction.pictures:
            _warn(picture.image, picture.status, picture.reason, f"{rest} were read")
    else:
        _warn(prediction.image, prediction.image_status, prediction.reason, "the words alone were read")


def _warn(image: str | None, status: str, reason: str | None, instead: str) -> None:
    if status not in {"used", "empty", "none"}:
        say(f"{image}: the picture was not used, {instead}: {reason or status}", err=True)


def read_posts(posts: str, format: str | None, *, labels: bool = False) -> Iterator[Any]:
    """The posts of a file or of stdin, streamed; labels are neither read nor checked unless they are asked for."""
    from mner.data import read

    stream = getattr(sys.stdin, "buffer", sys.stdin) if posts == "-" else posts
    return read(stream, format=format, labels="repair" if labels else False)


def read_pictures(
    source: Path,
    images: Path | None,
    allow_outside_images: bool,
    write: Callable[[Iterable[Any], Callable[[VisualContext], None]], Mapping[str, int]],
) -> None:
    """Have all pictures of a source read, and say on stderr what became of them.

    Args:
        source: A folder, a file of posts, an archive and so on, see ``mner.data.listing``.
        images: Folder of the posts' or the table's pictures.
        allow_outside_images: Also read pictures outside that folder.
        write: Takes the pictures and a function to call with each result; gives the number of pictures by status.
    """
    from rich.progress import track

    from mner.data.listing import pictures

    screen = console(err=True)

    def watch(result: VisualContext) -> None:
        if result.reason is not None:
            screen.print(printable(f"{result.image}: {result.status}: {result.reason}"), soft_wrap=True)

    listed = pictures(source, images=images, allow_outside_images=allow_outside_images)
    shown = track(listed, "reading pictures", console=screen, transient=True, disable=not screen.is_terminal)
    statuses = write(shown, watch)
    by_status = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    count = sum(statuses.values())
    say(f"{count} {'picture' if count == 1 else 'pictures'}: {by_status}", err=True)
    hint_missing(statuses.get("missing", 0), images or (source.parent if source.is_file() else source))


def pretty(as_json: bool) -> bool:
    """Whether a person reads stdout, and did not ask for JSON."""
    return sys.stdout.isatty() and not as_json
