"""Saved models that a run begins from or learns from: read, and refused where they know what it is scored on."""

from __future__ import annotations

from pathlib import Path

from mner import config as configs
from mner.config import Config
from mner.errors import ConfigError, MnerError, ModelError
from mner.runtime import SavedModel, read_model
from mner.runtime.saved import saved_config
from mner.tagger.opening import model_folder


def source_model(setting: str, place: str, config: Config, root: Path) -> SavedModel:
    """The saved model that a setting of ``config`` names.

    Args:
        setting: The setting, such as "model.init", for messages.
        place: The model, as it is named there.
        config: The configuration of the run that begins from it or learns from it.
        root: Folder that the paths of [data] are relative to.

    Raises:
        ModelError: There is no such model, or it is damaged.
        ConfigError: It was trained on a file that the run is scored on.
    """
    try:
        saved = read_model(model_folder(place), allow_plugins=True)
    except MnerError as error:
        raise ModelError(f"{setting}: {error}") from error
    if known := _scored_files(saved, config, root):
        raise ConfigError(
            f"{setting}: {place} was trained on {', '.join(known)}, which this run is scored on; name another model"
        )
    return saved


def _scored_files(saved: SavedModel, config: Config, root: Path) -> list[str]:
    """The files of a configuration's dev and test splits that a model was trained on, as far as is known here."""
    run = saved.folder.parent
    try:
        theirs = saved_config(run / "config.toml", allow_plugins=True)
        base = configs.root_folder(theirs.data, run)
    except MnerError:  # without its run's configuration, or without its data here, nothing can be compared
        return []
    trained = {(base / file).resolve() for file in (*theirs.data.files("train"), *theirs.data.tasks.values())}
    scored = [file for split in ("dev", "test") for file in config.data.files(split)]
    return [file for file in scored if (root / file).resolve() in trained]
