"""The command shell: lazy, exact about exit codes, never a traceback for a fault that mner names."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import pytest
import typer
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
    result = CliRunner().invoke(cli.app, list(arguments), prog_name="mner")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


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
    assert {name for name in loaded if name.startswith("mner.cli.")} == {"mner.cli.commands", "mner.cli.output"}


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


@pytest.mark.parametrize("path", list(cli.COMMANDS))
def test_option_without_its_value_points_at_the_help_of_its_command(path: str) -> None:
    options = [option for option in cli.load(path).params if option.opts[0].startswith("--") and not option.is_flag]
    if options:
        code, out, err = run(*path.split(), options[0].opts[0])
        assert (code, out) == (2, "")
        assert err.endswith(f"usage: mner {path} --help\n")


def test_help_begins_with_what_users_begin_with() -> None:
    shown = run("--help")[1]
    places = [shown.index(f" {name} ") for name in ("predict", "explain", "train", "evaluate", "report")]
    assert places == sorted(places)


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


@pytest.mark.parametrize(
    ("option", "arguments", "message"),
    [
        ("", (), "the same command continues"),
        ("", ("--restart",), "what was finished is kept; the same command without --restart continues."),
        ("out", ("--out", "folder"), "the same command continues"),
        ("out", ("--out", "rows.jsonl"), "nothing is kept; with --out FOLDER"),
        ("out", (), "only what was printed is kept; with --out FOLDER"),
        ("out", ("--to", "prodigy", "--out", "tasks.jsonl"), "nothing is kept; the same command starts over."),
        ("out", ("--to", "prodigy"), "only what was printed is kept; the same command starts over."),
        ("out", ("--text", "Hi"), "only what was printed is kept; the same command starts over."),
        (None, ("--out", "folder"), "starts over"),
    ],
)
def test_interrupt_says_what_is_kept(
    command: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    option: str | None,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    def probe(
        out: Annotated[str | None, typer.Option()] = None,
        restart: Annotated[bool, typer.Option("--restart")] = False,
        to: Annotated[str | None, typer.Option()] = None,
        text: Annotated[str | None, typer.Option()] = None,
    ) -> None:
        """Stop."""
        raise KeyboardInterrupt

    command(probe)
    if option is not None:
        monkeypatch.setitem(cli.CONTINUED, "probe", option)
    code, _, err = run("probe", *arguments)
    assert code == 130
    assert message in err


def test_commands_that_continue_exist() -> None:
    for path, option in cli.CONTINUED.items():
        assert not option or option in {parameter.name for parameter in cli.load(path).params}


SOURCE = str(Path(cli.__file__).parents[1])


def computed(process: subprocess.Popen[str]) -> float:
    """CPU seconds of a process so far."""
    clock = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(clock[11]) + int(clock[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the time is read as Linux counts it")
@pytest.mark.parametrize("sent", [0.02, 0.1, 0.2, 0.4, 0.7])
def test_interrupt_while_starting_is_one_word(sent: float, tmp_path: Path) -> None:
    # With a FIFO nobody writes to for posts, so that the command does not end before the signal.
    os.mkfifo(tmp_path / "posts.jsonl")
    command = [sys.executable, "-m", "mner", "predict", str(tmp_path / "posts.jsonl"), "--out", str(tmp_path / "out")]
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # a job in the background ignores it
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **heard) as process:
        deadline = time.monotonic() + 20
        while computed(process) < sent and time.monotonic() < deadline:  # on a busy machine it starts more slowly
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    begun = sent > 0.15 or process.returncode == 130 or SOURCE in err
    if begun:  # before that the signal meets Python, which starts more slowly where nothing of it is in memory yet
        assert (process.returncode, out, err.count("\n")) == (130, "", 1)
        assert err.startswith("interrupted")


def printed_to(place: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with its stdout on another file."""
    command = f'"$0" -m mner "$@" {place}'
    return subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, *arguments], capture_output=True, text=True, timeout=120
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [("--version",), ("backends",), ("encoder", "list"), ("analyze", "--help")])
@pytest.mark.parametrize("place", [">/dev/full", ">&-"])
def test_stdout_that_takes_nothing_is_a_message(arguments: tuple[str, ...], place: str) -> None:
    done = printed_to(place, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard output cannot be written: ")
    assert done.stderr.count("\n") == 1


def test_closed_stderr_loses_messages_alone(tmp_path: Path) -> None:
    assert printed_to("2>&-", "data", "check", str(tmp_path / "nosuch")).returncode == 2
    assert printed_to("2>/dev/full", "data", "check", str(tmp_path / "nosuch")).returncode == 2
    assert "mner" in printed_to("2>&-", "--version").stdout


def test_fault_of_the_system_is_a_message(command: Callable[..., None], tmp_path: Path) -> None:
    def probe() -> None:
        """Fail."""
        (tmp_path / "nosuch").read_text()

    command(probe)
    assert run("probe") == (2, "", f"error: {tmp_path / 'nosuch'}: No such file or directory\n")


def test_message_cannot_steer_the_terminal(command: Callable[..., None]) -> None:
    def probe() -> None:
        """Fail."""
        raise MnerError("label \x1b[31m[red]x[/y]\x9b2J\u202e")

    command(probe)
    assert run("probe")[2] == "error: label \\u001b[31m[red]x[/y]\\u009b2J\\u202e\n"
    code, _, err = run("evaluate", "--no\x1b]0;such")
    assert code == 2
    assert "\x1b" not in err


def test_commands_print_in_one_way() -> None:
    folder = Path(cli.__file__).parent
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "output.py":
            assert not re.search(r"typer\.(s?echo|style)|\bConsole\(|\bprint\((?<!\.print\()", text), path


@pytest.mark.parametrize("path", ["", *cli.GROUPS, *cli.COMMANDS])
def test_short_help_is_help_without_types_of_flags(path: str) -> None:
    short, long = run(*path.split(), "-h"), run(*path.split(), "--help")
    assert short == long
    assert long[0] == 0
    assert "<bool>" not in long[1]
    assert "BOOLEAN" not in long[1]


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
