"""mner context convert, diff, edit, import, sheet, stats: files of contexts, without reading pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mner.cli.options import COUNT, ForceOption, JsonOption, OutsideOption, bounded, check_suffix
from mner.cli.output import say
from mner.cli.source import check_folder
from mner.overwrite import CONTEXTS, PAGE, check_file
from mner.safe_text import printable

if TYPE_CHECKING:
    from mner.contexts.compare import Difference, Summary
    from mner.contexts.statistics import Statistics
    from mner.types import VisualContext

ArtefactArgument = Annotated[
    Path, typer.Argument(help="File of contexts (.jsonl or .parquet), or a folder of such files.")
]


def convert(
    source: ArtefactArgument,
    target: Annotated[Path, typer.Argument(help="File to write; its suffix is .jsonl or .parquet.")],
    force: ForceOption = False,
) -> None:
    """Rewrite contexts as Parquet or as JSON lines; nothing is lost in either direction."""
    from mner.contexts.artefact import PARQUET, iter_contexts, write_contexts

    if target.suffix.lower() not in {PARQUET, ".jsonl"}:
        raise typer.BadParameter(f"expected a name that ends in .jsonl or {PARQUET}", param_hint="TARGET")
    check_file(target, CONTEXTS, force=force)
    count = write_contexts(iter_contexts(source), target)
    say(f"{count} records", err=True)
    say(target)


def diff(
    first: ArtefactArgument,
    second: ArtefactArgument,
    limit: Annotated[
        int | None,
        bounded(0, COUNT, help="Most pictures to list; 0 lists all.", show_default="20; all with --json"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show where two files of contexts differ on the same pictures; exit code 1 if they do.

    The words of captions, tags, OCR and texts are compared, and the status; not confidences, boxes or sources.
    """
    from mner.contexts.artefact import read_contexts
    from mner.contexts.compare import Summary, differences

    if limit is None:
        limit = 0 if as_json else 20
    summary = Summary()
    for number, each in enumerate(differences(read_contexts(first), read_contexts(second), summary)):
        if limit and number >= limit:
            continue  # the summary counts it
        if as_json:
            say(json.dumps({"image": each.image, "status": each.status, "first": each.first, "second": each.second}))
        else:
            say(_printed(_difference_lines(each)))
    left_out = summary.differing + summary.only_first + summary.only_second - limit
    if not as_json:
        if limit and left_out > 0:
            say(f"... and {left_out} more; --limit 0 lists all")
        say(_printed(_summary_lines(summary)))
    raise typer.Exit(0 if summary.equal else 1)


