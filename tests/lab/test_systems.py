"""A system is trained on the sample and scored with pictures, in the T view and with zeros."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from lab import systems
from mner import config as configs
from mner import data, models


@pytest.mark.parametrize("row", systems.SYSTEMS)
def test_every_system_reads_what_the_program_makes(row: str, tiny_encoder: Path, tmp_path: Path) -> None:
    own, zeros = (
        systems.config_of(row, tmp_path, epochs=1, seed=1, encoder=str(tiny_encoder), zeros=blind)
        for blind in (False, True)
    )
    needs = models.needs(own)
    if needs.pictured:
        assert Path(own.data.features or "").name == needs.pictured[0].name
        assert (zeros.data.features, zeros.data.features_missing) == (None, "zero")
    else:
        assert zeros.context.substitute == "empty"
    assert {task.data for task in needs.tasks} <= set(own.data.tasks)


def test_labels_name_what_each_marked_picture_shows() -> None:
    sample = configs.root_folder(configs.load(systems.CONFIGS / "sample.toml").data, systems.CONFIGS)
    named = {context.image: [tag.object for tag in context.tags] for context in systems.labels(sample)}
    posts = [post for split in ("train", "dev", "test") for post in data.read(sample / f"{split}.jsonl")]
    assert set(named) == {post.image for post in posts if post.extra.get("marked")}
    assert named["train-002.png"] == ["board"]  # a team's scores beside "Dallas"


def test_program_trains_scores_and_writes(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(systems, "Extractor", _Blind)
    out = tmp_path / "systems.json"
    given = ["umgf", "--encoder", str(tiny_encoder), "--epochs", "1", "--out", str(out)]
    assert systems.main(given) == 0
    (gain,) = json.loads(out.read_text(encoding="utf-8"))["systems"]
    assert gain["system"] == "umgf" and gain["seconds"] > 0
    assert all(0 <= gain[score] <= 100 for score in ("seen", "unseen", "zeros", "whole"))
    assert "umgf" in capsys.readouterr().out


def test_rows_of_a_record_stay_beside_those_trained_again(tmp_path: Path) -> None:
    record, head = tmp_path / "systems.json", {"about": "now", "seed": 1, "epochs": 12}
    assert systems.earlier(record, head) == {}
    gain = systems.Gain("umt", 12, 24, 45.8, 20.8, 25.0, 70.4, 60.0, {})
    record.write_text(json.dumps({**head, "about": "before", "systems": [asdict(gain)]}), encoding="utf-8")
    assert systems.earlier(record, head) == {"umt": gain}
    with pytest.raises(ValueError, match=r"systems.json: its rows have another seed and epochs; name no rows"):
        systems.earlier(record, {**head, "seed": 2, "epochs": 3})


class _Blind:
    """Stands for the detector, which takes a while."""

    def __init__(self, config: object) -> None:
        pass

    def stream(self, items: object) -> list[object]:
        return []
