"""docs/paper.md: published numbers as they were published, ours from the records, a reason where there is none."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from lab import paper
from lab.published import PaperRow, published
from lab.report import RESULTS
from mner import analysis, models
from mner import config as configs
from mner.analysis.captions import CaptionPoint, Captions
from mner.analysis.parts.f1_summary import F1Summary
from mner.config import Config
from mner.show import tables
from tests import records
from tests.records import GOLD, LESS, WORSE, Commit, Make

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def results(make_record: Make, commit: Commit) -> Path:
    """Two seeds of text and ita-all-cva on Twitter-15, one of text on Twitter-17, scored on dev alone."""
    for seed, text in ((1, LESS), (2, WORSE)):
        commit(make_record("text", seed, {"T": text, "I+T": WORSE}, data="twitter15"))
        commit(make_record("ita-all-cva", seed, {"T": LESS, "I+T": GOLD}, data="twitter15"))
    return commit(make_record("text", 1, {"T": GOLD, "I+T": GOLD}, data="twitter17", scored=("dev",))).parents[1]


def written(results: Path) -> str:
    return tables.markdown(paper.TITLE, paper.about(results), paper.sections(results))


def section(text: str, name: str) -> list[str]:
    """The lines of a section."""
    return text.partition(f"\n## {name}: ")[2].partition("\n## ")[0].splitlines()


def test_tables_and_figures_stand_in_the_papers_order() -> None:
    names = [f"Table {number}" for number in range(1, 7)] + [f"Figure {number}" for number in range(2, 6)]
    assert [each.name for each in published().exhibit] == [*names, "Appendix A.1", "Appendix A.5"]


def test_every_row_can_run() -> None:
    rows = {path.stem for path in (ROOT / "configs" / "rows").glob("*.toml")}
    controls = {f"{path.stem}-zeroed" for path in (ROOT / "lab" / "zeroed").glob("*.toml")} | {"umt-pad-zeroed"}
    trained = published().trained
    for each in published().exhibit:
        assert bool(each.row) != bool(each.analysis), each.name
        assert not each.analysis or (each.analysis in analysis.names() and set(each.of) <= rows | controls)
        for row in each.row:
            assert row.row in trained or row.row in rows, f"{each.name}, {row.name}: no configs/rows/{row.row}.toml"


def test_every_source_is_explained_and_every_number_is_one() -> None:
    shown = [figure for each in published().exhibit for row in each.row for figure in row.published]
    assert {figure.source for figure in shown} == set(published().sources)
    numbers = [number for each in shown for number in (each.twitter15, each.twitter17, each.snap) if number]
    assert all(re.match(r"\d\d\.\d\d( \(P \d\d\.\d\d, R \d\d\.\d\d\))?$", number) for number in numbers)


ROWS = {row.row: row for each in published().exhibit for row in each.row}


def configured(row: PaperRow) -> Config:
    """What a row's command trains."""
    mner, train, path, *rest = shlex.split(paper.command(row))
    assert (mner, train) == ("mner", "train")
    given = list(pairwise(rest))
    base = next((ROOT / value for option, value in given if option == "--base"), None)
    return configs.load(ROOT / path, base=base, set_values=[value for option, value in given if option == "--set"])


@pytest.mark.parametrize("name", ROWS)
def test_command_trains_what_it_names_and_is_not_refused(name: str) -> None:
    config = configured(ROWS[name])
    assert (config.identity.experiment or config.name) == name
    needs = models.needs(config)
    assert config.data.features or not needs.pictured
    assert {task.data for task in needs.tasks} <= config.data.tasks.keys()


def test_rows_that_need_more_than_their_file_are_rows_of_the_paper() -> None:
    assert published().trained.keys() <= ROWS.keys()
    for name in ("ita-la-bottomup", "ita-ga-bottomup", "ita-oca-paddle"):
        config = configured(ROWS[name])
        (contexts,) = config.data.contexts
        if "captions" in config.context.order:  # else the base's captioners stay, of which that file has nothing
            assert config.context.captions == (Path(contexts).stem,), name


