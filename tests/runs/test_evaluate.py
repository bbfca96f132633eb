"""mner evaluate: dev as often as wanted, test once and counted, on what was frozen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mner import config as configs
from mner.errors import ConfigError, DataError, MnerError
from mner.runs.evaluate import evaluate, evaluate_seeds, mean_signatures
from mner.runs.record import RunRecord
from mner.training import train

TEXT = "IMGID:1\nKevin\tB-PER\nLove\tI-PER\nwon\tO\n\nIMGID:2\nReal\tB-ORG\nMadrid\tI-ORG\n!\tO\n\n"


@pytest.fixture
def run(tiny_encoder: Path, tmp_path: Path) -> Path:
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.txt").write_text(TEXT.replace("B-ORG", "B-TEAM") if name == "test" else TEXT)
    config = configs.check(
        {
            "data": {"name": "corpus", "train": "train.txt", "dev": "dev.txt", "test": "test.txt"},
            "model": {"name": "text", "encoder": str(tiny_encoder)},
            "loss": {"views": ["T"]},
            "training": {"epochs": 1, "device": "cpu"},
        }
    )
    return train(config, root=tmp_path, out=tmp_path / "runs")


def test_dev_scores_equal_those_of_training(run: Path, tmp_path: Path) -> None:
    record = json.loads((run / "record.json").read_text())
    scores = evaluate(run, results=tmp_path / "results").to_dict()
    assert all("calibration" in of_view for of_view in scores.values())
    assert scores == record["dev"]
    assert not (tmp_path / "results").exists()


def test_final_scores_test_once_and_counts_it(run: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    first = evaluate(run, final=True, results=results)
    assert first.to_dict()["T"]["labels_unseen_in_training"] == {"TEAM": 1}
    assert first.scores["T"].micro.gold == 3  # PER, TEAM, and the stray I-ORG that repair makes an entity
    (tmp_path / "test.txt").unlink()  # asked again, test stays closed
    assert evaluate(run, final=True, results=results) == first
    uses = (results / "test-uses.jsonl").read_text().splitlines()
    assert len(uses) == 1 and json.loads(uses[0])["run"] == "corpus/run/1"
    assert json.loads((results / "corpus" / "run" / "1.json").read_text())["test"] == first.to_dict()


def test_final_refuses_a_changed_configuration(run: Path, tmp_path: Path) -> None:
    path = run / "config.toml"
    path.write_text(path.read_text().replace("constrained = true", "constrained = false"))
    with pytest.raises(MnerError, match="config changed since training ended"):
        evaluate(run, final=True, results=tmp_path / "results")


def test_final_refuses_changed_weights(run: Path, tmp_path: Path) -> None:
    evaluate(run, final=True, results=tmp_path / "results")
    frozen = json.loads((run / "frozen.json").read_text())
    (run / "frozen.json").write_text(json.dumps({**frozen, "model": "0" * 12}))
    with pytest.raises(MnerError, match="model changed since the run was frozen"):
        evaluate(run, final=True, results=tmp_path / "results")


def test_unfinished_and_missing_runs_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(MnerError, match=r"name the posts to score: mner evaluate social-en POSTS"):
        evaluate(Path("social-en"))
    (tmp_path / "text" / "1").mkdir(parents=True)
    (tmp_path / "text" / "1" / "record.json").write_text("{}")
    with pytest.raises(MnerError, match=rf"runs are below it: mner evaluate {tmp_path}/text$"):
        evaluate(tmp_path)
    shutil.rmtree(tmp_path / "text")
    with pytest.raises(MnerError, match="not a run directory; make one"):
        evaluate(tmp_path)
    (tmp_path / "checkpoint.safetensors").touch()
    with pytest.raises(MnerError, match="an unfinished run; continue it"):
        evaluate(tmp_path)


def test_run_without_test_split_says_so(run: Path, tmp_path: Path) -> None:
    for path in (run / "config.toml", run / "model" / "config.toml"):
        path.write_text(path.read_text().replace('test = "test.txt"\n', ""))
    from mner.runs.evaluate import _score
    from mner.runtime import read_model
    from mner.runtime.saved import seal

    manifest = json.loads((run / "model" / "model.json").read_text())
    seal(run / "model", {key: value for key, value in manifest.items() if key not in {"format", "mner", "files"}})
    with pytest.raises(ConfigError, match=r"data\.test: not set"):
        _score(run, read_model(run / "model"), "test")


def test_test_split_without_contexts_is_refused_and_not_counted(tiny_encoder: Path, tmp_path: Path) -> None:
    for name in ("train", "dev"):
        (tmp_path / f"{name}.txt").write_text(TEXT)
    (tmp_path / "test.txt").write_text(TEXT.replace("IMGID:", "IMGID:test-"))
    contexts, results = tmp_path / "contexts.jsonl", tmp_path / "results"
    contexts.write_text("".join(f'{{"image": "{n}.jpg", "captions": [{{"text": "a game"}}]}}\n' for n in (1, 2)))
    files = {"train": "train.txt", "dev": "dev.txt", "test": "test.txt", "contexts": ["contexts.jsonl"]}
    table = {"data": {"name": "corpus", **files}, "model": {"encoder": str(tiny_encoder)}}
    config = configs.check({**table, "training": {"epochs": 1, "device": "cpu"}})
    run = train(config, root=tmp_path, out=tmp_path / "runs")
    before = contexts.read_text()
    contexts.write_text(before.replace("a game", "a race"))
    with pytest.raises(MnerError, match=r"reads of dev's pictures has changed .*: contexts\.jsonl; restore"):
        evaluate(run, final=True, results=results)
    contexts.write_text(before)
    with pytest.raises(DataError, match=r'test\.txt: of its 2 pictures 2 have no record .*such as "test-1.jpg"'):
        evaluate(run, final=True, results=results)
    assert not results.exists() and "test" not in json.loads((run / "record.json").read_text())
    with contexts.open("a") as stream:
        stream.writelines(f'{{"image": "test-{n}.jpg"}}\n' for n in (1, 2))
    evaluate(run, final=True, results=results)
    assert json.loads((run / "record.json").read_text())["outcomes"]["test"]["contexts"] == {"empty": 2}


def test_other_dev_posts_are_scored_under_their_own_name(run: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "valid.txt").write_text(TEXT + "IMGID:3\nParis\tB-LOC\n")
    scores = evaluate(run, dev="other/valid.txt", results=tmp_path / "results")
    assert scores.scores["T"].micro.gold == 3  # PER, ORG, LOC
    assert "data=corpus/other/valid.txt@" in scores.scores["T"].signature
    assert not (tmp_path / "results").exists()


def test_other_dev_posts_are_no_way_around_final(run: Path, tmp_path: Path) -> None:
    with pytest.raises(MnerError, match="test split"):
        evaluate(run, dev="../" + tmp_path.name + "/test.txt")
    with pytest.raises(ValueError, match="no dev posts"):
        evaluate(run, final=True, dev="dev.txt")


def seeded(run: Path) -> Path:
    """The row's folder with a second seed beside the first."""
    config = configs.load(run / "config.toml").model_copy(update={"seed": 2})
    train(config, root=configs.root_folder(config.data, run), out=run.parents[2])
    return run.parent


