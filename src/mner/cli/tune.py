"""mner tune: a configuration -> its settings chosen on dev, on a budget that is stated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mner.cli.bounded import bounded
from mner.cli.output import say
from mner.cli.target import ForceOption


def tune(
    config: Annotated[Path, typer.Argument(help="Configuration (TOML); its own settings are the first trial.")],
    trials: Annotated[
        int, bounded(1, 100_000, help="Trials in all, those of earlier calls included; give each row the same number.")
    ] = 12,
    space: Annotated[
        Path | None, typer.Option(help="Search space (TOML), laid over the default one; see docs/howto/tune.md.")
    ] = None,
    epochs_max: Annotated[
        int | None, bounded(1, 100_000, help="Most epochs of a trial; without it, twice the configuration's.")
    ] = None,
    view: Annotated[
        list[str] | None,
        typer.Option(
            help="View whose dev F1 counts, T or I+T; may be repeated, the mean counts. "
            "Without it: the views that the row trains."
        ),
    ] = None,
    base: Annotated[
        Path | None, typer.Option(help="Data set's file to use instead of the one CONFIG builds on.")
    ] = None,
    set_values: Annotated[
        list[str] | None, typer.Option("--set", metavar="a.b=c", help="Override one value; may be repeated.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of searches.")] = Path("runs/tune"),
    results: Annotated[
        Path, typer.Option(help="Folder that receives the search's record, as tune/<data>/<row>.json.")
    ] = Path("results"),
    restart: Annotated[bool, typer.Option("--restart", help="Throw an earlier search and its record away.")] = False,
    force: ForceOption = False,
) -> None:
    """Search learning rates, epochs, loss weights and the like on dev; write the best trial as a row.

    The same command continues an interrupted search; --trials with a larger number adds to one that is over.
    """
    from mner import config as configs
    from mner.cli.progress import training_progress
    from mner.config.space import read_space
    from mner.show.search import search_lines
    from mner.training import search

    if strange := set(view or ()) - {"T", "I+T"}:
        raise typer.BadParameter(f"expected T or I+T, found {sorted(strange)[0]}", param_hint="--view")
    checked = configs.load(config, base=base, set_values=set_values or ())
    _quiet()
    with training_progress() as watch:
        tuned = search.tune(
            checked,
            base=base or configs.base_of(config) or config,
            root=configs.root_folder(checked.data, config.parent),
            out=out,
            results=results,
            trials=trials,
            space=None if space is None else read_space(space),
            epochs_max=epochs_max,
            judged=[one for one in ("T", "I+T") if one in view] if view else None,
            restart=restart,
            force=force,
            watch=watch,
        )
    for line in search_lines(tuned.record):
        say(line)
    say(f"record: {tuned.record_path}")
    if tuned.row is not None:
        say(f"row: {tuned.row}")


def _quiet() -> None:
    """Keep optuna's own lines off stderr; what happens is said in mner's words."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
