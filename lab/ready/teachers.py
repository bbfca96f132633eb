"""The models that teach a ready model: their names, and whether they are here."""

from __future__ import annotations

from pathlib import Path

from mner.config import Config
from mner.errors import MnerError, ModelError
from mner.runtime import read_model
from mner.tagger.opening import model_folder


def teacher_name(place: str) -> str:
    """What a teacher is called: its run's folder is OUT/DATA/NAME/SEED.

    >>> teacher_name("runs/social-en-large/runs/social/social-en-large/1")
    'social-en-large'
    """
    return Path(place).parent.name


def teachers_here(config: Config) -> None:
    """Nothing, if the teachers are there.

    Raises:
        ModelError: One is not; the message says how it is made.
    """
    for place in config.teachers.models:
        try:
            read_model(model_folder(place))
        except MnerError as error:
            name = teacher_name(place)
            command = f"python -m lab.ready.build lab/ready/{name}.toml --recipe this"
            raise ModelError(
                f"teachers.models: {error}; {name}, which teaches {config.name}, is made by: {command}"
            ) from None
