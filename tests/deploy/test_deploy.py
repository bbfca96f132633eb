"""Files for deployment: linters find nothing, and every command in them is one that mner has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from mner.cli import load

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILES = sorted(DEPLOY.glob("Dockerfile*"))


def lint(program: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name(program)  # of the extra dev
    return subprocess.run([command, *map(str, words)], capture_output=True, text=True, check=False)


def services() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return parsed


def resources() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")))


def container() -> dict[str, Any]:
    parsed: dict[str, Any] = resources()[0]["spec"]["template"]["spec"]["containers"][0]
    return parsed


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing(file: Path) -> None:
    done = lint("hadolint", file)
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /tmp && pip install mner\n")
    assert lint("hadolint", tmp_path / "Dockerfile").returncode == 1


def test_kubernetes_schema_is_kept_to() -> None:
    done = lint("kubernetes-validate", "--strict", DEPLOY / "kubernetes.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_kubernetes_schema_would_find_something(tmp_path: Path) -> None:
    wrong = (DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8").replace("replicas: 2", "replicas: two")
    (tmp_path / "wrong.yaml").write_text(wrong, encoding="utf-8")
    assert lint("kubernetes-validate", "--strict", tmp_path / "wrong.yaml").returncode == 1


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda path: path.name)
def test_images_install_extras_that_there_are(file: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    installed = re.findall(r'"\.\[([\w,-]+)\]"', file.read_text(encoding="utf-8"))
    assert installed
    assert set(",".join(installed).split(",")) <= set(extras)


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda path: path.name)
def test_images_copy_only_what_docker_is_let_see(file: Path) -> None:
    seen = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [line.split()[1:-1] for line in file.read_text().splitlines() if re.match(r"COPY (?!--from)", line)]
    assert {name.removeprefix("./") for names in copied for name in names} <= seen
    assert all((ROOT / name).exists() for name in seen)


@pytest.mark.parametrize(
    "words",
    [
        json.loads(re.findall(r"^CMD (.*)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)[-1]),
        services()["mner"]["command"],
        container()["args"],
    ],
)
def test_commands_are_ones_that_mner_has(words: list[str]) -> None:
    assert words[0] == "serve"
    context = load("serve").make_context("serve", words[1:])
    assert (context.params["host"], context.params["port"]) == ("0.0.0.0", 8000)


def test_parts_agree_on_ports_paths_and_the_user() -> None:
    image = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    pod = resources()[0]["spec"]["template"]["spec"]
    assert f"USER {pod['securityContext']['runAsUser']}" in image
    assert [port["containerPort"] for port in container()["ports"]] == [8000]
    cache = re.findall(r"MNER_CACHE=(\S+)", image)
    assert cache == [mount["mountPath"] for mount in container()["volumeMounts"] if mount["name"] == "cache"]
    assert services()["mner"]["volumes"] == [f"contexts:{cache[0]}"]
    scraped = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    assert scraped[0]["static_configs"][0]["targets"] == ["mner:8000"]
    assert "server mner:8000;" in (DEPLOY / "nginx.conf").read_text(encoding="utf-8")


def test_replicas_are_ended_later_than_the_service_takes_to_answer() -> None:
    from mner.serve.run import GRACE

    pod = resources()[0]["spec"]["template"]["spec"]
    sleep = int(container()["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > GRACE + sleep
    assert int(services()["mner"]["stop_grace_period"].removesuffix("s")) > GRACE
