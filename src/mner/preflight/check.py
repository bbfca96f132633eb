"""Files, contexts, pictures and an encoder -> one report of everything that is wrong or would be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mner import config as configs
from mner.config import Config, ContextConfig
from mner.data import identify, read, statistics
from mner.data.reading import rename
from mner.data.splits import splits
from mner.errors import ConfigError, DataError, ModelError, why_not
from mner.preflight.pictures import Pictures, examine_contexts
from mner.preflight.posts import Posts, compare, examine_tokens
from mner.preflight.report import Findings, Report, Split
from mner.preflight.training import Training
from mner.tags import Reading
from mner.types import Post

if TYPE_CHECKING:
    from mner.contexts.artefact import Contexts
    from mner.views import Views

Watch = Callable[[str, int], None]
"""Called with what is counted and how many there are so far."""

Examine = Callable[[Sequence[Post]], None]

_CHUNK = 256  # posts tokenised together


def check(
    paths: Sequence[str | Path] = (),
    *,
    config: Config | str | Path | None = None,
    contexts: Sequence[str | Path] = (),
    images: str | Path | None = None,
    allow_outside_images: bool = False,
    encoder: str | Views | None = None,
    format: str | None = None,
    labels: Reading | None = None,
    limit: int = 20,
    watch: Watch = lambda what, done: None,
) -> Report:
    """What was found in splits, their contexts and their pictures. Files are streamed.

    Args:
        paths: Files, or folders that hold train, dev (or valid) and test files; none: those of the configuration.
        config: A configuration or its file; its [data], [context] and encoder stand in for what is not given here.
            A path among ``paths`` that ends with ".toml" is taken for it.
        contexts: Artefact files; each post with a picture should have a row in one.
        images: Folder of the pictures; every picture of a post is opened.
        allow_outside_images: Open pictures outside that folder, too.
        encoder: The name of an encoder, or views of one, whose tokenizer tells words without sub-tokens, windows
            and cut context. None: the configuration's, if it is on this machine; else that is not checked.
        format: The files' format; None: by first lines and name.
        labels: What an I- that continues nothing means; None: as configured, else repair.
        limit: Most findings of a kind that are listed; all are counted. 0: list all.
        watch: Called as the work goes on.

    Raises:
        DataError: A file is missing or of no known format.
        ConfigError: The configuration has faults, or there is nothing to check.
        ModelError: The encoder is not there.
    """
    tables = [path for path in paths if Path(path).suffix == ".toml"]
    if len(tables) > (config is None):
        raise ConfigError(f"one configuration at a time: {', '.join(map(str, tables))}")
    paths = [path for path in paths if path not in tables]
    config = tables[0] if tables else config
    settings, root = _settings(config)
    configured = config is not None and not paths
    if configured:
        files = _files(settings, root)
        contexts = contexts or [root / path for path in settings.data.contexts]
        images = images or (root / settings.data.images if settings.data.images else None)
    else:
        files = splits(paths)
    if not files:
        raise ConfigError("nothing to check: name files, a folder, or a configuration whose [data] names them")
    reading: Reading = labels or settings.data.labels
    findings = Findings(limit)
    posts = Posts(findings)
    implied = settings.model.encoder if config is not None else None
    views, absent = _views(encoder, implied, settings.context)
    known = _contexts(contexts)
    pictures = _pictures(findings, images, allow_outside_images, watch)
    others = list(_others(findings, known, pictures, views))
    training = Training(known, pictures)
    checked: dict[str, Split] = {}
    for name, path in files.items():
        on_fault = findings.bad_line(path)
        identity = identify(path, format=format or settings.data.format, on_fault=on_fault)
        examine: list[Examine] = [partial(posts.examine, name), *others, partial(training.examine, name, path)]
        renamed = (
            rename(post, settings.data.rename)
            for post in read(
                path, format=identity.format, labels=reading, on_fault=on_fault, on_excluded=findings.excluded
            )
        )
        numbers = statistics(_examined(renamed, examine, partial(watch, f"posts of {name}")), strict=())
        strict = read(
            path,
            format=identity.format,
            labels="strict",
            on_fault=lambda line, message: None,
            on_excluded=lambda post, reason: None,
        )
        entities = sum(len(post.spans or ()) for post in strict)
        checked[name] = Split(str(path), identity, replace(numbers, strict=entities))
    compare(findings, checked, labels=reading)
    unread = False
    if (config is not None or contexts or images) and "error" not in findings.severities.values():
        unread = training.report(findings, _with(settings, contexts, images), root if configured else None)
    skipped = {
        "visual contexts: --contexts FILE": not contexts,
        "pictures: --images DIR": images is None,
        "what the pictures say: mner context build": unread,
        f"sub-tokens, windows and cut context: {absent}": views is None,
    }
    missed = tuple(line for line, skip in skipped.items() if skip)
    return Report(
        checked, tuple(findings.listed), dict(findings.counts), dict(findings.met), findings.severities, missed
    )


def _files(settings: Config, root: Path) -> dict[str, Path]:
    """Split name -> file; of several training files the second goes by "train 2"."""
    names: tuple[Literal["train", "dev", "test"], ...] = ("train", "dev", "test")
    return {
        name if number == 1 else f"{name} {number}": root / path
        for name in names
        for number, path in enumerate(settings.data.files(name), 1)
    }


def _settings(config: Config | str | Path | None) -> tuple[Config, Path]:
    if config is None:
        return Config(), Path()
    if isinstance(config, Config):
        return config, configs.root_folder(config.data, Path())
    settings = configs.load(config)
    return settings, configs.root_folder(settings.data, Path(config).parent)


def _views(encoder: str | Views | None, implied: str | None, options: ContextConfig) -> tuple[Views | None, str]:
    """The views of the requested encoder, or of the implied one if it is on this machine; else what to type."""
    if encoder is None and implied is None:
        return None, "--encoder NAME"
    from mner import encoders
    from mner.views import Views

    if isinstance(encoder, Views):
        return encoder, ""
    try:
        return Views(encoders.find(encoder or implied or ""), options), ""
    except ModelError as error:
        if encoder is not None:
            raise
        return None, str(error)


def _with(settings: Config, contexts: Sequence[str | Path], images: str | Path | None) -> Config:
    """The configuration of a training on just these contexts and pictures."""
    given = {"contexts": tuple(map(str, contexts)), "images": None if images is None else str(images)}
    return settings.model_copy(update={"data": settings.data.model_copy(update=given)})


def _contexts(files: Sequence[str | Path]) -> Contexts | None:
    if not files:
        return None
    from mner.contexts.artefact import read_contexts

    return read_contexts(list(files))


def _pictures(findings: Findings, images: str | Path | None, allow_outside: bool, watch: Watch) -> Pictures | None:
    if images is None:
        return None
    if not Path(images).is_dir():
        raise DataError(f"{images}: {why_not(Path(images), 'folder')} of pictures")
    return Pictures(findings, Path(images), watch=watch, allow_outside=allow_outside)


def _others(
    findings: Findings, known: Contexts | None, pictures: Pictures | None, views: Views | None
) -> Iterator[Examine]:
    """The checks that need more than the files of posts."""
    if known is not None:
        yield partial(examine_contexts, findings, known)
    if pictures is not None:
        yield pictures.examine
    if views is not None:
        yield partial(examine_tokens, findings, views, known)


def _examined(posts: Iterable[Post], examine: Sequence[Examine], watch: Callable[[int], None]) -> Iterator[Post]:
    """The same posts, each after it was examined."""
    posts, done = iter(posts), 0
    while chunk := list(islice(posts, _CHUNK)):
        for look in examine:
            look(chunk)
        done += len(chunk)
        watch(done)
        yield from chunk
