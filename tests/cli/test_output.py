"""What commands print: safe on a terminal, exact for another program."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mner.cli import output

EVIL = "a\x1b]0;t\x07[red]b[/y]\x9b2J:smile:\u202ec"
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def written(stream: Terminal) -> str:
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined, no-any-return]


def test_nothing_foreign_steers_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.table import Table

    terminal = Terminal(io.BytesIO(), encoding="utf-8", write_through=True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    output.say(EVIL)
    output.say(Path(EVIL))
    output.record(f'{{"text": "{EVIL[-12:]}"}}')
    output.complain("error:", EVIL, "bold red")
    table = Table(EVIL, title=EVIL)
    table.add_row(EVIL)
    output.console().print(table)
    output.console().print(EVIL)
    with output.working(EVIL) as work:
        work.show(EVIL)
        work.note(EVIL)
    text = written(terminal)
    assert not STEERING.search(text)
    assert "[red]b[/y]" in text and ":smile:" in text, "foreign text is no markup"


def test_path_and_record_for_another_program_are_exact(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    output.say(Path("a\x1bb\udcff"))
    output.record('{"text": "\u202ec"}')
    assert capfdbinary.readouterr().out == b'a\x1bb\xff\n{"text": "\xe2\x80\xaec"}\n'


SHOWN = """
from mner.cli.output import console
from mner.show.terminal import sentence
from mner.types import Entity, Prediction
prediction = Prediction("", "Kevin wins", (Entity(0, 5, "Kevin", "PER", 0.934),))
console().print(sentence(prediction))
print(prediction)
"""


def printed(environment: dict[str, str], *, terminal: bool) -> bytes:
    """What a fresh process prints of a prediction, on a terminal or into a pipe."""
    ours, theirs = os.openpty() if terminal else os.pipe()
    inherited = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR", "COLORTERM"}}
    with subprocess.Popen([sys.executable, "-c", SHOWN], stdout=theirs, env={**inherited, **environment}) as process:
        os.close(theirs)
        output_ = b""
        with contextlib.suppress(OSError):  # a terminal whose program has ended
            while part := os.read(ours, 4096):
                output_ += part
        os.close(ours)
    assert process.returncode == 0
    return output_.replace(b"\r\n", b"\n")


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_entities_are_coloured_on_a_terminal_alone() -> None:
    line = b"[Kevin|PER 0.93] wins\n"
    coloured = printed({"TERM": "xterm"}, terminal=True)
    assert b"\x1b[1;34mKevin" in coloured
    assert coloured.endswith(b"\n" + line), "print() is plain"
    without = printed({"TERM": "xterm", "NO_COLOR": "1"}, terminal=True)
    assert b"Kevin" in without
    assert not re.search(rb"\x1b\[[0-9;]*3[0-7]", without)
    plain = b"Kevin PER 0.93 wins\n" + line
    assert printed({"TERM": "dumb"}, terminal=True) == plain
    assert printed({"TERM": "xterm"}, terminal=False) == plain