def test_all_seeds_of_a_row_are_scored_and_counted(run: Path, tmp_path: Path) -> None:
    results, row = tmp_path / "results", seeded(run)
    scores = evaluate_seeds(row, final=True, results=results)
    assert list(scores) == [1, 2]
    uses = [json.loads(line)["run"] for line in (results / "test-uses.jsonl").read_text().splitlines()]
    assert uses == ["corpus/run/1", "corpus/run/2"]
    assert evaluate_seeds(row, final=True, results=results) == scores
    assert len((results / "test-uses.jsonl").read_text().splitlines()) == 2
    assert "seeds=2" in str(mean_signatures(list(scores.values()))["T"])


def test_no_seed_is_scored_if_one_changed_or_is_unfinished(run: Path, tmp_path: Path) -> None:
    results, row = tmp_path / "results", seeded(run)
    second = row / "2" / "config.toml"
    text = second.read_text()
    second.write_text(text.replace("constrained = true", "constrained = false"))
    with pytest.raises(MnerError, match="2: config changed since training ended"):
        evaluate_seeds(row, final=True, results=results)
    second.write_text(text)
    (row / "2" / "record.json").unlink()
    with pytest.raises(MnerError, match="2: not finished"):
        evaluate_seeds(row, final=True, results=results)
    assert not results.exists()
    with pytest.raises(MnerError, match="holds no runs"):
        evaluate_seeds(tmp_path / "nowhere")


