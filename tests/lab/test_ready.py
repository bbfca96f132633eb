"""The tool that makes the ready model: what it leaves out, how it chooses, what its card says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from lab.ready import build
from lab.ready.build import FILES_OF_MODEL, candidates, choose, refuse
from lab.ready.calibrated import judged
from lab.ready.card import card
from lab.ready.data import ALL, CHOOSING, EARLIER, OVERLAP, prepare, refuse_leaks, settings
from lab.ready.report import CONFIG, ece_if_true
from mner import config as configs
from mner import data
from mner.config import Config
from mner.contexts.artefact import read_contexts
from mner.decode import ScoredSpan
from mner.evaluation.calibration import grade
from mner.types import Post


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two data sets; one training post has a dev post's text but for case and link."""
    texts = {
        "twitter2015/train.txt": "IMGID:1\nKevin\tB-PER\nwins\tO\n\nIMGID:2\nREAL\tB-ORG\nnews\tO\nhttp://a.b\tO\n\n",
        "twitter2015/valid.txt": "IMGID:3\nOhio\tB-LOC\nnow\tO\n\n",
        "twitter2015/test.txt": "IMGID:4\nRome\tB-LOC\n\n",
        "twitter2017/train.txt": "IMGID:5\nOscars\tB-MISC\ntonight\tO\n\n",
        "twitter2017/valid.txt": "IMGID:6\nReal\tB-ORG\nnews\tO\n\n",
    }
    for name, text in texts.items():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).write_text(text)
    (tmp_path / "source" / "contexts").mkdir()
    for name in ("twitter2015", "twitter2017"):
        row = '{"image": "1.jpg", "captions": [{"text": "a man", "source": "catr"}]}\n'
        (tmp_path / "source" / "contexts" / f"{name}.jsonl").write_text(row)
    return tmp_path / "source"


def test_configuration_of_the_ready_model_loads() -> None:
    config = configs.load(CONFIG)
    assert config.name == "social-en"
    assert config.context.order == ("captions", "tags", "ocr") and config.context.captions is None
    assert config.data.rename == {"OTHER": "MISC"}
    assert config.decode.constrained


@pytest.mark.parametrize("name", ["social-en-large", "social-minilm"])
def test_other_ready_models_differ_in_their_encoder_and_its_settings_alone(name: str) -> None:
    ours, other = configs.load(CONFIG), configs.load(CONFIG.with_name(f"{name}.toml"))
    short = other.model.encoder.partition(":")[2]
    beside = CONFIG.parents[2] / "configs" / "encoders" / f"{short}.toml"
    settings = configs.load(beside if beside.exists() else CONFIG.parents[2] / "configs" / "twitter15.toml")
    assert other.name == name and other.model.encoder != ours.model.encoder
    assert other.model.case_shape == settings.model.case_shape
    rates = {key: getattr(settings.training, key) for key in ("warmup", "encoder_lr")}
    assert other.training == ours.training.model_copy(update=rates)
    assert (other.data, other.loss) == (ours.data, ours.loss)
    assert other.context == ours.context.model_copy(update={"links": other.context.links})


def test_ready_model_is_taught_by_the_large_one() -> None:
    (place,) = configs.load(CONFIG).teachers.models
    large = configs.load(CONFIG.with_name("social-en-large.toml"))
    assert Path(place) == Path("runs", large.name, "runs", large.data.name, large.name, str(large.seed))
    assert not large.teachers.models and not configs.load(CONFIG.with_name("social-minilm.toml")).teachers.models


def test_posts_of_scored_splits_are_left_out_of_training(source: Path, tmp_path: Path) -> None:
    counts = prepare(source, tmp_path / "data", quick=False, say=lambda message: None)
    assert counts["twitter2015"] == {"posts": 1, "same text as a scored post": 1, "a type is not labelled": 0}
    assert counts["twitter2017"]["same text as a scored post"] == 0
    assert [post.id for post in data.read(tmp_path / "data" / EARLIER)] == ["1", "5"]
    assert {"1", "5"} <= {post.id for post in data.read(tmp_path / "data" / ALL)}
    assert not (tmp_path / "data" / "twitter2017.test.txt").exists()
    refuse_leaks(tmp_path / "data", say=lambda message: None)