def test_systems_are_trained_as_on_their_pages() -> None:
    pages = (path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "systems").glob("*.md")))
    shown = " ".join(" ".join(pages).replace("\\\n", " ").split())
    systems = [row for name, row in ROWS.items() if name in published().trained and not name.startswith("ita-")]
    assert [row.row for row in systems if paper.command(row).removesuffix(" --results lab/results") not in shown] == []


def test_cost_of_systems_stands_beside_itas() -> None:
    appendix = section(written(RESULTS), "Appendix A.1")
    for name in ("ita-ga-cva-tuned", "umt-zeroed-tuned", "umgf-zeroed-tuned", "rpbert-zeroed-tuned"):
        assert any(line.startswith(f"| twitter15/{name} | embedded:minilm |") for line in appendix), name
    text = (ROOT / "docs" / "systems" / "README.md").read_text(encoding="utf-8")
    assert "paper-tables.md#appendix-a1-parameters-and-time)" in text
    assert "\n## Appendix A.1: Parameters and time\n" in written(RESULTS)


def test_analysis_that_the_data_do_not_allow_says_what_it_needs() -> None:
    for name in ("Table 6", "Figure 5"):
        lines = section(written(RESULTS), name)
        assert any(line.startswith("- needs the pictures") for line in lines)
        assert not any("not run" in line for line in lines)


def test_papers_encoders_are_known_by_their_names() -> None:
    names = ("bert-base-cased", "google-bert/bert-base-uncased", "xlm-roberta-large", "distilbert-base-cased")
    assert [bool(paper.PAPERS.search(name)) for name in names] == [True, True, True, False]


def test_published_and_measured_stand_together(results: Path) -> None:
    lines = section(written(results), "Table 1")
    shown = [line for line in lines if line.startswith("| BERT-CRF, XLMR-CRF | T |")]
    assert shown[0].startswith("| BERT-CRF, XLMR-CRF | T | BERT base, published | 74.79 [C] | - | - | - |")
    assert shown[2] == (
        "| BERT-CRF, XLMR-CRF | T | tiny, here | 42.86 ± 20.20 (test, 2) | 100.00 (dev, 1) | no data | - | "
        "text; not the paper's encoder |"
    )
    (cva,) = [line for line in lines if line.startswith("| ITA-All + CVA | I+T | tiny, here |")]
    assert re.search(r"\| 100\.00 ± 0\.00 \(test, 2\) \| no record \| no data \| \+57\.14 \(\+.* to \+.*\) \|", cva)
    assert "| ITA-GA | I+T | here | - | - | - | - | not run: no record |" in lines
    assert any(
        line.startswith("| ITA-LA | I+T | here | - | - | - | - | needs the pictures' object tags: ") for line in lines
    )
    assert "- ITA-LA: `mner train configs/rows/ita-la.toml --seeds 5 --results lab/results`" in lines
    assert any(line.startswith("- text T, twitter15 test: `f1=42.86 sd=20.20 view=T ") for line in lines)


def test_row_that_reads_less_than_the_papers_says_so(results: Path, make_record: Make, commit: Commit) -> None:
    record = make_record("ita-random", 1, {"T": LESS, "I+T": LESS}, data="twitter15")
    record["config"]["context"] = {"order": ["captions"]}
    commit(record)
    (line,) = [line for line in section(written(results), "Table 4") if line.startswith("| ITA-Random | I+T | tiny,")]
    assert line.endswith("| ita-random; not the paper's encoder; of captions alone |")


