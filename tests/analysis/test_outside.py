"""Adding an analysis touches one file: it is listed, has its options, and is drawn in every form."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mner import analysis
from mner.analysis import Inputs
from mner.errors import ConfigError, MnerError, PluginError
from mner.show.analysis import FORMS

LETTERS = """
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from mner.analysis import About
from mner.analysis.parts.report import Bars, Column, Report, Table
from mner.config import Section


@dataclass(frozen=True)
class Letters:
    row: str
    count: int


ABOUT = About("letters in the names of experiments", reads="records", result=Letters)


class Options(Section):
    of: Annotated[str, Field(description="The letter.")]
    least: Annotated[int, Field(ge=0, description="Smallest count.")] = 0


def analyze(inputs, options):
    counts = [Letters(row, row.count(options.of)) for row in inputs.rows]
    return report([each for each in counts if each.count >= options.least])


def report(results):
    rows = tuple((each.row, each.count) for each in results)
    bars = Bars("Letters", "count", ("letters",), tuple((row, (float(count),)) for row, count in rows))
    table = Table("Letters", (Column("row"), Column("count", "d")), rows)
    return Report("letters", ABOUT.title, "", tuple(results), (table,), (bars,), (("all", "measure=letters"),))
"""


@pytest.fixture(params=["letters", "their_lab.letters"])
def name(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of the analysis, whose file stands in a folder of analyses or in a package outside mner."""
    folder = tmp_path / "their_lab"
    folder.mkdir()
    (folder / "letters.py").write_text(LETTERS)
    if request.param == "letters":
        monkeypatch.setattr(analysis, "__path__", [*analysis.__path__, str(folder)])
    else:
        (folder / "__init__.py").touch()
        monkeypatch.syspath_prepend(str(tmp_path))
    yield request.param
    for module in ("mner.analysis.letters", "their_lab.letters", "their_lab"):
        sys.modules.pop(module, None)
    vars(analysis).pop("letters", None)


def test_file_alone_makes_an_analysis(name: str) -> None:
    assert ("letters" in analysis.names()) == (name == "letters")
    assert analysis.about(name).title == "letters in the names of experiments"
    options = analysis.checked_options(name, {"of": "e", "least": "1"})
    report = analysis.analyze(name, Inputs(["d/one", "d/text", "d/ita"]), options)
    written = {form: write(report) for form, write in FORMS.items()}
    assert written["text"].splitlines()[2:4] == ["d/one       1", "d/text      1"]
    assert json.loads(written["json"]) == [{"row": "d/one", "count": 1}, {"row": "d/text", "count": 1}]
    assert "| d/text | 1 |" in written["markdown"]
    assert "measure=letters" in written["html"] and "<svg" in written["html"]
    assert written["svg"].startswith("<svg xmlns=")
    assert analysis.report(name, report.results) == report


def test_options_are_those_of_the_file(name: str) -> None:
    with pytest.raises(MnerError, match=r"needs --of: the letter$"):
        analysis.checked_options(name, {})
    with pytest.raises(MnerError, match="has no option --most; its options: --of, --least"):
        analysis.checked_options(name, {"of": "e", "most": 3})
    with pytest.raises(ConfigError, match="least: input should be greater than or equal to 0"):
        analysis.checked_options(name, {"of": "e", "least": -1})


def test_file_that_lacks_a_part_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "their_lab" / "letters.py").write_text("ABOUT = None")
    with pytest.raises(PluginError, match="its module lacks Options, analyze"):
        analysis.load(name)


def test_analysis_needs_an_experiment_unless_it_says_otherwise() -> None:
    with pytest.raises(MnerError, match="captions: name at least one experiment"):
        analysis.analyze("captions", Inputs())
    assert [name for name in analysis.names() if analysis.about(name).alone] == ["cost"]


@pytest.mark.parametrize("name", analysis.names())
def test_every_option_is_described(name: str) -> None:
    assert all(field.description for field in analysis.load(name).Options.model_fields.values())