def test_every_training_post_with_a_picture_has_a_simulated_context(source: Path, tmp_path: Path) -> None:
    prepare(source, tmp_path / "data", quick=False, say=lambda message: None)
    contexts = read_contexts(tmp_path / "data" / OVERLAP)
    assert {post.image for post in data.read(tmp_path / "data" / ALL) if post.image} == set(contexts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "training.epoch=5"], 'did you mean "epochs"?'),
        (["--earlier", "nowhere"], "nowhere: not a saved model"),
        (
            ["--set", 'teachers.models=["a/big/1"]'],
            "is made by: python -m lab.ready.build lab/ready/big.toml --recipe this",
        ),
        (["--earlier", "nowhere", "--recipe", "this"], "leave out --earlier"),
    ],
)
def test_what_is_wrong_is_named_at_once_without_a_traceback(
    arguments: list[str],
    message: str,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MNER_DATA", str(source))
    monkeypatch.setattr("sys.argv", ["build", *arguments])
    with pytest.raises(SystemExit, match="2"):
        build.main()
    assert message in capsys.readouterr().err


def test_a_leak_is_refused(source: Path, tmp_path: Path) -> None:
    prepare(source, tmp_path / "data", quick=False, say=lambda message: None)
    (tmp_path / "data" / ALL).write_text("IMGID:3\nOscars\tB-MISC\n")  # a dev post's picture
    with pytest.raises(SystemExit, match="picture"):
        refuse_leaks(tmp_path / "data", say=lambda message: None)


def test_the_epoch_is_chosen_on_every_second_dev_post_of_each_data_set(source: Path, tmp_path: Path) -> None:
    prepare(source, tmp_path / "data", quick=False, say=lambda message: None)
    assert [post.id for post in data.read(tmp_path / "data" / CHOOSING)] == ["3", "6"]


def test_candidates_are_the_earlier_recipe_and_this_one() -> None:
    config = settings(CONFIG, quick=False, changes=['teachers.models=["large"]'])
    recipes = candidates(config)
    assert list(recipes) == ["earlier", "this"]
    assert recipes["this"] == config and not recipes["earlier"].teachers.models
    assert recipes["earlier"].data.train == EARLIER and recipes["earlier"].data.dev == config.data.dev
    assert recipes["earlier"].name != config.name


def test_a_model_is_taken_only_where_it_helps_and_loses_nowhere_but_by_noise() -> None:
    def scored(*f1: float) -> dict[str, Any]:
        return {str(number): {"T": {"micro": {"f1": each}}} for number, each in enumerate(f1)}

    assert choose({"first": scored(70, 70), "all": scored(71, 71)}) == "all"
    assert choose({"first": scored(70, 70), "all": scored(69.6, 80)}) == "all"
    assert choose({"first": scored(70, 70), "all": scored(69.4, 80)}) == "first"
    assert choose({"first": scored(70, 70), "all": scored(69.8, 70.1)}) == "first"
    assert choose({"first": scored(70, 70), "half": scored(69.8, 75), "all": scored(69.4, 80)}) == "half"


def test_this_recipe_goes_on_from_the_earlier_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained, mixed = [], []

    def train(config: Config, **folders: Any) -> Path:
        trained.append((config.name, config.model.init))
        return tmp_path / config.name

    def average(first: Path, second: Path, share: float, out: Path) -> Path:
        mixed.append((first.parent.name, second.parent.name, share))
        return out

    monkeypatch.setattr(build, "train", train)
    monkeypatch.setattr(build, "averaged", average)
    config, earlier = settings(CONFIG, quick=False), str(tmp_path / "social-en-earlier" / "model")
    saved_models, run = build.models(config, tmp_path, recipe=None, earlier=None)
    assert trained == [("social-en-earlier", None), ("social-en", earlier)]
    assert mixed == [("social-en-earlier", "social-en", share) for share in build.SHARES]
    assert next(iter(saved_models)) == "social-en-earlier" and list(saved_models)[-1] == "social-en, 100% of the change"
    assert run == tmp_path / "social-en"

    trained.clear()
    saved_models, run = build.models(config, tmp_path, recipe=None, earlier=tmp_path / "given")
    assert (
        trained == [("social-en", str(tmp_path / "given"))] and saved_models["social-en-earlier"] == tmp_path / "given"
    )
    trained.clear()
    saved_models, run = build.models(config, tmp_path, recipe="this", earlier=None)
    assert trained == [("social-en", None)] and list(saved_models) == ["social-en"]


def test_encoder_is_cut_down_to_what_the_prepared_posts_use(
    source: Path, tmp_path: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(source, tmp_path / "data", quick=False, say=lambda message: None)
    config = settings(CONFIG, quick=False, changes=[f"model.encoder={tiny_encoder}"])
    assert build.with_trimmed(config, tmp_path) == config, "small enough as it is"
    monkeypatch.setattr(build, "KEEP_TOP", 5)
    trimmed = Path(build.with_trimmed(config, tmp_path).model.encoder)
    assert trimmed.parent == tmp_path
    pieces, before = (Tokenizer.from_file(str(each / "tokenizer.json")) for each in (trimmed, tiny_encoder))
    assert pieces.get_vocab_size() < before.get_vocab_size()
    assert build.with_trimmed(config, tmp_path).model.encoder == str(trimmed)
    with (tmp_path / "data" / ALL).open("a") as file:
        file.write("IMGID:9\nelsewhere\tO\n\n")
    assert build.with_trimmed(config, tmp_path).model.encoder != str(trimmed), "other posts, other pieces"


def test_curves_are_fitted_on_posts_in_which_all_found_types_were_labelled(tmp_path: Path) -> None:
    def find(posts: Sequence[Post]) -> list[tuple[ScoredSpan, ...]]:
        return [(ScoredSpan(0, 1, "MISC", 0.9),) if post.words[0] == "Oscars" else () for post in posts]

    for name in ("btc", "wnut17"):
        (tmp_path / f"{name}.dev.txt").write_text(
            "".join(f"IMGID:1\n{word}\tO\n\n" for word in ("Oscars", "a", "b", "c", "d"))
        )
    judged_words = [post.words[0] for post in judged(find, tmp_path)]
    assert judged_words == ["Oscars", "b", "d", "b", "d"], "every second one, btc's without what may be MISC"


def test_package_with_a_posts_text_is_refused(tmp_path: Path) -> None:
    folder, source = tmp_path / "model", tmp_path / "source"
    folder.mkdir()
    for name in FILES_OF_MODEL:
        (folder / name).write_text("plain")
    (source / "twitter2015").mkdir(parents=True)
    (source / "twitter2015" / "train.txt").write_text("IMGID:1\nKevin\tB-PER\nwins\tO\nit\tO\nagain\tO\n")
    refuse(folder, source, megabytes=1)
    (folder / "README.md").write_text("for example: Kevin wins it again")
    with pytest.raises(SystemExit, match="text of post 1"):
        refuse(folder, source, megabytes=1)
    (folder / "README.md").write_text(f"read from {source}")
    with pytest.raises(SystemExit, match="folder of this machine"):
        refuse(folder, source, megabytes=1)
    (folder / "extra.bin").write_bytes(b"")
    with pytest.raises(SystemExit, match="expected"):
        refuse(folder, source, megabytes=1)


def test_card_says_what_was_trained_on_and_what_text_in_pictures_does() -> None:
    prf = {"precision": 80.0, "recall": 70.0, "f1": 75.0}
    row = {
        "micro": prf,
        "labels": {"PER": prf},
        "signature": "s",
        "ece": 4.5,
        "ece_uncalibrated": 12.5,
        "slices": {"unseen": {"names": 9, "recall": 55.5}},
    }
    means = {"posts": 0, "gold": 0, "T": 0.5, "I+T": 0.6}
    facts: dict[str, Any] = {
        "name": "social-en",
        "quick": False,
        "encoder": "embedded:minilm",
        "chosen": "social-en",
        "counts": {"btc": {"posts": 40, "a type is not labelled": 7}, "copies": {"names": 3}},
        "candidates": {"a": {"btc.dev": {"T": row, "I+T": row}}, "social-en": {"btc.dev": {"T": row, "I+T": row}}},
        "record": {
            "seed": 1,
            "best_epoch": 2,
            "precision": "no",
            "machine": {"cores": 2, "cpu": "x"},
            "config": {"teachers": {"models": ["runs/social/big/1"], "weight": 1.0, "temperature": 2.0}},
            "splits": {"train": {"posts": 43, "entities": 50, "fingerprint": "f", "contexts": {"used": 12}}},
        },
        "onnx": {"posts_per_second": 1.0, "torch_posts_per_second": 1.0, "threads": 1, "differing": 0, "posts": 5},
        "scores": {"btc.dev": {"T": row, "I+T": row}},
        "overlap": {
            "posts": 60,
            "readings": {"the name": {"found": 50, "false": 2, "name": 70.0, "word": 1.0, "others": 2.0}},
        },
        "overlap_earlier": None,
        "pictures": {"posts": [], "totals": {"dev": means, "train": means}},
        "megabytes": 24.0,
    }
    text = card(facts)
    assert "- btc: 40 posts; left out: a type is not labelled 7" in text
    assert "- changed copies of these: names 3" in text
    assert "| btc.dev | T | 75.00 | 4.5 | 12.5 | 75.0 |  | 55.5 (9) |  |  |  |" in text
    assert "| the name | 50 | 2 | 70.0 | 1.0 | 2.0 |" in text
    assert text.index("`a`:") < text.index("## Text in pictures")
    assert "2 cores (x), fp32." in text
    assert "what `big`, trained on the same posts, gives each word" in text and "temperature 2)" in text
    assert "all-MiniLM-L6-v2" in text and "`social-en` was taken" in text


def test_true_probabilities_have_the_error_of_tossed_coins() -> None:
    graded = grade([[]] * 10, [[ScoredSpan(0, 1, "PER", 0.5)]] * 10)
    exact = sum(math.comb(10, heads) / 2**10 * abs(heads / 10 - 0.5) for heads in range(11))  # all in one bin
    assert ece_if_true(graded, draws=4000) == pytest.approx(100 * exact, rel=0.05)
    assert ece_if_true(grade([[]], [[]])) is None