@pytest.mark.parametrize(("epochs", "remark"), [(15, "; 15 epochs of 200"), (200, "")])
def test_row_that_trains_less_than_published_says_so(
    results: Path, make_record: Make, commit: Commit, epochs: int, remark: str
) -> None:
    record = make_record("ocsga", 1, {"T": LESS, "I+T": LESS}, data="twitter15")
    record["config"].setdefault("training", {})["epochs"] = epochs
    commit(record)
    (line,) = [line for line in section(written(results), "Table 2") if line.startswith("| OCSGA | I+T | tiny,")]
    assert line.endswith(f"| ocsga; not the paper's encoder{remark} |")


def test_best_of_seeds_is_compared_with_the_best(results: Path) -> None:
    lines = section(written(results), "Table 2")
    assert any(line.startswith("| BERT-CRF | T | tiny, here | best 57.14 (test, 2) |") for line in lines)
    (signed,) = [line for line in lines if line.startswith("- text, best seed 1 T, twitter15 test: ")]
    assert "`f1=57.14 view=T " in signed and "seeds=1 " in signed, "of the run whose figure stands there"
    (cva,) = [line for line in lines if line.startswith("| ITA-All + CVA | I+T | tiny, here |")]
    assert "| no data | - |" in cva, "the best of some seeds is no mean to subtract"


def test_our_riva_is_called_a_re_implementation_with_and_without_a_record(
    results: Path, make_record: Make, commit: Commit
) -> None:
    ours = "RIVA (re-implementation from the paper's description)"
    lines = section(written(results), "Table 2")
    assert any(line.startswith(f"| {ours} | I+T | here | - | - | - | - | needs pairs of text") for line in lines)
    assert any(line.startswith(f"- {ours}: `mner train ") for line in lines)
    own = {"experiment": "riva", "variant": "glove-6b-50d"}
    commit(make_record("riva-glove-6b-50d", 1, {"T": LESS, "I+T": GOLD}, data="twitter15", identity=own))
    lines = section(written(results), "Table 2")
    assert any(line.startswith(f"| {ours} | I+T | tiny, here | best 100.00 (test, 1) |") for line in lines)
    assert any(line.startswith("| RIVA | I+T | its own, published | 73.80 [B] |") for line in lines)


def test_rows_of_other_names_encoders_and_posts(results: Path, make_record: Make, commit: Commit) -> None:
    bert = {"encoder": {"name": "bert-base-cased"}, "data": "twitter15"}
    own = {"experiment": "text", "variant": "bert-base-cased", "tuned": True}
    commit(make_record("text-bert-base-cased-tuned", 1, {"T": GOLD, "I+T": GOLD}, identity=own, **bert))
    commit(make_record("text-mine", 1, {"T": GOLD, "I+T": GOLD}, data="twitter15"))
    of_post = make_record("text-tuned", 1, {"T": GOLD, "I+T": GOLD}, data="twitter15")
    of_post["config"]["data"] = {"train_posts": 2}
    commit(of_post)
    text = written(results)
    shown = [line for line in section(text, "Table 1") if line.startswith("| BERT-CRF, XLMR-CRF | T |")]
    assert len(shown) == 4 and shown[3].startswith(
        "| BERT-CRF, XLMR-CRF | T | bert-base-cased, here | 100.00 (test, 1) |"
    )
    assert shown[3].endswith("| text-bert-base-cased-tuned |")
    assert "The records here stand on bert-base-cased, tiny:" in text


def test_rows_on_other_contexts_say_which(results: Path, make_record: Make, commit: Commit) -> None:
    for name in ("ita-la-cva-standin-tuned", "ita-la-cva-blip2", "ita-la-cva-other"):
        commit(make_record(name, 1, {"T": GOLD, "I+T": GOLD}, data="twitter15"))
    shown = [
        line for line in section(written(results), "Table 1") if line.startswith("| ITA-LA + CVA | I+T | tiny, here |")
    ]
    said = [line.rsplit(" | ", 1)[1] for line in shown]
    assert [each.partition("; ")[0] for each in said] == ["ita-la-cva-blip2", "ita-la-cva-standin-tuned"]
    assert "name who is seen" in said[0] and "stand-ins: " in said[1]
    notes = [line for line in section(written(results), "Appendix A.1") if line.startswith("- ita-la-")]
    assert [each.partition(": ")[0] for each in notes] == ["- ita-la-cva-blip2", "- ita-la-cva-standin-tuned"]


