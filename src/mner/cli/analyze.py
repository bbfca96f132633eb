"""mner analyze: a figure or table of the paper from trained runs or their records."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mner.cli import LazyCommand
from mner.cli.options import ForceOption, PluginsOption
from mner.cli.output import say, working
from mner.cli.source import check_folder
from mner.overwrite import PAGE, Kind, check_file

FORMS = {".json": "json", ".md": "markdown", ".svg": "svg"}
"""End of a file's name -> the form that is written; any other is a page."""


class Command(LazyCommand):
    """The command with the options of all analyses, and in its help a line for each."""

    def __init__(self, **settings: Any) -> None:
        from mner import analysis

        super().__init__(**settings)
        self.own: set[str] = set()
        titles = "\n".join(f"- {name}: {analysis.about(name).title}" for name in analysis.names())
        self.help = f"{self.help}\n\n\b\n{titles}"
        self._add(analysis.names())

    def _add(self, names: list[str]) -> None:
        """Add the options of these analyses behind the arguments."""
        from mner import analysis

        known = {parameter.name for parameter in self.params}
        fields: dict[str, dict[str, Any]] = {}
        for name in names:
            for option, field in analysis.load(name).Options.model_fields.items():
                fields.setdefault(option, {})[name] = field
        new = _options({option: by_name for option, by_name in fields.items() if option not in known})
        place = sum(parameter.param_type_name == "argument" for parameter in self.params)
        self.params[place:place] = new
        self.own.update(parameter.name for parameter in new)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments that the options leave; an analysis outside mner, by its dotted name, brings its options."""
        name = args[0] if args else ""
        if "." in name and all(part.isidentifier() for part in name.split(".")):
            self._add([name])
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; ``ctx.obj`` holds the analysis's options that were given."""
        values = {option: ctx.params.pop(option) for option in self.own}
        ctx.obj = {option: value for option, value in values.items() if value is not None}
        return super().invoke(ctx)


def _options(fields: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """The options of the command line for fields of ``Options``; each has its field by the analyses that have it."""
    annotations = {option: _annotation(by_name) for option, by_name in fields.items()}

    def options() -> None:
        """Only the parameters matter."""

    keyword = inspect.Parameter.KEYWORD_ONLY
    options.__annotations__ = annotations
    options.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, keyword, default=None, annotation=kind) for name, kind in annotations.items()]
    )
    shell = typer.Typer(add_completion=False)
    shell.command()(options)
    return list(typer.main.get_command(shell).params)


def _annotation(by_name: Mapping[str, Any]) -> Any:
    field = next(iter(by_name.values()))
    descriptions: dict[str, list[str]] = {}
    for name, of_name in by_name.items():
        needed = " (needed)" if of_name.is_required() else ""
        descriptions.setdefault(of_name.description or "", []).append(name + needed)
    texts = [f"{text.rstrip('.')}: {', '.join(names)}." for text, names in descriptions.items()]
    default = False if field.is_required() or field.default in (None, False) else str(field.default)
    kind = field.annotation if field.annotation in (bool, int, float) else str
    return Annotated[kind | None, typer.Option(help=" ".join(texts), show_default=default)]


def analyze(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Which analysis: see above.", show_default=False)],
    rows: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL_OR_EXPERIMENT",
            help="Runs, models, or folders of one experiment's runs; for analyses of records also experiments in "
            "--results, such as mine/text; for ocr also artefacts.",
            show_default=False,
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="Folder of the posts' pictures, for a page that shows posts.", show_default=False),
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of run records.")] = Path("results"),
    out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="File to write: an HTML page, or by the end of its name .json, .md or .svg; without it, text is "
            "printed.",
            show_default=False,
        ),
    ] = None,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Also write the numbers to --results, as analysis/<data>/<experiment>/<name>.json."
        ),
    ] = False,
    allow_plugins: PluginsOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    force: ForceOption = False,
) -> None:
    """Print the numbers of one figure or table, each with its signature. Test is never opened."""
    from mner import analysis
    from mner.analysis.parts.analysis_record import check_recordable, write_analysis

    if as_json and out is not None:
        raise typer.BadParameter("prints, --out writes a file; give one of them", param_hint="--json")
    form = "html" if out is None else FORMS.get(out.suffix.lower(), "html")
    if images is not None:
        check_folder(images, "--images")
        if out is None or form != "html":
            raise typer.BadParameter("goes with a page: --out FILE.html", param_hint="--images")
    if out is not None:
        check_file(out, PAGE if form == "html" else Kind("an analysis", None), force=force)
    options = analysis.checked_options(name, dict(_values(name, ctx.obj)))
    split = getattr(options, "split", "dev")
    if record:
        check_recordable(name, rows or (), split)
    with working("reading") as work:
        inputs = analysis.Inputs(
            rows or (), results=results, allow_plugins=allow_plugins, on_open=lambda path: work.show(f"reading {path}")
        )
        report = analysis.analyze(name, inputs, options)
    if record:
        path = write_analysis(
            name, report.results[0], split=split, opened=inputs.opened, results=results, options=options
        )
        say(f"recorded: {path}", err=True)
    from mner.show.analysis import FORMS as WRITERS
    from mner.show.analysis import page

    if as_json or out is None:
        say(WRITERS["json" if as_json else "text"](report))
        return
    from mner.files import write_text

    write_text(out, page(report, images=images) if form == "html" else WRITERS[form](report))
    say(out)


def _values(name: str, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The options as ``Options`` takes them: a list is written with commas."""
    from mner import analysis

    fields = analysis.load(name).Options.model_fields
    for option, value in given.items():
        listed = option in fields and "tuple" in str(fields[option].annotation)
        yield option, [part.strip() for part in value.split(",")] if listed else value
