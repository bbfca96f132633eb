"""The same service on many machines: a deployment of Ray Serve, each replica with a model of its own.

From a shell: ``serve run mner.serve.ray:build model=my-model replicas=4``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mner.errors import ConfigError
from mner.serve.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

ARGUMENTS = ("model", "replicas", "cpus", "key")
"""What ``build`` takes."""


def build(arguments: Mapping[str, str]) -> Any:
    """The application for ``serve run``: model, replicas, cpus and key as ``name=value``.

    Raises:
        ConfigError: An argument is unknown, or no number where one is expected.
    """
    if unknown := sorted(set(arguments) - set(ARGUMENTS)):
        raise ConfigError(f"{', '.join(unknown)}: no such argument; there are {', '.join(ARGUMENTS)}")
    try:
        replicas, cpus = int(arguments.get("replicas", 1)), float(arguments.get("cpus", 1))
    except ValueError as error:
        raise ConfigError(f"replicas and cpus are numbers: {error}") from None
    settings = Settings(key=arguments.get("key"))
    return deployment(arguments.get("model"), settings=settings, replicas=replicas, cpus=cpus)


def deployment(
    model: str | None = None, *, settings: Settings | None = None, replicas: int = 1, cpus: float = 1.0, **load: Any
) -> Any:
    """The application for ``ray.serve.run``.

    Args:
        model: A model directory that every machine has; None takes the model of the package.
        settings: The limits of each replica: its rate, its queue and its picture workers are its own.
        replicas: How many processes answer.
        cpus: Cores that Ray sets aside for each; also the threads of its forward passes.
        load: Further options of ``mner.load``.

    Raises:
        ModuleNotFoundError: Ray Serve is not installed: pip install "mner[ray-serve]".
    """
    from ray import serve

    load.setdefault("threads", max(1, int(cpus)))

    def application() -> FastAPI:  # in the replica's process; Ray takes a function for a maker, all else for the app
        from mner.serve.app import create_app
        from mner.tagger import load as load_tagger

        return create_app(load_tagger(model, **load), settings)

    wrapped = serve.ingress(application)()
    untyped: Any = serve  # its types know decorators alone
    return untyped.deployment(wrapped, name="mner", num_replicas=replicas, ray_actor_options={"num_cpus": cpus}).bind()
