"""mner evaluate: a run, or all seeds of an experiment -> scores on both views."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mner.cli.options import ContextsOption, FormatOption, GroundingOption, JsonOption, PluginsOption
from mner.cli.output import say, working
from mner.cli.source import check_folder, grounding_settings

if TYPE_CHECKING:
    from mner.evaluation import PRF
    from mner.runs.grading import Grades
    from mner.runs.posts import Evaluation


def evaluate(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="Run directory that mner train finished, or folder of an experiment's runs; with POSTS any model, or "
            "a file of predictions.",
        ),
    ],
    posts: Annotated[
        Path | None,
        typer.Argument(
            help="File of labelled posts to score, in any format; by default the run's dev posts.", show_default=False
        ),
    ] = None,
    contexts: ContextsOption = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures of POSTS, to be read.", show_default=False)
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            help="Folder of ready features of the pictures of POSTS, for a model that reads them.", show_default=False
        ),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(
            help="Gold boxes of POSTS, to score regions too: a folder of Pascal VOC files, or JSON lines.",
            show_default=False,
        ),
    ] = None,
    unlisted: Annotated[
        Literal["refuse", "no-box"],
        typer.Option(help="What a picture without boxes on file is: an error, or one that shows no entity."),
    ] = "refuse",
    grounding: GroundingOption = "on",
    rename: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TYPE=OTHER",
            help="Read an entity type as another, in POSTS and in a file of predictions; may be repeated.",
            show_default=False,
        ),
    ] = None,
    format: FormatOption = None,
    final: Annotated[
        bool, typer.Option("--final", help="Score test instead of dev: once, on the frozen run, and counted.")
    ] = False,
    dev: Annotated[
        str | None, typer.Option(help="Other dev posts to score: a file, relative to the folder of the data.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(help="With --final: folder of run records and of test-uses.jsonl.", show_default="results"),
    ] = None,
    allow_plugins: PluginsOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print precision, recall and F1 of both views, by label, each with its signature.

    For a folder of runs, such as runs/mine/text, every seed is scored and the mean is printed. With POSTS any model
    is scored on any file; its pictures are read if --contexts or --images is given, or --features for a model that
    reads features, else the words alone. What mner predict wrote, or another system in the same form, is scored in the
    place of a model. With --boxes entities are also scored with their regions, as grounded NER is.
    """
    if posts is not None and (final or dev is not None):
        raise typer.BadParameter("names the posts to score; leave out --final and --dev", param_hint="POSTS")
    if posts is None:
        pictures = {"--contexts": contexts, "--images": images, "--features": features}
        for option, value in {**pictures, "--boxes": boxes, "--format": format}.items():
            if value:
                raise typer.BadParameter("goes with a file of posts: mner evaluate MODEL POSTS", param_hint=option)
    if boxes is None and (unlisted != "refuse" or grounding != "on"):
        raise typer.BadParameter("goes with gold boxes: --boxes BOXES", param_hint="--unlisted and --grounding")
    if results is not None and not final:
        raise typer.BadParameter("goes with --final, which records the scores of test", param_hint="--results")
    if images is not None:
        check_folder(images, "--images")
    if rename and not (posts is not None and run.is_file()):
        raise typer.BadParameter(
            "goes with a file of predictions; a model renames as its own data.rename says", param_hint="--rename"
        )
    if posts is not None and run.is_file():
        from mner.runs.grading import grade_predictions

        if contexts or images is not None or features is not None:
            raise typer.BadParameter(f"{run} is a file of predictions; no picture is read", param_hint="--images")
        if grounding != "on":
            raise typer.BadParameter(
                f"goes with a model; {run} is a file of predictions, which names the regions", param_hint="--grounding"
            )
        grades = grade_predictions(
            run, posts, boxes=boxes, format=format, unlisted=unlisted, rename=_renamed(rename or ())
        )
        _print_grades(grades, as_json)
        return
    if posts is not None and boxes is not None:
        from mner.runs.grading import grade_model

        with working("tagging") as work:
            grades = grade_model(
                run,
                posts,
                boxes=boxes,
                contexts=contexts or (),
                images=images,
                features=features,
                format=format,
                unlisted=unlisted,
                grounding=grounding_settings(grounding),
                allow_plugins=allow_plugins,
                watch=lambda count: work.show(f"tagging: {count} posts"),
            )
        _print_grades(grades, as_json)
        return
    if posts is not None:
        from mner.runs.posts import evaluate_posts

        scored = evaluate_posts(
            run,
            posts,
            contexts=contexts or (),
            images=images,
            features=features,
            format=format,
            allow_plugins=allow_plugins,
            watch=lambda message: say(message, err=True),
        )
        _print(scored, as_json)
        return
    if final and dev is not None:
        raise typer.BadParameter("--final scores test; leave one of them out", param_hint="--dev")
    from mner.runs.evaluate import evaluate as score_run
    from mner.runs.evaluate import evaluate_seeds, mean_signatures
    from mner.runs.experiments import seed_folders

    results = results or Path("results")
    if (run / "record.json").exists() or not seed_folders(run):
        scored = score_run(run, final=final, dev=dev, results=results, allow_plugins=allow_plugins)
        _print(scored, as_json)
        return
    by_seed = evaluate_seeds(
        run,
        final=final,
        dev=dev,
        results=results,
        allow_plugins=allow_plugins,
        watch=lambda path: say(f"scoring {path}", err=True),
    )
    means = mean_signatures(list(by_seed.values()))
    if as_json:
        seeds = {seed: scored.to_dict() for seed, scored in by_seed.items()}
        lines = {view: str(signature) for view, signature in means.items()}
        say(json.dumps({"seeds": seeds, "means": lines}, indent=1, ensure_ascii=False))
        return
    for seed, scored in by_seed.items():
        say(f"seed {seed}")
        _print(scored, as_json)
    for signature in means.values():
        say(str(signature))


