"""mner tune: a configuration -> its settings chosen on dev, on a stated budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from mner.cli.options import BaseOption, ForceOption, SetOption, bounded
from mner.cli.output import say, training_progress
from mner.types import ViewName


def tune(
    config: Annotated[Path, typer.Argument(help="Configuration (TOML); its own settings are the first trial.")],
    trials: Annotated[
        int,
        bounded(1, 100_000, help="Trials in all, including earlier calls; give each experiment the same number."),
    ] = 12,
    space: Annotated[
        Path | None, typer.Option(help="Search space (TOML) that changes the default one; see docs/howto/tune.md.")
    ] = None,
    epochs_max: Annotated[
        int | None, bounded(1, 100_000, help="Most epochs of a trial; by default twice the configuration's.")
    ] = None,
    view: Annotated[
        list[str] | None,
        typer.Option(
            help="View whose dev F1 counts, T or I+T; if repeated, the mean. By default the views that are trained."
        ),
    ] = None,
    base: BaseOption = None,
    set_values: SetOption = None,
    out: Annotated[Path, typer.Option(help="Folder of searches.")] = Path("runs/tune"),
    results: Annotated[
        Path, typer.Option(help="Folder that receives the search's record, as tune/<data>/<name>.json.")
    ] = Path("results"),
    restart: Annotated[bool, typer.Option("--restart", help="Discard an earlier search and its record.")] = False,
    force: ForceOption = False,
) -> None:
    """Search learning rates, epochs, loss weights and the like on dev; write the best trial as a configuration.

    The same command continues an interrupted search, from its record if its folder is gone; a larger number of --trials
    adds to a finished one.
    """
    from mner import config as configs
    from mner.config.space import read_space
    from mner.show.tuning import search_lines
    from mner.training import search

    if unknown := set(view or ()) - set(get_args(ViewName)):
        raise typer.BadParameter(f"expected T or I+T, found {min(unknown)}", param_hint="--view")
    checked = configs.load(config, base=base, set_values=set_values or ())
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)  # progress is reported below, not in optuna's words
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
            judged=[each for each in get_args(ViewName) if each in view] if view else None,
            restart=restart,
            force=force,
            watch=watch,
        )
    for line in search_lines(tuned.record):
        say(line)
    say(f"record: {tuned.record_path}")
    if tuned.row is not None:
        if tuned.run is None:
            say(f"the best trial's run is not in {out}; to train it again: mner train {tuned.row}")
        say(f"experiment: {tuned.row}")