def edit(
    artefact: Annotated[Path, typer.Argument(help="File of contexts; it is replaced by the changed one.")],
    image: Annotated[str, typer.Argument(help="The picture's name, as it is in the file.")],
    caption: Annotated[list[str] | None, typer.Option(help="Caption to add; may be repeated.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help='Tag to add, such as "brown dog"; may be repeated.')] = None,
    ocr: Annotated[list[str] | None, typer.Option(help="Line of text in the picture to add.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="Background text to add.")] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(help='What to take out first: "captions", "tags:vinvl", "ocr", "texts"; may be repeated.'),
    ] = None,
    status: Annotated[str | None, typer.Option(help="New status, such as placeholder or ok.")] = None,
    source: Annotated[str, typer.Option(help="Source that the added entries name.")] = "hand",
) -> None:
    """Change what a file of contexts says of one picture, and print its new record, which is marked as edited."""
    from mner.contexts.edit import Change, edit
    from mner.contexts.rows import to_line

    change = Change(caption or (), tag or (), ocr or (), text or (), drop or (), status, source)
    say(to_line(edit(artefact, image, change)))


def import_(
    path: Annotated[Path, typer.Argument(help="Published file (.jsonl, .json, .tsv), or VinVL's folder of .npz.")],
    out: Annotated[Path, typer.Option(help="File of contexts (.jsonl or .parquet) to write.")],
    kind: Annotated[
        Literal["texts", "captions", "vinvl", "bottomup"] | None,
        typer.Option(help="What it holds; needed where the file could hold posts.", show_default="texts"),
    ] = None,
    source: Annotated[str, typer.Option(help="Source that the entries name; by default the file's name.")] = "",
    posts: Annotated[
        list[Path] | None,
        typer.Option(help="Posts whose ids the file uses in place of pictures' names; may be repeated."),
    ] = None,
    suffix: Annotated[str, typer.Option(help="Added to names of pictures that have no suffix.")] = ".jpg",
    attribute_threshold: Annotated[
        float | None,
        bounded(
            0.0,
            1.0,
            help="For vinvl and bottomup: keep attributes with more confidence than this; the paper's value is 0.1.",
            show_default="0 for vinvl, 0.1 for bottomup",
        ),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Make contexts of texts, captions or objects that somebody published, without the pictures."""
    from mner.contexts.artefact import write_contexts
    from mner.contexts.published.imports import rows

    if kind is None and path.is_file() and _are_posts(path):
        raise typer.BadParameter(
            f"{path}: looks like a file of posts; to read their pictures: mner context build {path} --images FOLDER "
            f"--out {out}. If its texts belong beside other posts: --kind texts, or --kind captions",
            param_hint="PATH",
        )
    if attribute_threshold is not None and kind not in {"vinvl", "bottomup"}:
        raise typer.BadParameter("goes with --kind vinvl or bottomup", param_hint="--attribute-threshold")
    check_suffix(out, ".jsonl", ".parquet", hint="--out")
    check_file(out, CONTEXTS, force=force)
    images: dict[str, str | None] | None = None
    if posts:
        images = _pictures(posts)
    left_out: list[str] = []
    contexts = rows(
        path,
        kind or "texts",
        source=source,
        posts=images,
        suffix=suffix,
        attribute_threshold=attribute_threshold,
        left_out=left_out.append,
    )
    count = write_contexts(contexts, out)
    say(f"{count} records", err=True)
    if left_out:
        ids = ", ".join(left_out[:5])
        say(f"left out: {len(left_out)} whose post is missing or has no picture ({ids})", err=True)
    say(out)


def _pictures(files: Iterable[Path]) -> dict[str, str | None]:
    """The picture of each post, by its id."""
    from mner.data import read
    from mner.errors import DataError

    images: dict[str, str | None] = {}
    for post in (post for file in files for post in read(file, labels=False)):
        if images.setdefault(post.id, post.image) != post.image:
            raise DataError(
                f'{post.where}: another post with the id "{post.id}" has the picture {images[post.id]}; a text that '
                "names the id could belong to either. Import the texts of each file of posts apart: one --posts FILE"
            )
    return images


def _are_posts(path: Path) -> bool:
    """Whether the first entries are posts rather than texts about pictures: with labels, or an id and a picture."""
    from itertools import islice

    from mner.data import read
    from mner.errors import MnerError

    try:
        posts = list(islice(read(path), 20))
    except MnerError:
        return False
    return any(
        post.spans is not None or (post.image is not None and post.id != str(number))
        for number, post in enumerate(posts, 1)
    )


def sheet(
    artefact: ArtefactArgument,
    images: Annotated[Path, typer.Option(help="Folder of the pictures.")],
    out: Annotated[Path, typer.Option(help="Page (HTML) to write.")],
    allow_outside_images: OutsideOption = False,
    image: Annotated[list[str] | None, typer.Option(help="Only this picture; may be repeated.")] = None,
    limit: Annotated[int, bounded(0, COUNT, help="Most pictures on the page; 0 shows all.")] = 100,
    force: ForceOption = False,
) -> None:
    """Write a contact sheet: one page with each picture, its boxes, and what was read."""
    from mner.show.sheet import write_sheet

    check_folder(images, "--images")
    check_suffix(out, ".html", hint="--out")
    check_file(out, PAGE, force=force)
    count, left_out = write_sheet(
        contexts_of(artefact, image),
        out,
        images=images,
        allow_outside=allow_outside_images,
        limit=limit,
        title=artefact.name,
    )
    more = f", {left_out} more not shown; --limit 0 shows all" if left_out else ""
    say(f"{count} picture{'s' if count != 1 else ''}{more}", err=True)
    say(out)


def stats(artefact: ArtefactArgument, as_json: JsonOption = False) -> None:
    """Count what was read: pictures by status, and of each kind its share of pictures, sources and lengths."""
    from mner.contexts.artefact import iter_contexts
    from mner.contexts.statistics import statistics

    counted = statistics(iter_contexts(artefact))
    say(json.dumps(counted.to_dict(), indent=2) if as_json else _printed(_statistics_lines(counted)))


def contexts_of(artefact: Path, images: list[str] | None) -> Iterator[VisualContext]:
    """The contexts of these pictures in a file, or of all.

    Raises:
        DataError: The file lacks one.
    """
    from mner.contexts.artefact import iter_contexts, key, read_contexts
    from mner.errors import DataError

    if not images:
        return iter_contexts(artefact)
    contexts = read_contexts(artefact)
    if missing := [name for name in images if contexts.get(name) is None]:
        raise DataError(f"{artefact}: no context of {', '.join(map(key, missing))}")
    return iter([contexts[name] for name in images])


def _printed(lines: Iterable[str]) -> str:
    return "\n".join(map(printable, lines))


def _difference_lines(difference: Difference) -> Iterator[str]:
    first, second = (status or "no record" for status in difference.status)
    yield difference.image if first == second else f"{difference.image}: {first} -> {second}"
    for kind in dict.fromkeys((*difference.first, *difference.second)):
        yield from (f"  - {kind:<9} {text}" for text in difference.first.get(kind, ()))
        yield from (f"  + {kind:<9} {text}" for text in difference.second.get(kind, ()))


def _summary_lines(summary: Summary) -> Iterator[str]:
    yield (
        f"{summary.same} pictures the same, {summary.differing} differ, "
        f"{summary.only_first} only in the first, {summary.only_second} only in the second"
    )
    for kind, (first, both, second) in summary.kinds.items():
        if first or both or second:
            yield f"  {kind:<9} {first} only in the first, {both} in both, {second} only in the second"


def _statistics_lines(counted: Statistics) -> Iterator[str]:
    statuses = ", ".join(f"{count} {status}" for status, count in counted.statuses.most_common())
    yield f"pictures  {counted.pictures}" + (f": {statuses}" if statuses else "")
    counts = {"nothing was read": counted.empty, "a backend failed": counted.failed, "edited by hand": counted.edited}
    yield from (f"  {what}: {count}" for what, count in counts.items() if count)
    for extractor, count in counted.extractors.most_common(10):
        yield f"  by {extractor or 'an extractor that is not named'}: {count}"
    for kind, of_kind in counted.kinds.items():
        if not of_kind.entries:
            yield f"{kind:<9} none"
            continue
        yield (
            f"{kind:<9} {of_kind.entries} in {counted.share(kind):.1%} of the pictures, "
            f"{of_kind.words_a_picture:.1f} words in each of them on average; "
            f"{of_kind.words} words in all, {of_kind.longest} in the longest"
        )
        yield from (f"  {source or 'no source':<12} {count}" for source, count in of_kind.sources.most_common(20))