def test_record_from_before_outcomes_is_scored_and_counted_once_more(run: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    first = evaluate(run, final=True, results=results)
    record = json.loads((run / "record.json").read_text())
    outcomes = record.pop("outcomes")
    (run / "record.json").write_text(json.dumps(record))
    assert evaluate(run, final=True, results=results) == first
    assert json.loads((run / "record.json").read_text())["outcomes"] == outcomes
    assert len((results / "test-uses.jsonl").read_text().splitlines()) == 2


def test_score_that_cannot_be_counted_is_not_recorded(run: Path, tmp_path: Path) -> None:
    results, before = tmp_path / "results", (run / "record.json").read_bytes()
    results.mkdir()
    (results / "test-uses.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    with pytest.raises(DataError, match=r"test-uses\.jsonl: cannot be written"):
        evaluate(run, final=True, results=results)
    assert (run / "record.json").read_bytes() == before
    assert not list(results.rglob("1.json"))
    (results / "test-uses.jsonl").unlink()
    evaluate(run, final=True, results=results)
    assert len((results / "test-uses.jsonl").read_text().splitlines()) == 1


def test_use_is_counted_before_its_score_is_recorded(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Nothing catches it, as nothing catches SIGKILL."""

    def write(record: RunRecord, path: Path) -> None:
        raise Killed

    results = tmp_path / "results"
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(RunRecord, "write", write)
        evaluate(run, final=True, results=results)
    uses = (results / "test-uses.jsonl").read_text().splitlines()
    assert len(uses) == 1
    scores = evaluate(run, final=True, results=results)
    assert (results / "test-uses.jsonl").read_text().splitlines() == uses * 2, "test was opened twice"
    assert json.loads((results / "corpus" / "run" / "1.json").read_text())["test"] == scores.to_dict()


def test_scored_record_of_another_run_is_kept(run: Path, tmp_path: Path) -> None:
    results, row = tmp_path / "results", seeded(run)
    committed = results / "corpus" / "run" / "2.json"
    committed.parent.mkdir(parents=True)
    other = json.loads((row / "2" / "record.json").read_text()) | {"model": "0" * 12}
    scored = other | {"test": other["dev"]}
    committed.write_text(json.dumps(scored))
    for score, place in ((evaluate, row / "2"), (evaluate_seeds, row)):
        with pytest.raises(MnerError, match=r"run.2\.json: scored on test, .* another run than .*another --results"):
            score(place, final=True, results=results)
    assert not (results / "test-uses.jsonl").exists() and not list(row.glob("*/frozen.json"))
    assert json.loads(committed.read_text()) == scored
    committed.write_text(json.dumps(other))
    evaluate(row / "2", final=True, results=results)  # a record without test scores is replaced
    assert json.loads(committed.read_text()) == json.loads((row / "2" / "record.json").read_text())


def test_model_trained_again_takes_its_scores_from_the_record(run: Path, tmp_path: Path) -> None:
    results, fresh = tmp_path / "results", (run / "record.json").read_text()
    first = evaluate(run, final=True, results=results)
    (run / "record.json").write_text(fresh)
    (run / "frozen.json").unlink()
    (tmp_path / "test.txt").unlink()  # test stays closed
    assert evaluate(run, final=True, results=results) == first
    assert len((results / "test-uses.jsonl").read_text().splitlines()) == 1
    assert json.loads((run / "record.json").read_text())["test"] == first.to_dict()


def test_seeds_scored_on_different_posts_have_no_mean(run: Path, tmp_path: Path) -> None:
    results, row = tmp_path / "results", seeded(run)
    evaluate(run, final=True, results=results)
    (tmp_path / "test.txt").write_text(TEXT)
    with pytest.raises(
        DataError, match=r"run.1 and .*run.2: seeds of one experiment were scored differently: data corpus/test@"
    ):
        evaluate_seeds(row, final=True, results=results)


def test_seeds_with_other_settings_are_refused_before_test_is_used(run: Path, tmp_path: Path) -> None:
    results, row = tmp_path / "results", seeded(run)
    record = json.loads((row / "2" / "record.json").read_text())
    record["config"]["training"]["epochs"] = 3
    (row / "2" / "record.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"different settings: training\.epochs = 1 and 3"):
        evaluate_seeds(row, final=True, results=results)
    assert not results.exists()


@pytest.mark.parametrize("name", ["record.json", "frozen.json"])
def test_damaged_files_of_a_run_say_what_to_do(run: Path, tmp_path: Path, name: str) -> None:
    (run / name).write_text('{"data": "cor')
    remedy = "--restart" if name == "record.json" else "delete it"
    for score, place in ((evaluate, run), (evaluate_seeds, run.parent)):
        with pytest.raises(DataError, match=rf"1.{name}: .*{remedy}"):
            score(place, final=True, results=tmp_path / "results")
    assert not (tmp_path / "results").exists()
