"""What is searched: the keys that bear on a row, around its own values; a file laid over that."""

from __future__ import annotations

from typing import Any

import pytest

from mner import config as configs
from mner.config.space import Space
from mner.errors import ConfigError
from mner.training.search.defaults import fingerprint, searched, setting

TEXT: dict[str, Any] = {"model": {"name": "text"}, "loss": {"views": ["T"]}}
ITA: dict[str, Any] = {"context": {"order": ["captions"]}, "loss": {"cva": "posterior"}}


def space(**sections: Any) -> Space:
    return Space.model_validate(sections)


def test_text_row_has_no_keys_of_the_picture() -> None:
    chosen, _ = searched(configs.check(TEXT))
    assert list(chosen) == ["training.encoder_lr", "training.crf_lr", "training.epochs", "model.word_dropout"]


def test_ita_row_has_loss_weights_temperature_and_budget() -> None:
    chosen, _ = searched(configs.check(ITA))
    assert set(chosen) - set(searched(configs.check(TEXT))[0]) == {
        "loss.weight_it",
        "loss.weight_cva",
        "loss.temperature",
        "context.budget.captions",
    }
    assert str(chosen["loss.temperature"]) == "1..16 log", "around the preset's 4, though the configuration is silent"
    assert str(chosen["context.budget.captions"]) == "16|32|128"


def test_rates_that_change_nothing_are_not_searched() -> None:
    fresh = space(training={"feature_lr": {"low": 1e-4, "high": 1e-2}})
    plain = {"model": {**TEXT["model"], "case_shape": False}}
    assert searched(configs.check({**TEXT, **plain}), fresh)[1] == ["training.feature_lr"]
    fused = {"model": {"name": "umt", "case_shape": False}, "loss": {"views": ["I+T"]}}
    chosen, left_out = searched(configs.check(fused), fresh)
    assert "training.feature_lr" in chosen and not left_out, "its own layers start fresh"
    pinned = {"training": {"lr": {"crf": 1e-3, "feature": 1e-3}}}
    chosen, _ = searched(configs.check({**fused, **pinned}))
    assert "training.crf_lr" not in chosen and "training.encoder_lr" in chosen


@pytest.mark.parametrize("name", ["imgfeat", "riva", "rpbert", "umgf", "umt"])
def test_model_that_reads_no_text_of_pictures_has_no_budgets(name: str) -> None:
    features = {"model": {"name": name}, "loss": {"views": ["I+T"]}}
    chosen, left_out = searched(configs.check(features), space(context={"budget": {"tags": {"keep": True}}}))
    assert not [key for key in chosen if key.startswith("context.")]
    assert left_out == ["context.budget.tags"]
    without, nothing = searched(configs.check(features))
    assert (fingerprint(without), nothing) == (fingerprint(chosen), [])


def test_empty_contexts_have_no_budgets() -> None:
    empty = {**ITA, "context": {**ITA["context"], "substitute": "empty"}}
    assert not [key for key in searched(configs.check(empty))[0] if key.startswith("context.")]


@pytest.mark.parametrize("name", ["ocsga", "riva"])
def test_model_without_word_dropout_has_none_searched(name: str) -> None:
    vectors = {"model": {"name": name}, "context": {"tags_apart": True}, "loss": {"views": ["I+T"]}}
    wide = space(model={"word_dropout": {"low": 0, "high": 0.5}})
    chosen, left_out = searched(configs.check(vectors), wide)
    assert "model.word_dropout" not in chosen and left_out == ["model.word_dropout"]
    assert ("context.budget.tags" in chosen) == (name == "ocsga")


def test_row_without_alignment_has_no_temperature() -> None:
    chosen, _ = searched(configs.check({**ITA, "loss": {"cva": "none"}}))
    assert "loss.weight_it" in chosen and "loss.temperature" not in chosen and "loss.weight_cva" not in chosen
    chosen, _ = searched(configs.check({**ITA, "loss": {"views": ["I+T"]}}))
    assert "context.budget.captions" in chosen and not [key for key in chosen if key.startswith("loss.")]


def test_every_default_holds_the_configurations_own_value() -> None:
    config = configs.check({**ITA, "model": {"word_dropout": 0.5}, "training": {"epochs": 1, "encoder_lr": 3.333e-5}})
    chosen, _ = searched(config)
    assert chosen["model.word_dropout"].holds(0.5) and chosen["training.encoder_lr"].holds(3.333e-5)
    assert str(chosen["training.epochs"]) == "1..2"


def test_file_is_laid_over_the_defaults() -> None:
    narrow = space(
        training={"epochs": {"choices": [4, 10]}, "crf_lr": {"keep": True}, "warmup": {"low": 0, "high": 0.1}},
        loss={"temperature": {"low": 1, "high": 8}},
    )
    chosen, left_out = searched(configs.check(TEXT), narrow)
    assert list(chosen) == ["training.encoder_lr", "training.epochs", "training.warmup", "model.word_dropout"]
    assert left_out == ["loss.temperature"]
    assert "loss.temperature" in searched(configs.check(ITA), narrow)[0]
    assert fingerprint(chosen) != fingerprint(searched(configs.check(TEXT))[0])


def test_most_epochs_cap_range_and_choices() -> None:
    config = configs.check(TEXT | {"training": {"epochs": 4}})
    assert str(searched(config, epochs_max=5)[0]["training.epochs"]) == "2..5"
    narrow = space(training={"epochs": {"choices": [4, 8]}})
    assert str(searched(config, narrow, epochs_max=5)[0]["training.epochs"]) == "4"
    with pytest.raises(ConfigError, match=r"training.epochs: 2\.\.3 leaves out the configuration's 4"):
        searched(config, epochs_max=3)
    with pytest.raises(ConfigError, match="above the most that a trial may take"):
        searched(config, space(training={"epochs": {"keep": True}}), epochs_max=3)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"training": {"encoder_lr": {"low": 1e-6, "high": 2e-6}}}, "leaves out the configuration's 5e-05"),
        ({"training": {"epochs": {"low": 2.5, "high": 20}}}, "expected whole numbers"),
        ({"model": {"word_dropout": {"low": 0.0, "high": 1.0}}}, "model.word_dropout: input should be less than 1"),
    ],
)
def test_values_that_do_not_suit_are_refused(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        searched(configs.check(TEXT), space(**sections))


def test_nothing_to_search_is_refused() -> None:
    keep = {"keep": True}
    narrow = space(training={"encoder_lr": keep, "crf_lr": keep, "epochs": keep}, model={"word_dropout": keep})
    with pytest.raises(ConfigError, match="nothing to search"):
        searched(configs.check(TEXT), narrow)


def test_setting_changes_one_key_alone() -> None:
    config = configs.check(ITA)
    other = setting(config, {"context.budget.captions": 16}, name="other")
    assert other.context.budget["captions"] == 16 and other.name == "other"
    assert setting(other, {"context.budget.captions": 128}, name=config.name) == config
