"""mner serve: a model behind HTTP."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mner.cli import options, source
from mner.cli.options import COUNT, DAY, THREADS, bounded
from mner.cli.output import say
from mner.errors import ConfigError

KEY = "MNER_SERVE_KEY"
"""Environment variable of the key."""


def serve(
    model: Annotated[
        Path | None,
        typer.Argument(help="Model or run directory; by default the model of the package.", show_default=False),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 is reached from other machines.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, bounded(0, 65535, help="Port to listen on; 0 takes any that is free.")] = 8000,
    key_file: Annotated[
        Path | None,
        typer.Option(
            help=f"File whose first line clients must send as a bearer key; {KEY} holds it instead.",
            show_default=False,
        ),
    ] = None,
    picture_workers: Annotated[int, bounded(1, THREADS, help="Processes that read pictures.")] = 1,
    picture_ms: Annotated[
        int,
        bounded(
            1,
            DAY * 1000,
            help="Milliseconds for a request's pictures, a grounder included; then it goes without.",
        ),
    ] = 5000,
    store: Annotated[
        Path | None,
        typer.Option(help="File that keeps what was read from pictures; by default in the cache.", show_default=False),
    ] = None,
    max_bytes: Annotated[int, bounded(1024, 2**31, help="Most bytes of a request.")] = 16 * 2**20,
    max_pixels: Annotated[
        int,
        bounded(1, COUNT, help="Most pixels of a picture; at most 100 million of a JPEG, 36 million of any other."),
    ] = 40_000_000,
    max_posts: Annotated[int, bounded(1, COUNT, help="Most posts of a request.")] = 256,
    max_pictures: options.MaxPicturesOption = 16,
    max_words: Annotated[int, bounded(1, COUNT, help="Most words of a post.")] = 2000,
    concurrency: Annotated[int, bounded(1, COUNT, help="Requests that are answered at a time.")] = 256,
    rate: Annotated[float, bounded(0, COUNT, help="Requests a second of one client; 0 sets no limit.")] = 0.0,
    batch_words: Annotated[int, bounded(1, COUNT, help="Words the model reads at once; 1: no batching.")] = 3072,
    wait_ms: Annotated[float, bounded(0, 1000, help="Milliseconds a batch waits for other requests.")] = 2.0,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            help="Host that pictures may be fetched from, with its port if that is unusual; may be repeated.",
            show_default=False,
        ),
    ] = None,
    proxy: Annotated[
        str, typer.Option(help="Address of a reverse proxy that names the real client.", show_default=False)
    ] = "",
    min_score: options.MinScoreOption = 0.0,
    no_images: options.NoImagesOption = False,
    grounding: options.GroundingOption = "on",
    threads: options.ThreadsOption = 0,
    device: options.DeviceOption = "cpu",
    allow_plugins: options.PluginsOption = False,
) -> None:
    """Serve a model over HTTP: POST /v1/entities; the address / is a page to try it on.

    Logs go to stderr as lines of JSON, without the words of posts. Ctrl-C or SIGTERM ends it once what was accepted
    is answered.
    """
    from mner.serve import Settings
    from mner.serve.run import bound, log_to, run

    settings = Settings(
        max_bytes=max_bytes,
        max_pixels=max_pixels,
        max_posts=max_posts,
        max_pictures=max_pictures,
        max_words=max_words,
        picture_ms=picture_ms,
        picture_workers=picture_workers,
        concurrency=concurrency,
        rate=rate,
        batch_words=batch_words,
        wait_ms=wait_ms,
        key=_key(key_file),
        hosts=tuple(allow_host or ()),
        store=store,
    )
    listening = bound(host, port)  # before the model is loaded: a port that is taken shows at once
    from mner.serve.app import create_app

    tagger = source.open_tagger(
        model,
        threads=threads,
        device=device,
        allow_plugins=allow_plugins,
        use_images=not no_images,
        max_pictures=max_pictures,
        grounding=source.grounding_settings(grounding),
        min_score=min_score,
    )
    log_to(logging.StreamHandler(sys.stderr))
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listening.getsockname()[1]}"
    run(create_app(tagger, settings), listening, proxies=proxy, started=lambda: say(f"serving {address}", err=True))


def _key(file: Path | None) -> str | None:
    """The key that clients must send, without the blanks and line ends around it; None where none is set.

    Raises:
        ConfigError: The file, or the variable, holds blanks alone, or the file is no text.
    """
    if file is not None:
        try:
            first = file.read_text(encoding="utf-8-sig").partition("\n")[0]
        except UnicodeDecodeError:
            raise ConfigError(f"{file}: not UTF-8; save it as plain text") from None
        if not first.strip():
            raise ConfigError(f"{file}: expected the key in the first line")
        return first.strip()
    given = os.environ.get(KEY, "")
    if given and not given.strip():
        raise ConfigError(f"{KEY}: expected the key, found blanks alone; unset it to serve without a key")
    return given.strip() or None