def test_tuned_row_tells_its_trials_and_is_measured_against_tuned_text(
    results: Path, make_record: Make, commit: Commit
) -> None:
    for data in ("twitter15", "twitter17"):
        record = make_record("ita-all-cva-tuned", 1, {"T": GOLD, "I+T": GOLD}, data=data)
        commit(record)
    trials = [{"settings": {}, "score": 1.0}]
    facts = {"data": "twitter15", "config": record["config"], "trials_asked": 7, "trials_done": 7}
    records.write_search(results, records.search("ita-all-cva", trials, **facts))

    def line() -> str:
        result = [line for line in section(written(results), "Table 1") if line.startswith("| ITA-All + CVA | I+T |")]
        return next(line for line in result if line.endswith("| ita-all-cva-tuned; not the paper's encoder |"))

    assert "| 100.00 (test, 1, 7 trials) | 100.00 (test, 1) | no data | - |" in line(), "no tuned text, no difference"
    commit(make_record("text-tuned", 1, {"T": LESS, "I+T": LESS}, data="twitter15"))
    assert "| no data | +42.86 (" in line()


def test_analyses_are_drawn_from_records_or_said_to_lack_them(results: Path, make_record: Make, commit: Commit) -> None:
    text = written(results)
    assert "- not run: no record" in section(text, "Figure 2")
    assert any(line.startswith("| twitter15/ita-all-cva | tiny | 2 |") for line in section(text, "Appendix A.1"))
    labels = section(text, "Table 5")
    assert "### Labels: twitter15/ita-all-cva I+T against twitter15/text T, test" in labels
    assert (
        "- `mner analyze labels twitter15/ita-all-cva --baseline twitter15/text --split test --results lab/results`"
        in labels
    )
    commit(make_record("ita-all-cva", 3, {"T": LESS, "I+T": GOLD}, data="twitter15", scored=("dev",)))
    assert section(written(results), "Table 5") == labels, "a seed without test scores takes no part"
    result = Captions("twitter15/ita-ga-cva", ("a",), 1, 4, (CaptionPoint(0, F1Summary((7.0,), 7.0, None, "f1=7"), 4),))
    records.write_analysis(results, "captions", result, "twitter15/ita-ga-cva/1@m1")
    assert "- not run: no record" in section(written(results), "Figure 2"), "of a row that has no runs on record"


def test_recorded_analysis_is_drawn(results: Path, make_record: Make, commit: Commit) -> None:
    commit(make_record("ita-ga-cva", 1, {"T": GOLD, "I+T": GOLD}, data="twitter15"))
    result = Captions("twitter15/ita-ga-cva", ("a",), 1, 4, (CaptionPoint(0, F1Summary((7.0,), 7.0, None, "f1=7"), 4),))
    records.write_analysis(results, "captions", result, "twitter15/ita-ga-cva/1@m1", options={})
    lines = section(written(results), "Figure 2")
    assert "| twitter15/ita-ga-cva | 1 | 7.00 |" in lines
    command = "mner analyze captions runs/twitter15/ita-ga-cva --record --results lab/results"
    assert f"- `{command}`, dev: twitter15/ita-ga-cva/1@m1" in lines


def test_other_data_sets_make_no_such_page(make_record: Make, commit: Commit) -> None:
    other = commit(make_record("text", 1, {"T": LESS, "I+T": LESS})).parents[1]
    assert not paper.of_the_paper(other)


def test_page_exists_for_the_papers_data_sets(results: Path) -> None:
    assert paper.of_the_paper(results)
