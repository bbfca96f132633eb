"""mner data check, stats, convert: files of posts."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mner.cli.options import COUNT, ForceOption, FormatOption, JsonOption, OutsideOption, bounded
from mner.cli.output import say, working
from mner.safe_text import printable
from mner.tags import Reading, Scheme

if TYPE_CHECKING:
    from mner.data import Statistics
    from mner.preflight import Report


LabelsOption = Annotated[Reading | None, typer.Option(help="What an I- that continues nothing means; default repair.")]


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files, a folder with train, dev and test, or a configuration (TOML).")
    ] = None,
    contexts: Annotated[list[Path] | None, typer.Option(help="Artefact of contexts; may be repeated.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the pictures; each is opened.")] = None,
    allow_outside_images: OutsideOption = False,
    config: Annotated[Path | None, typer.Option(help="Configuration that names data, contexts and encoder.")] = None,
    encoder: Annotated[str | None, typer.Option(help="Encoder whose tokenizer counts sub-tokens.")] = None,
    format: FormatOption = None,
    labels: LabelsOption = None,
    limit: Annotated[int, bounded(0, COUNT, help="Most findings of a kind to list; 0 lists all.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Check files of posts, their contexts and pictures; list every fault with its line.

    Exit code 1 if anything is worse than a note.
    """
    from mner import preflight

    if not paths and config is None:
        raise typer.BadParameter("name files, a folder or a configuration", param_hint="PATHS")
    with working("reading") as work:
        report = preflight.check(
            paths or (),
            config=config,
            contexts=contexts or (),
            images=images,
            allow_outside_images=allow_outside_images,
            encoder=encoder,
            format=format,
            labels=labels,
            limit=limit,
            watch=lambda what, done: work.show(f"{what}: {done}"),
        )
    say(json.dumps(report.to_dict(), indent=2) if as_json else _printed(_report_lines(report)))
    for skipped in report.skipped:
        say(f"not checked: {skipped}", err=True)
    raise typer.Exit(0 if report.fine else 1)


def stats(
    paths: Annotated[list[Path], typer.Argument(help="Files, or a folder with train, dev and test; - is stdin.")],
    format: FormatOption = None,
    labels: LabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count posts, words and entities; print the fingerprint."""
    from mner.data import read, statistics
    from mner.data.splits import splits

    reading = labels or "repair"
    tables: dict[str, Statistics] = {}
    if paths == [Path("-")]:
        tables["stdin"] = statistics(read(_stdin(), format=format, labels=reading))
    else:
        for name, path in splits(paths).items():
            posts = read(path, format=format, labels=reading)
            tables[name] = statistics(posts, strict=read(path, format=format, labels="strict"))
    if as_json:
        say(json.dumps({name: table.to_dict() for name, table in tables.items()}, indent=2))
    else:
        say("\n\n".join(_printed(_statistics_lines(name, table)) for name, table in tables.items()))


def convert(
    source: Annotated[str, typer.Argument(help="File to read; - is stdin.")],
    target: Annotated[str, typer.Argument(help="File to write; - is stdout.")],
    to: Annotated[str | None, typer.Option(help="Format to write; by default that of the target's suffix.")] = None,
    format: FormatOption = None,
    labels: LabelsOption = None,
    scheme: Annotated[Scheme, typer.Option(help="Label scheme to write in columns.")] = "IOB2",
    force: ForceOption = False,
) -> None:
    """Rewrite posts in another format. The target appears only when it is whole."""
    from mner import data

    if target == "-" and to is None:
        raise typer.BadParameter("stdout has no suffix; name the format", param_hint="--to")
    origin: Any = _stdin() if source == "-" else source
    with _stdout() if target == "-" else nullcontext() as stream:
        done = data.convert(
            origin, stream or target, format=format, to=to, labels=labels or "repair", scheme=scheme, replace=force
        )
    for what, count in done.losses.items():
        say(f"not kept: {what} of {count} post{'s' if count != 1 else ''}", err=True)
    for reason, count in done.excluded.items():
        say(f"left out: {count} post{'s' if count != 1 else ''}: {reason}", err=True)
    say(f"{done.stamp.posts} posts, {done.stamp.entities} entities, @{done.stamp.fingerprint}", err=True)


def _printed(lines: Iterable[str]) -> str:
    return "\n".join(map(printable, lines))


def _report_lines(report: Report) -> Iterator[str]:
    for name, split in report.splits.items():
        numbers = split.statistics
        scheme = f" ({split.identity.scheme})" if split.identity.scheme else ""
        strict = f" ({numbers.strict} strict)" if numbers.strict != numbers.stamp.entities else ""
        types = "  ".join(f"{label} {count}" for label, count in numbers.stamp.labels.items())
        yield f"{name}: {split.path}: {split.identity.format}{scheme} @{numbers.stamp.fingerprint}"
        counts = f"{numbers.stamp.posts} posts  {numbers.stamp.words} words  {numbers.stamp.entities} entities"
        yield f"  {counts}{strict}  {types}"
    for severity in ("error", "warning", "note"):
        for kind, count in report.counts.items():
            if report.severities[kind] != severity:
                continue
            listed = [finding for finding in report.findings if finding.kind == kind]
            yield ""
            places = f", in {report.met[kind]} places" if report.met[kind] != count else ""
            yield f"{severity}: {kind} ({count}{places})"
            yield from (f"  {finding.where}: {finding.message}" for finding in listed)
            if report.met[kind] > len(listed):
                yield f"  ... and {report.met[kind] - len(listed)} more; --limit 0 lists all"
    if not report.counts:
        yield ""
        yield "nothing found"


def _statistics_lines(name: str, counted: Statistics) -> Iterator[str]:
    stamp = counted.stamp
    strict = "" if counted.strict in {None, stamp.entities} else f" ({counted.strict} if only a B- begins one)"
    yield f"{name} @{stamp.fingerprint}"
    without = stamp.posts - counted.labelled
    yield f"  posts     {stamp.posts}: {counted.with_entity} with entities, {without} without labels"
    longest = f"{counted.longest} in the longest post ({counted.longest_id})"
    yield f"  words     {stamp.words}: {counted.mean_words:.1f} in a post on average, {longest}"
    yield f"  pictures  {counted.images} different; {counted.image_share:.1%} of the posts have one"
    yield f"  entities  {stamp.entities}{strict}"
    yield from (f"    {label:<12} {count}" for label, count in stamp.labels.items())
    lengths = (f"{count} of {words} word{'s' * (words != 1)}" for words, count in counted.entity_lengths.items())
    if stamp.entities:
        yield f"  length of entities: {', '.join(lengths)}"


def _stdin() -> Any:
    return getattr(sys.stdin, "buffer", sys.stdin)


@contextmanager
def _stdout() -> Iterator[io.TextIOWrapper]:
    """Stdout as UTF-8 with plain line feeds, whatever the locale says."""
    sys.stdout.flush()
    stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="\n")
    try:
        yield stream
        stream.flush()
    finally:
        stream.detach()
