"""Configuration files: bases, overrides, round trips, and messages that name every fault at once."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mner import config as configs
from mner.config import schema
from mner.errors import ConfigError

RESULTS = Path(__file__).resolve().parents[2] / "lab" / "results"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_load_merges_bases_below_the_file(tmp_path: Path) -> None:
    write(tmp_path / "base.toml", '[data]\nname = "mine"\ntrain = "a"\n[training]\nepochs = 3\ncrf_lr = 0.1\n')
    row = write(tmp_path / "rows" / "row.toml", 'base = "../base.toml"\nname = "row"\n[training]\nepochs = 7\n')
    config = configs.load(row)
    assert (config.name, config.data.name, config.training.epochs, config.training.crf_lr) == ("row", "mine", 7, 0.1)


def test_load_with_another_base_takes_the_row_to_other_data(tmp_path: Path) -> None:
    write(tmp_path / "one.toml", '[data]\nname = "one"\n')
    other = write(tmp_path / "two.toml", '[data]\nname = "two"\n')
    row = write(tmp_path / "row.toml", 'base = "one.toml"\n')
    assert configs.load(row).data.name == "one"
    assert configs.load(row, base=other).data.name == "two"


def test_several_bases_lie_over_each_other_in_order(tmp_path: Path) -> None:
    write(tmp_path / "posts.toml", '[data]\nname = "mine"\nroot = "far"\n[training]\nepochs = 3\nencoder_lr = 0.1\n')
    write(tmp_path / "encoders" / "big.toml", 'variant = "big"\n[model]\nencoder = "big"\n[training]\nepochs = 5\n')
    both = write(tmp_path / "both.toml", 'base = ["posts.toml", "encoders/big.toml"]\n')
    row = write(tmp_path / "rows" / "row.toml", 'base = "../posts.toml"\nname = "row"\n[model]\nname = "text"\n')
    config = configs.load(row, base=both)
    assert (config.name, config.data.name, config.model.encoder) == ("row-big", "mine", "big")
    assert (config.training.epochs, config.training.encoder_lr, config.model.name) == (5, 0.1, "text")
    assert configs.root_folder(config.data, row.parent).resolve() == (tmp_path / "far").resolve()


@pytest.mark.parametrize("root", ["far", "$MNER_DATA", "mner:sample"])
def test_base_that_states_no_root_leaves_that_of_another(root: str, tmp_path: Path) -> None:
    write(tmp_path / "posts.toml", f'[data]\nname = "mine"\nroot = "{root}"\n')
    write(tmp_path / "deep" / "strict.toml", '[data]\nlabels = "strict"\n')
    for bases in ('["posts.toml", "deep/strict.toml"]', '["deep/strict.toml", "posts.toml"]'):
        config = configs.load(write(tmp_path / "top.toml", f"base = {bases}\n"))
        assert (config.data.root, config.data.labels) == (root, "strict")


def test_last_base_with_data_says_where_they_lie_if_none_states_it(tmp_path: Path) -> None:
    write(tmp_path / "rows" / "row.toml", '[data]\nfeatures = "grid"\n')
    write(tmp_path / "mine" / "data.toml", '[data]\ntrain = "train.txt"\n')
    config = configs.load(write(tmp_path / "top.toml", 'base = ["rows/row.toml", "mine/data.toml"]\n'))
    assert (config.data.root, config.data.features) == ("mine", "grid")


def test_variant_joins_the_name_once(tmp_path: Path) -> None:
    write(tmp_path / "base.toml", 'variant = "low"\n')
    row = write(tmp_path / "row.toml", 'base = "base.toml"\nname = "row"\n')
    config = configs.load(row)
    assert config.name == "row-low"
    assert configs.load(row, set_values=["variant=high", "name=other"]).name == "other-high"
    assert configs.load(write(tmp_path / "out.toml", configs.dumps(config))) == config


def test_plain_root_stays_relative_to_the_file_that_states_it(tmp_path: Path) -> None:
    write(tmp_path / "base.toml", '[data]\nroot = "posts"\n')
    row = write(tmp_path / "rows" / "deep" / "row.toml", 'base = "../../base.toml"\n')
    root = configs.root_folder(configs.load(row).data, row.parent)
    assert root.resolve() == (tmp_path / "posts").resolve()


def test_root_takes_a_folder_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = configs.DataConfig(root="$SOME_DATA/deep")
    monkeypatch.delenv("SOME_DATA", raising=False)
    with pytest.raises(ConfigError, match="SOME_DATA is not set"):
        configs.root_folder(data, Path())
    monkeypatch.setenv("SOME_DATA", str(tmp_path))
    assert configs.root_folder(data, Path()) == tmp_path / "deep"


def test_all_faults_are_told_at_once_with_the_nearest_key(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.toml",
        'nane = "x"\n[model]\nencodr = "a"\n[training]\nepochs = "many"\ncva = "none"\n'
        '[loss]\ncva = "postrior"\n[trainig]\na = 1\n',
    )
    with pytest.raises(ConfigError) as caught:
        configs.load(path)
    message = str(caught.value)
    for part in (
        "6 faults",
        'nane: unknown key; did you mean "name"?',
        'model.encodr: unknown key; did you mean "encoder"?',
        "training.epochs: input should be a valid integer",
        'training.cva: unknown key; "cva" belongs to [loss]',
        'did you mean "posterior"?',
        'trainig: unknown key; did you mean "training"?',
    ):
        assert part in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[loss]\nviews = ["T"]\ncva = "posterior"\n', "aligns two views"),
        ('[loss]\nviews = ["T", "T"]\n', "each once"),
        ("[context.budget]\ncaptions = -5\n", "context.budget.captions: input should be greater than or equal to 0"),
        ("[training]\nencoder_lr = -1\n", "training.encoder_lr: input should be greater than 0, found -1"),
        ("[training\n", "not a readable TOML file"),
        ("base = 3\n", "base: expected a file name"),
        ('base = ["a.toml", 3]\n', "base: expected a file name"),
        ('variant = "a/b"\n', 'variant: expected letters, digits, "." or "-"'),
        ('[model]\nsubtoken_labels = "pad"\n', "set decode.constrained = false"),
        ('base = "gone.toml"\n', "gone.toml: no such file"),
    ],
)
def test_faulty_files_are_refused(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        configs.load(write(tmp_path / "a.toml", text))


NESTED = ("x = " + "[" * 3000 + "]" * 3000, "x = " + "{a = " * 3000 + "1" + "}" * 3000, ".".join("a" * 3000) + " = 1")
HUGE = ("seed = " + "9" * 5000, "seed = 0x" + "f" * 5000, "seed = 9223372036854775808")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (NESTED, "more than 16 deep"),
        (HUGE, "beyond 64 bits"),
        (("training.encoder_lr = nan", "training.crf_lr = inf", "loss.weight_t = -inf"), "finite number"),
        (("seed = 4294967296", "training.threads = 1025"), "input should be less than"),
    ],
)
def test_values_without_bounds_are_refused(tmp_path: Path, texts: tuple[str, ...], expected: str) -> None:
    empty = write(tmp_path / "empty.toml", "")
    for text in texts:
        with pytest.raises(ConfigError, match=expected):
            configs.load(write(tmp_path / "c.toml", text))
        with pytest.raises(ConfigError, match=expected):
            configs.load(empty, set_values=[text.replace(" = ", "=", 1)])


def test_only_a_regular_file_is_a_configuration(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    write(tmp_path / "large.toml", "#" * (2**20 + 1))
    for name, expected in (
        ("pipe.toml", "is a pipe or a device"),
        ("/dev/zero", "is a pipe or a device"),
        (".", "is a folder; name a TOML file"),
        ("large.toml", "over 1,048,576 bytes"),
        ("a\\u0000b", "NUL"),
    ):
        with pytest.raises(ConfigError, match=expected):
            configs.load(write(tmp_path / "row.toml", f'base = "{name}"\n'))
        if "u0000" not in name:
            with pytest.raises(ConfigError, match=expected):
                configs.load(tmp_path / name)
    with pytest.raises(ConfigError, match="no such file"):
        configs.load("a\0b")


SETTINGS = re.findall(r"^.+$", configs.dumps(configs.Config()), re.MULTILINE)
VALUES = ("[]", "{}", '"x"', "1", "-1", "0.5", "nan", "true", "2000-01-01", '[["a"]]', "{a = 1}", '"\\u001b[31m"', "")


@settings(max_examples=150, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, len(SETTINGS) - 1), st.sampled_from(VALUES)), min_size=1, max_size=4))
def test_any_value_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str]]) -> None:
    folder, lines = tmp_path_factory.mktemp("fuzz"), list(SETTINGS)
    for place, value in changes:
        lines[place] = lines[place].partition("=")[0] + f"= {value}"
    write(folder / "base.toml", "\n".join(lines))
    for text in ("\n".join(lines), 'base = "base.toml"'):
        try:
            configs.load(write(folder / "c.toml", text))
        except ConfigError as error:
            assert "\x1b" not in str(error)


def test_base_files_in_a_ring_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.toml", 'base = "b.toml"\n')
    write(tmp_path / "b.toml", 'base = "a.toml"\n')
    with pytest.raises(ConfigError, match="lead back"):
        configs.load(tmp_path / "a.toml")


def test_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    write(tmp_path / "twitter15.toml", "")
    with pytest.raises(ConfigError, match=r'did you mean ".*twitter15\.toml"'):
        configs.load(tmp_path / "twiter15.toml")


def test_overrides_are_toml_values_or_bare_words(tmp_path: Path) -> None:
    path = write(tmp_path / "a.toml", "")
    config = configs.load(
        path,
        set_values=["training.epochs=3", "model.encoder=bert-base-cased", 'loss.views=["T"]', "context.budget.ocr=5"],
    )
    assert config.training.epochs == 3
    assert config.model.encoder == "bert-base-cased"
    assert config.loss.views == ("T",)
    assert config.context.budget == schema.BUDGET | {"ocr": 5}


def test_override_of_one_budget_keeps_the_others_that_a_file_states(tmp_path: Path) -> None:
    base = write(tmp_path / "base.toml", "[context.budget]\ncaptions = 64\ntags = 32\n")
    row = write(tmp_path / "row.toml", 'base = "base.toml"\n[context.budget]\nocr = 16\n')
    assert configs.load(base).context.budget == {"captions": 64, "tags": 32}
    config = configs.load(row, set_values=["context.budget.tags=8"])
    assert config.context.budget == {"captions": 64, "tags": 8, "ocr": 16}
    whole = configs.load(row, set_values=["context.budget={ tags = 8 }"])
    assert whole.context.budget == {"tags": 8}


@pytest.mark.parametrize("setting", ["epochs", "=3", "name.deep=1"])
def test_malformed_override_is_refused(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        configs.load(write(tmp_path / "a.toml", 'name = "x"\n'), set_values=[setting])


@pytest.mark.parametrize(
    "table",
    [
        {"context": {"budget": {}}},
        {"vision": {"options": {"rapid": {}}}},
        {"model": {"options": {"layers": {"deep": {}}}}},
    ],
    ids=str,
)
def test_dumps_keeps_empty_tables(table: dict[str, object]) -> None:
    config = configs.check(table)
    again = configs.check(tomllib.loads(configs.dumps(config)))
    assert again == config and again.fingerprint == config.fingerprint


@settings(deadline=None, max_examples=50)
@given(
    name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    rate=st.floats(1e-9, 1.0),
)
def test_dumps_reads_back_unchanged(tmp_path_factory: pytest.TempPathFactory, name: str, rate: float) -> None:
    config = configs.check(
        {
            "model": {"encoder": name},
            "training": {"crf_lr": rate},
            "vision": {"options": {"rapid": {"min_score": 0.5, name: [1, "two"]}}},
            "context": {"captions": ["catr"]},
        }
    )
    path = tmp_path_factory.mktemp("dumps") / "a.toml"
    path.write_text(configs.dumps(config), encoding="utf-8")
    assert configs.load(path) == config


def test_fingerprint_follows_settings_and_not_the_place_of_the_data() -> None:
    base = configs.check({})
    assert base.fingerprint == configs.check({"data": {"root": "elsewhere"}}).fingerprint
    assert base.fingerprint != configs.check({"seed": 2}).fingerprint


@pytest.mark.parametrize(
    ("section", "key", "default", "other"),
    [
        ("data", "rename", {}, {"OTHER": "MISC"}),
        ("data", "train_posts", 0, 500),
        ("data", "contexts_missing", 0.05, 1.0),
        ("data", "features", None, "features"),
        ("context", "substitute", "none", "shuffled"),
        ("context", "links", "keep", "fold"),
        ("teachers", "models", [], ["runs/a/b/1"]),
        ("teachers", "view", "same", "I+T"),
        ("teachers", "rename", {}, {"OTHER": "MISC"}),
        ("teachers", "weight", 1.0, 0.5),
        ("teachers", "temperature", 1.0, 2.0),
        ("model", "layers", 0, 2),
        ("model", "subtoken_labels", "first", "pad"),
        ("training", "passes", 1, 2),
        ("training", "gradient_checkpointing", False, True),
    ],
)
def test_later_keys_are_silent_at_their_default(section: str, key: str, default: object, other: object) -> None:
    free = {"decode": {"constrained": False}}
    plain = configs.check(free)
    assert configs.check({**free, section: {key: default}}).fingerprint == plain.fingerprint
    assert configs.check({**free, section: {key: other}}).fingerprint != plain.fingerprint
    assert (section, key) in schema.LATER


def test_committed_records_keep_their_fingerprints() -> None:
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*/*/*.json"))]
    assert records
    retired = [(section, key, off) for section, keys in schema.RETIRED.items() for key, off in keys.items()]
    for record in records:
        settings = [(record["config"][section].get(key, off), off) for section, key, off in retired]
        if any(value != off for value, off in settings):
            continue  # an option that is gone: what is left of such a run is its record
        assert configs.check(record["config"]).fingerprint == record["config_fingerprint"]


def test_base_does_not_take_the_place_of_a_row(tmp_path: Path) -> None:
    (tmp_path / "data.toml").write_text('[data]\nname = "one"\n')
    (tmp_path / "row.toml").write_text('base = "data.toml"\nname = "text"\n[model]\nname = "text"\n')
    tuned = tmp_path / "tuned.toml"
    tuned.write_text('base = "row.toml"\nname = "text-tuned"\n')
    other = tmp_path / "other.toml"
    other.write_text('[data]\nname = "two"\n')
    assert configs.load(tmp_path / "row.toml", base=other).data.name == "two"
    with pytest.raises(
        ConfigError, match=r"tuned\.toml: builds on the experiment .*row\.toml, which .*other\.toml would replace"
    ):
        configs.load(tuned, base=other)


def test_settings_that_were_taken_out_are_read_where_they_are_off() -> None:
    table = {"training": {"ema": 0.0, "layer_decay": 1.0, "epochs": 3}}
    assert configs.check(table).fingerprint == configs.check({"training": {"epochs": 3}}).fingerprint
    with pytest.raises(ConfigError, match=r"training\.ema: unknown key"):
        configs.check({"training": {"ema": 0.9}})


def test_training_files_may_be_one_or_several() -> None:
    single, several = (configs.check({"data": {"train": train}}).data for train in ("a.txt", ["a.txt", "b.txt"]))
    assert (single.files("train"), several.files("train"), several.files("dev")) == (("a.txt",), ("a.txt", "b.txt"), ())
    with pytest.raises(ConfigError, match=r"data\.dev"):
        configs.check({"data": {"dev": ["a.txt", "b.txt"]}})


def test_rename_is_part_of_the_fingerprint_where_it_says_something() -> None:
    plain = configs.check({"data": {"train": "a.txt"}})
    renamed = configs.check({"data": {"train": "a.txt", "rename": {"OTHER": "MISC"}}})
    assert renamed.fingerprint != plain.fingerprint
    assert configs.check({"data": {"train": "a.txt", "rename": {}}}).fingerprint == plain.fingerprint
    assert configs.check(tomllib.loads(configs.dumps(renamed))) == renamed


@pytest.mark.parametrize("key", ["name", "data.name"])
@settings(deadline=None, max_examples=60)
@given(
    before=st.text(max_size=3),
    sign=st.sampled_from(["/", "\\", "\0", "\x1b", "\n", "\x7f", "\x9b"]),
    after=st.text(max_size=3),
)
def test_name_with_a_separator_or_control_character_is_refused(key: str, before: str, sign: str, after: str) -> None:
    refused(key, f"{before}{sign}{after}")


@pytest.mark.parametrize("key", ["name", "data.name"])
@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "../x", "/tmp/x", "x" * 201, "é" * 101])
def test_name_that_is_no_folder_inside_another_is_refused(key: str, name: str) -> None:
    refused(key, name)


def refused(key: str, name: str) -> None:
    table = {"name": name} if key == "name" else {"data": {"name": name}}
    with pytest.raises(ConfigError, match=f"{key}: expected the name of a folder"):
        configs.check(table)


def test_names_in_any_script_are_kept() -> None:
    for name in ("ita-ga+cva", "トイ データ", "می‌خواهم", "a.b", "x" * 200):
        assert configs.check({"name": name, "data": {"name": name}}).name == name


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1", "mps"])
def test_devices_are_those_that_torch_names(device: str) -> None:
    assert configs.check({"training": {"device": device}}).training.device == device


@pytest.mark.parametrize("device", ["banana", "", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:1 "])
def test_other_device_is_refused(device: str) -> None:
    with pytest.raises(ConfigError, match=r'training\.device: expected "auto", "cpu", "cuda"'):
        configs.check({"training": {"device": device}})


@pytest.mark.parametrize(
    ("written", "faults"),
    [
        ("5", ["data.train: input should be a valid string or a valid tuple, found 5"]),
        ('["a", 5, 6]', [f"data.train.{place}: input should be a valid string, found {place + 4}" for place in (1, 2)]),
    ],
)
def test_setting_of_two_kinds_has_its_faults_once(tmp_path: Path, written: str, faults: list[str]) -> None:
    path = write(tmp_path / "mine.toml", f"[data]\ntrain = {written}\n")
    with pytest.raises(ConfigError) as error:
        configs.load(path)
    first, *others = str(error.value).splitlines()
    assert first == f"{path}: {len(faults)} fault{'s' * (len(faults) > 1)}"
    assert [line.strip() for line in others] == faults


def test_base_is_not_a_setting(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.toml", 'name = "mine"\n')
    with pytest.raises(ConfigError, match=r"--set base=x\.toml: .*--base FILE"):
        configs.load(path, set_values=["base=x.toml"])


def test_identity_that_is_no_table_is_a_fault_beside_a_variant(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.toml", 'variant = "mpnet"\nidentity = "mine"\n')
    with pytest.raises(ConfigError, match="identity: input should be a valid dictionary"):
        configs.load(path)
