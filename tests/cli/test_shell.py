"""The command shell: lazy, exact about exit codes, never a traceback for a fault that mner names."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mner import cli
from mner.errors import ConfigError, MnerError

HEAVY = ("torch", "transformers", "onnxruntime", "numpy", "PIL", "rapidocr", "cv2")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Puts a function in the table as ``mner probe``."""

    def put(function: Callable[..., None]) -> None:
        module = types.ModuleType("mner_probe")
        module.probe = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "mner_probe", module)
        monkeypatch.setitem(cli.COMMANDS, "probe", ("mner_probe:probe", "A probe."))
        monkeypatch.setattr(cli, "app", cli.build())

    yield put


def run(*arguments: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(cli.app, list(arguments), prog_name="mner")
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.stdout, found.stderr


def loaded_after(arguments: str) -> set[str]:
    """Modules of a fresh interpreter after a command line ran in it."""
    code = (
        f"import sys; sys.argv = ['mner', *{arguments!r}.split()]\n"
        "from mner.cli import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines())


@pytest.mark.parametrize("arguments", ["--help", "--version", "data --help", "nosuch"])
def test_shell_imports_nothing_heavy(arguments: str) -> None:
    loaded = loaded_after(arguments)
    assert "mner.cli" in loaded
    assert not loaded & set(HEAVY)
    assert not {name for name in loaded if name.startswith("mner.cli.")}


def test_import_of_package_is_light() -> None:
    code = "import sys, mner; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.splitlines()) & {*HEAVY, "typer", "rich", "pydantic"}


def test_help_shows_every_command() -> None:
    for group in ("", *cli.GROUPS):
        code, shown, _ = run(*group.split(), "--help")
        assert code == 0
        for path in cli.COMMANDS:
            above, _, name = path.rpartition(" ")
            if above == group:
                assert name in shown


@pytest.mark.parametrize("path", list(cli.COMMANDS))
def test_command_exists_and_shows_help(path: str) -> None:
    module, _, name = cli.COMMANDS[path][0].partition(":")
    function = getattr(importlib.import_module(module), name)
    assert inspect.getdoc(function)
    code, shown, _ = run(*path.split(), "--help")
    assert code == 0
    assert f"Usage: mner {path}" in " ".join(shown.split())


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert run("--version") == (0, f"mner {version('mner')}\n", "")


def test_unknown_command_names_the_nearest() -> None:
    code, out, err = run("evalute")
    assert (code, out) == (2, "")
    assert "'evaluate'" in err
    code, _, err = run("data", "chek")
    assert code == 2
    assert "'check'" in err


def test_unknown_option_is_a_usage_error() -> None:
    code, out, err = run("data", "check", "--nosuch")
    assert (code, out) == (2, "")
    assert "--nosuch" in err


def test_arguments_reach_the_function(command: Callable[..., None]) -> None:
    def probe(path: Path, *, times: int = 1) -> None:
        """Say it."""
        print(" ".join([path.name] * times))

    command(probe)
    assert run("probe", "dir/name", "--times", "2") == (0, "name name\n", "")


@pytest.mark.parametrize("error", [MnerError, ConfigError])
def test_named_fault_is_one_message_and_exit_2(command: Callable[..., None], error: type[MnerError]) -> None:
    def probe() -> None:
        """Fail."""
        print("before")
        raise error("a.toml: 2 faults\n  [x]: unknown key")

    command(probe)
    assert run("probe") == (2, "before\n", "error: a.toml: 2 faults\n  [x]: unknown key\n")


def test_long_message_is_not_wrapped(command: Callable[..., None]) -> None:
    def probe() -> None:
        """Fail."""
        raise MnerError("word " * 100)

    command(probe)
    assert run("probe")[2].count("\n") == 1


def test_defect_keeps_its_traceback(command: Callable[..., None]) -> None:
    def probe() -> None:
        """Fail."""
        raise ZeroDivisionError

    command(probe)
    with pytest.raises(ZeroDivisionError):
        run("probe")


def test_interrupt_says_what_is_kept(command: Callable[..., None]) -> None:
    def probe() -> None:
        """Stop."""
        raise KeyboardInterrupt

    command(probe)
    code, _, err = run("probe")
    assert code == 130
    assert "the same command continues" in err


@pytest.mark.parametrize(("package", "extra"), [("torch", "train"), ("transformers.models", "train")])
def test_absent_package_names_its_extra(command: Callable[..., None], package: str, extra: str) -> None:
    def probe() -> None:
        """Fail."""
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)

    command(probe)
    code, _, err = run("probe")
    assert code == 2
    assert f'pip install "mner[{extra}]"' in err


def test_absent_package_of_no_extra_is_a_defect(command: Callable[..., None]) -> None:
    def probe() -> None:
        """Fail."""
        raise ModuleNotFoundError("No module named 'nosuch'", name="nosuch")

    command(probe)
    with pytest.raises(ModuleNotFoundError):
        run("probe")


def test_reader_that_leaves_is_no_fault() -> None:
    code = (
        "import sys, types\n"
        "from mner import cli\n"
        "def probe() -> None:\n"
        "    for number in range(100_000): print(number)\n"
        "sys.modules['mner_probe'] = types.SimpleNamespace(probe=probe)\n"
        "cli.COMMANDS['probe'] = ('mner_probe:probe', 'A probe.')\n"
        "sys.argv = ['mner', 'probe']\n"
        "cli.build()()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 0
