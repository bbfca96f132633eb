"""The notebook runs from top to bottom, and holds no outputs."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

NOTEBOOK = Path(__file__).resolve().parents[1] / "examples" / "notebook.ipynb"


def test_notebook_runs_and_shows_what_the_picture_changed() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    names: dict[str, object] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for cell in code:
            exec("".join(cell["source"]), names)
    assert "Phoenix LOC 15 22" in printed.getvalue()
    assert "[Kevin Love|PER" in printed.getvalue()
    for shown in ("words_alone", "with_picture", "explanation"):
        assert "Phoenix" in names[shown]._repr_html_()  # type: ignore[attr-defined]