def _renamed(texts: Sequence[str]) -> dict[str, str]:
    """The new name of each type that --rename names."""
    names: dict[str, str] = {}
    for before, after in map(_types, texts):
        if names.setdefault(before, after) != after:
            raise typer.BadParameter(f"{before}: to {names[before]} or to {after}? Name it once", param_hint="--rename")
    return names


def _types(text: str) -> tuple[str, str]:
    """The two entity types of a value of --rename."""
    from mner.tags import check_type

    before, _, after = text.partition("=")
    try:
        return check_type(before), check_type(after)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text}: expected two types, such as OTHER=MISC: {error}", param_hint="--rename"
        ) from None


def _print(scored: Evaluation, as_json: bool) -> None:
    if as_json:
        say(json.dumps(scored.to_dict(), indent=1, ensure_ascii=False))
        return
    for view, scores in scored.scores.items():
        labels = sorted(scores.labels.items())
        rows = [(label, each.precision, each.recall, each.f1, each.gold) for label, each in labels]
        total = scores.micro
        rows.append(("micro", total.precision, total.recall, total.f1, total.gold))
        _table(f"view {view}", rows, [str(scores.signature)])
        _print_calibration(scores.calibration or {})


def _print_calibration(table: Mapping[str, Any]) -> None:
    """How the probabilities of the entities that were found agree with the share of them that is right."""
    if not table:
        return
    say(f"{'calibration':<14}{'ECE':>8}{'Brier':>8}{'score':>8}{'right':>8}{'found':>8}")
    for name, each in [*table["labels"].items(), ("micro", table["micro"])]:
        right, score = 100 * each["correct"], 100 * each["score"]
        say(f"  {name:<12}{each['ece']:8.2f}{each['brier']:8.3f}{score:8.2f}{right:8.2f}{each['entities']:8d}")
    say("")


def _print_grades(grades: Grades, as_json: bool) -> None:
    for note in grades.notes:
        say(note, err=True)
    if grades.pictures:
        say("pictures: " + ", ".join(f"{count} {status}" for status, count in grades.pictures.items()), err=True)
    if grades.pictures.get("disabled"):
        say("no picture was read; name their contexts or folder: --contexts FILE, or --images FOLDER", err=True)
    if as_json:
        say(json.dumps(grades.to_dict(), indent=1, ensure_ascii=False))
        return
    ratios: dict[str, PRF] = {**grades.scores.labels, "micro": grades.scores.micro}
    _table(f"view {grades.signature.view}", map(_row, ratios.items()), [str(grades.signature)])
    if grades.grounded is None or grades.unboxed is None:
        return
    ratios = {
        "GMNER": grades.grounded.gmner,
        "in picture": grades.grounded.boxed,
        "not in it": grades.grounded.unboxed,
        "no boxes": grades.unboxed,
        "MNER": grades.grounded.mner,
        "EEG": grades.grounded.eeg,
    }
    _table("grounding", map(_row, ratios.items()), map(str, grades.signatures().values()))


_Row = tuple[str, float, float, float, int]
"""A name, precision, recall, F1, and the number of gold entities."""


def _row(named: tuple[str, PRF]) -> _Row:
    name, prf = named
    return name, prf.precision, prf.recall, prf.f1, prf.gold


def _table(title: str, rows: Iterable[_Row], signatures: Iterable[str]) -> None:
    say(f"{title:<14}{'P':>8}{'R':>8}{'F1':>8}{'gold':>8}")
    for name, precision, recall, f1, gold in rows:
        say(f"  {name:<12}{precision:8.2f}{recall:8.2f}{f1:8.2f}{gold:8d}")
    for signature in signatures:
        say(f"  {signature}")
    say("")
