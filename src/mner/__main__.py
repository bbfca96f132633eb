"""The ``mner`` command. It imports nothing that takes time before Ctrl-C is answered."""

from __future__ import annotations

import os
import sys
from typing import Any

from mner.interrupt import answer, leave


def main() -> None:
    """Run the command line of this process."""
    answer(leave)
    sys.unraisablehook = _unraisable
    _open_closed()
    from mner.cli import app

    app(prog_name="mner")


def _unraisable(fault: Any) -> None:
    """Ctrl-C in the middle of a callback, where Python would print a traceback and go on."""
    if fault.exc_type is KeyboardInterrupt:
        leave(0, None)
    sys.__unraisablehook__(fault)


def _open_closed() -> None:
    """Put something that fails in the place of a standard stream that is closed.

    Else the next file that is opened would take its number, and receive what is printed.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            # Stdin for writing alone, stdout for reading alone: using either is a fault that is reported.
            os.dup2(os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_WRONLY), number)
            stream: Any = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            stream.buffer.raw.name = f"<{name}>"  # for messages
            setattr(sys, name, stream)


if __name__ == "__main__":
    main()
