"""The service as a deployment of Ray Serve on this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mner.client import Client
from mner.errors import ConfigError, ServiceError
from mner.serve.ray import build

KEY = "a-key-of-many-letters"


@pytest.mark.parametrize("wrong", [{"modle": "a"}, {"replicas": "many"}])
def test_wrong_arguments_are_refused(wrong) -> None:
    with pytest.raises(ConfigError):
        build(wrong)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    ray = pytest.importorskip("ray", reason='needs mner[ray-serve]: pip install "mner[ray-serve]"')
    serve = pytest.importorskip("ray.serve", reason='needs mner[ray-serve]: pip install "mner[ray-serve]"')
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    cache = str(tmp_path_factory.mktemp("cache"))
    source = str(Path(__file__).resolve().parents[2] / "src")
    variables = {"MNER_CACHE": cache, "PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])}
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray.init(
        address="local",
        num_cpus=4,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": variables},
        configure_logging=False,
    )
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(build({"key": KEY, "cpus": "1"}), name="mner")
        yield f"http://127.0.0.1:{port}"
    finally:
        serve.shutdown()
        ray.shutdown()


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.enable_socket
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_deployment_answers_as_the_service_does(address, ticket, tagger) -> None:
    with Client(address, key=KEY, timeout=120) as client:
        assert client.ready()
        assert client.entities("Kevin Love is back in Cleveland") == tagger("Kevin Love is back in Cleveland").to_dict()
        rows = list(client.batch(["Real Madrid won", "five stars for Phoenix this time"], views=["T"]))
        assert rows[0]["views"]["T"] == rows[0]["entities"]
        assert client.entities("five stars for Phoenix this time", image=ticket)["image_status"] in {"used", "timeout"}
        assert client.model()["labels"] == list(tagger.labels)
    with Client(address, key="wrong-key-of-letters") as client, pytest.raises(ServiceError) as fault:
        client.entities("a")
    assert fault.value.status == 401
