"""mner explain: what the picture did for each entity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mner.cli import options, source
from mner.cli.options import COUNT, ForceOption, bounded
from mner.cli.output import console, record, say
from mner.overwrite import PAGE, PAGES, check_file, check_folder

if TYPE_CHECKING:
    from mner.evidence import Explanation
    from mner.tagger import Tagger


def explain(
    posts: options.PostsArgument = None,
    model: options.ModelOption = None,
    text: options.TextOption = None,
    image: options.ImageOption = None,
    contexts: options.ContextsOption = None,
    features: options.FeaturesOption = None,
    images: options.ImagesOption = None,
    allow_outside_images: options.OutsideOption = False,
    format: options.FormatOption = None,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Page (.html) to filter and step through, or a folder for pages: one for each post, and an index.",
            show_default=False,
        ),
    ] = None,
    gold: Annotated[
        bool, typer.Option("--gold", help="Read the posts' labels, too, and show what was missed or is wrong.")
    ] = False,
    force: ForceOption = False,
    limit: Annotated[int, bounded(0, COUNT, help="Most posts to explain; 0 explains all.")] = 0,
    timeout: options.TimeoutOption = None,
    max_pictures: options.MaxPicturesOption = 16,
    grounding: options.GroundingOption = "on",
    threads: options.ThreadsOption = 0,
    device: options.DeviceOption = "cpu",
    allow_plugins: options.PluginsOption = False,
    as_json: options.JsonRecordsOption = False,
) -> None:
    """Show each entity's probability with and without the picture, and without each source of what was read."""
    source.check_source(posts, text, image, format)
    if as_json and html is not None:
        raise typer.BadParameter("prints, --html writes pages; give one of them", param_hint="--json")
    if gold and posts is None:
        raise typer.BadParameter("goes with a file of posts; --text has no labels", param_hint="--gold")
    if limit and posts is None:
        raise typer.BadParameter("goes with a file of posts", param_hint="--limit")
    if force and html is None:
        raise typer.BadParameter("goes with --html", param_hint="--force")
    one_page = html is not None and html.suffix.lower() in {".html", ".htm"} and not html.is_dir()
    if html is not None:
        options.check_suffix(html, ".html", hint="--html")
    if html is not None and one_page:
        check_file(html, PAGE, force=force)
    elif html is not None:
        check_folder(html, PAGES, force=force)
    folder = source.picture_folder(images, posts)
    tagger = source.open_tagger(
        model,
        threads=threads,
        device=device,
        allow_plugins=allow_plugins,
        images=folder,
        allow_outside_images=allow_outside_images,
        contexts=contexts or None,
        features=features,
        timeout=timeout,
        max_pictures=max_pictures,
        grounding=source.grounding_settings(grounding),
    )
    if text is not None:
        alone = tagger.explain(text, image=image)
        source.warn_unread(alone.prediction)
        explanations = iter([alone])
    else:
        read = source.read_posts(str(posts), format, labels=gold)
        explanations = _explained(tagger, islice(read, limit or None), folder)
    if html is not None:
        from mner.show.gallery import write_gallery
        from mner.show.pages import write_pages

        title = Path(posts).name if posts not in {None, "-"} else "mner"
        say(
            write_gallery(explanations, html, title=title)
            if one_page
            else write_pages(explanations, html, title=title)[0]
        )
    elif source.pretty(as_json):
        from mner.show.terminal import explanation

        screen = console()
        for each in explanations:
            screen.print(explanation(each), "")
    else:
        from mner.bulk import line

        for each in explanations:
            record(line(each.to_dict()))


def _explained(tagger: Tagger, posts: Iterable[Any], images: Path | None) -> Iterator[Explanation]:
    """The explanations; after the last, stderr says how many pictures were missing."""
    missing = 0
    for post in posts:
        explanation = tagger.explain(post)
        alone = [explanation.prediction.image_status]
        statuses = [picture.status for picture in explanation.prediction.pictures] or alone
        missing += statuses.count("missing")
        yield explanation
    source.hint_missing(missing, images)
