"""A search space from a file: its values checked, every fault named."""

from __future__ import annotations

from pathlib import Path

import pytest

from mner.config.space import read_space
from mner.errors import ConfigError


def test_space_reads_ranges_choices_and_budgets(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(
        "[training]\nencoder_lr = { low = 1e-5, high = 1e-3, log = true }\n"
        "[context.budget]\ncaptions = { choices = [16, 64] }\n"
    )
    assert {key: str(values) for key, values in read_space(path).items()} == {
        "training.encoder_lr": "1e-05..0.001 log",
        "context.budget.captions": "16|64",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[training]\nencoder_rate = { choices = [1] }",
            'training.encoder_rate: unknown key; did you mean "encoder_lr"',
        ),
        ("[training]\nword_dropout = { choices = [0.1] }", r'"word_dropout" belongs to \[model\]'),
        ('[data]\ndev = "test.txt"', "data: unknown key"),
        ("[training]\nseed = { choices = [1] }", "training.seed: unknown key"),
        ("[training]\nepochs = { low = 1 }", "training.epochs: give low and high, or choices"),
        ("[training]\nepochs = { low = 1, high = 2, keep = true }", "training.epochs: give low and high, or choices"),
        ("[training]\nepochs = { low = 3, high = 2 }", "training.epochs: low 3 is above high 2"),
        ("[model]\nword_dropout = { low = 0, high = 0.3, log = true }", "log = true needs a low above 0"),
        ("[training]\nepochs = { choices = [2, 2] }", "each once"),
        ("[context.budget]\nsmell = { choices = [1] }", "context.budget.smell"),
        ("epochs = ", "not a readable TOML file"),
    ],
)
def test_faults_of_a_space_are_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_space(path)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text("[training]\nepoch = 3\nepochs = { low = 1 }\n")
    with pytest.raises(ConfigError, match=r"(?s)2 faults.*training\.epochs.*training\.epoch:"):
        read_space(path)
