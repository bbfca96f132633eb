"""mner explain: what the picture did for each entity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mner.cli import source
from mner.cli.bounded import COUNT, bounded
from mner.cli.output import console, record, say
from mner.cli.target import ForceOption
from mner.overwrite import PAGE, PAGES, check_file, check_folder

if TYPE_CHECKING:
    from mner.evidence import Explanation
    from mner.tagger import Tagger


def explain(
    posts: source.PostsArgument = None,
    model: source.ModelOption = None,
    text: source.TextOption = None,
    image: source.ImageOption = None,
    contexts: source.ContextsOption = None,
    images: source.ImagesOption = None,
    allow_outside_images: source.OutsideOption = False,
    format: source.FormatOption = None,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Page (.html) of all posts instead, or a folder for pages: one a post, and an index.",
            show_default=False,
        ),
    ] = None,
    force: ForceOption = False,
    limit: Annotated[int, bounded(0, COUNT, help="Posts to explain; 0 takes all.")] = 0,
    timeout: source.TimeoutOption = None,
    threads: source.ThreadsOption = 0,
    device: source.DeviceOption = "cpu",
    allow_plugins: source.PluginsOption = False,
    as_json: source.JsonOption = False,
) -> None:
    """Show each entity's probability with and without the picture, and without each source of what was read."""
    source.check_source(posts, text, image)
    one_page = html is not None and html.suffix.lower() in {".html", ".htm"} and not html.is_dir()
    if html is not None and one_page:
        check_file(html, PAGE, force=force)
    elif html is not None:
        check_folder(html, PAGES, force=force)
    settings = source.tagger_settings(
        model,
        posts,
        contexts=contexts,
        images=images,
        allow_outside_images=allow_outside_images,
        no_images=False,
        timeout=timeout,
        threads=threads,
        device=device,
        allow_plugins=allow_plugins,
    )
    tagger = source.open_tagger(settings)
    if text is not None:
        alone = tagger.explain(text, image=image)
        source.warn_unread(alone.prediction)
        explanations = iter([alone])
    else:
        explanations = _explained(tagger, posts, format, limit, settings["images"])
    if html is not None:
        from mner.show.pages import write_page, write_pages

        title = Path(posts).name if posts not in {None, "-"} else "mner"
        say(
            write_page(explanations, html, title=title) if one_page else write_pages(explanations, html, title=title)[0]
        )
    elif source.pretty(as_json):
        from mner.show.terminal import explanation

        screen = console()
        for one in explanations:
            screen.print(explanation(one), "")
    else:
        from mner.bulk import line

        for one in explanations:
            record(line(one.to_dict()))


def _explained(
    tagger: Tagger, posts: str | None, format: str | None, limit: int, images: Path | None
) -> Iterator[Explanation]:
    """The explanations; after the last, stderr says how many pictures were missing."""
    from itertools import islice

    missing = 0
    for post in islice(source.read_posts(str(posts), format), limit or None):
        explanation = tagger.explain(post)
        missing += explanation.prediction.image_status == "missing"
        yield explanation
    source.hint_missing(missing, images)
