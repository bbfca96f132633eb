import json
from dataclasses import replace

import pytest

from mner.config import ContextConfig
from mner.errors import ConfigError, DataError, ModelError
from mner.preflight import check
from mner.preflight.posts import examine_tokens
from mner.preflight.report import Findings
from mner.types import Caption, ContextText, Post, VisualContext
from mner.views import Views

TRAIN = "IMGID:1\nKevin\tB-PER\nwins\tO\n\nIMGID:2\nOhio\tB-LOC\n\n"
NO_ENCODER = '[model]\nencoder = "no-such-group/no-such-encoder"\n'


def kinds(report):
    return dict(report.counts)


def test_clean_file_is_fine(write):
    report = check([write("train.txt", TRAIN)])
    assert report.fine
    assert (report.findings, kinds(report)) == ((), {})
    assert report.splits["train"].identity == ("twitter", "IOB2")
    assert report.splits["train"].statistics.stamp.labels == {"LOC": 1, "PER": 1}
    assert len(report.skipped) == 3


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("train.txt", "IMGID:1\nKevin\na\tPERSON\nb\tO\n\nx\tO\n\nIMGID:5\nc\tO\td\ne\tO\n", [2, 3, 6, 9]),
        ("train.conll", "Kevin\na\tPERSON\nb\tO\n\n\tO\n", [1, 2, 5]),
        ("train.jsonl", '{"text": "a", "entities": []}\n{\n[]\n{"text": 3}\n', [2, 3, 4]),
        ("train.txt", "IMGID:1\na\tO\n\udce9\tO\n", [3]),
    ],
)
def test_every_bad_line_is_listed(write, tmp_path, name, text, lines):
    path = tmp_path / name
    path.write_bytes(text.encode(errors="surrogateescape"))
    report = check([path])
    findings = [finding for finding in report.findings if finding.kind == "bad line"]
    assert [finding.where for finding in findings] == [f"{path}:{line}" for line in lines]
    assert all(finding.severity == "error" for finding in findings)
    assert kinds(report) == {"bad line": len(lines)}
    assert not report.fine


def test_findings_are_listed_up_to_the_limit_and_all_counted(write):
    path = write("train.txt", "IMGID:1\na\tO\n" + "bad\n" * 9)
    assert [len(check([path], limit=limit).findings) for limit in (3, 20, 0)] == [3, 9, 9]
    report = check([path], limit=3)
    assert (report.counts, report.met) == ({"bad line": 9}, {"bad line": 9})


def test_texts_and_pictures_in_two_splits_are_told_apart(write):
    train = write("train.txt", TRAIN)
    dev = write("dev.txt", "IMGID:7\nKevin\tO\nwins\tO\n\nIMGID:8\nKevin\tO\nwins\tO\n\n")
    test = write("test.txt", "IMGID:7\nother\tO\n\nIMGID:1\nKevin\tB-PER\nwins\tO\n\n")
    report = check([test, dev, train])
    assert list(report.splits) == ["train", "dev", "test"]
    assert kinds(report) == {
        "same text: train/dev": 1,
        "same picture: dev/test": 1,
        "same text: train/test": 1,
        "same text: dev/test": 1,
        "same picture: train/test": 1,
    }
    first = report.findings[0]
    assert (first.severity, first.where) == ("warning", f"{dev}:1")
    assert first.message == f'"Kevin wins" is also in train, at {train}:1'


def test_same_text_is_found_across_formats(write):
    report = check([write("train.txt", TRAIN), write("test.jsonl", '{"text": "Kevin  wins", "entities": []}\n')])
    assert kinds(report) == {"same text: train/test": 1}


def test_repeated_id_is_named_within_a_split(write):
    path = write("train.txt", "IMGID:1\na\tB-X\n\nIMGID:1\nb\tO\n\n")
    report = check([path])
    assert kinds(report) == {"repeated id": 1}
    assert report.findings[0].where == f"{path}:4"
    assert f"at {path}:1" in report.findings[0].message


def test_label_that_train_lacks_is_named(write):
    report = check([write("train.txt", TRAIN), write("dev.txt", "IMGID:3\na\tB-ORG\nb\tB-PER\n\n")])
    assert kinds(report) == {"label not in train": 1}
    assert "1 entities are ORG" in report.findings[0].message


def test_repaired_labels_are_a_note(write):
    path = write("train.txt", "IMGID:1\na\tI-ORG\nb\tB-PER\n\n")
    report = check([path])
    assert kinds(report) == {"repaired labels": 1}
    assert report.fine
    assert report.splits["train"].statistics.strict == 1
    strict = check([path], labels="strict")
    assert kinds(strict) == {}
    assert strict.splits["train"].statistics.stamp.entities == 1


def test_posts_without_words_or_labels_are_named(write):
    path = write("train.jsonl", '{"text": ""}\n{"text": "a"}\n{"text": "b", "label": [[0, 1, "X"]]}\n')
    report = check([path])
    assert kinds(report) == {"no words": 1, "no labels": 2}
    assert report.severities["no labels"] == "warning"


BARE, LABELLED, EMPTY = '{"text": "a"}\n', '{"text": "b", "label": [[0, 1, "X"]]}\n', '{"text": "c", "entities": []}\n'


@pytest.mark.parametrize(
    ("name", "text", "severities"),
    [
        ("posts.jsonl", BARE, {}),
        ("posts.jsonl", BARE + LABELLED, {"no labels": "warning"}),
        ("train.jsonl", BARE, {"no labels": "error"}),
        ("train.jsonl", BARE + LABELLED, {"no labels": "warning"}),
        ("train.jsonl", EMPTY, {"no entities": "error"}),
        ("train.jsonl", BARE + EMPTY, {"no labels": "warning", "no entities": "error"}),
        ("dev.jsonl", BARE + LABELLED, {"no labels": "error"}),
        ("test.jsonl", BARE, {"no labels": "error"}),
        ("dev.jsonl", EMPTY, {}),
        ("dev.jsonl", '{"text": "a", "answer": "ignore"}\n' + EMPTY, {"left out": "note"}),
    ],
)
def test_unknown_entities_are_what_training_makes_of_them(write, name, text, severities):
    assert check([write(name, text)]).severities == severities


def test_file_without_posts_is_an_error(write):
    report = check([write("train.jsonl", "")])
    assert kinds(report) == {"no posts": 1}


def test_messages_show_what_shows_nothing(write):
    report = check([write("train.txt", "IMGID:1\n\u00a0\x1b[2J\n")])
    assert '"\\xa0\\x1b[2J"' in report.findings[0].message


def test_report_is_json(write):
    report = check([write("train.txt", TRAIN + "IMGID:3\nbad\n"), write("dev.txt", TRAIN)])
    table = json.loads(json.dumps(report.to_dict()))
    assert table["fine"] is False
    assert table["splits"]["train"]["format"] == "twitter"
    assert table["splits"]["train"]["labels"] == {"LOC": 1, "PER": 1}
    assert table["findings"][0]["kind"] == "bad line"


def test_configuration_names_the_files(write, tmp_path):
    write("data/a.txt", TRAIN)
    write("data/b.txt", TRAIN)
    config = write(
        "run.toml", '[data]\nroot = "data"\ntrain = "a.txt"\ndev = "b.txt"\nlabels = "strict"\n' + NO_ENCODER
    )
    report = check(config=config)
    assert {name: split.path for name, split in report.splits.items()} == {
        "train": str(tmp_path / "data" / "a.txt"),
        "dev": str(tmp_path / "data" / "b.txt"),
    }
    assert kinds(check([config])) == kinds(report)
    leaks = {"same text: train/dev": 2, "same picture: train/dev": 2}
    assert kinds(report) == {**leaks, "refused by training": 1}
    assert "name data.contexts or data.images" in report.findings[-1].message


def test_encoder_that_only_the_configuration_names_may_be_absent(write, tmp_path):
    path = write("a.txt", TRAIN)
    config = write("run.toml", '[data]\ntrain = "a.txt"\n' + NO_ENCODER)
    report = check(config=config)
    assert any("no-such-encoder" in line for line in report.skipped)
    with pytest.raises(ModelError, match="no-such-encoder"):
        check([path], encoder="no-such-group/no-such-encoder")


def test_configuration_that_names_no_files_says_so(write):
    config = write("run.toml", 'name = "x"\n')
    with pytest.raises(ConfigError, match="nothing to check"):
        check(config=config)
    with pytest.raises(ConfigError, match="one configuration at a time"):
        check([config, config])
    with pytest.raises(ConfigError, match="nothing to check"):
        check()


def test_configuration_with_a_missing_file_names_it(write):
    config = write("run.toml", '[data]\ntrain = "none.txt"\n' + NO_ENCODER)
    with pytest.raises(DataError, match=r"none\.txt: cannot be read: No such file"):
        check(config=config)


def test_several_training_files_count_as_one(write, tmp_path):
    write("a.train.txt", TRAIN)
    write("b.train.txt", "IMGID:9\nOscars\tB-OTHER\n")
    write("dev.txt", "IMGID:8\nEmmys\tB-MISC\n\nIMGID:9\nOscars\tB-MISC\n")
    table = tmp_path / "c.toml"
    data = 'train = ["a.train.txt", "b.train.txt"]\ndev = "dev.txt"\n'
    table.write_text(NO_ENCODER + "[data]\n" + data)
    counted = kinds(check(config=table))
    assert counted["label not in train"] == 1
    assert counted["same text: train 2/dev"] == 1
    table.write_text(NO_ENCODER + "[data]\n" + data + 'rename = { OTHER = "MISC" }\n')
    report = check(config=table)
    assert "label not in train" not in report.counts
    assert report.splits["train 2"].statistics.stamp.labels == {"MISC": 1}


def test_training_file_without_labels_is_left_out_beside_others(write, tmp_path):
    write("a.train.jsonl", LABELLED)
    write("b.train.jsonl", BARE)
    table = tmp_path / "c.toml"
    table.write_text(NO_ENCODER + '[data]\ntrain = ["a.train.jsonl", "b.train.jsonl"]\n')
    assert check(config=table).severities["no labels"] == "warning"
    table.write_text(NO_ENCODER + '[data]\ntrain = ["b.train.jsonl"]\n')
    assert check(config=table).severities["no labels"] == "error"


@pytest.fixture
def views(tokenizer):
    return Views(tokenizer, ContextConfig(max_tokens=40, overlap=8, budget={"captions": 6}), max_tokens=40)


def post(*words, image=None):
    return Post("1", " ".join(words), words, (), (), image, "x:1")


def findings_of(views, *posts, contexts=None):
    findings = Findings()
    examine_tokens(findings, views, contexts, posts)
    return findings


def test_word_without_sub_token_is_named(views):
    findings = findings_of(views, post("a", "\u200b", "\u00a0", "b"))
    assert findings.counts == {"no sub-token": 2}
    assert findings.met == {"no sub-token": 1}
    assert '"\\u200b", "\\xa0"' in findings.listed[0].message


def test_long_post_is_read_in_windows(views):
    findings = findings_of(views, post(*["abcde"] * 20), post("abc"))
    assert findings.counts == {"several windows": 1}
    assert "over 40 sub-tokens" in findings.listed[0].message


def test_cut_context_is_counted_by_kind(views):
    context = VisualContext("1.jpg", captions=(Caption("ab cd"), Caption("efg hi")))
    findings = findings_of(views, post("a", image="1.jpg"), post("b"), contexts={"1.jpg": context})
    assert findings.counts == {"cut captions": 3}
    assert findings.met == {"cut captions": 1}
    assert findings.severities == {"cut captions": "warning"}
    assert "3 sub-tokens of captions are over the budget (context.budget.captions)" in findings.listed[0].message


def test_word_longer_than_a_window_is_a_loss(views):
    findings = findings_of(views, post("a" * 90))
    assert findings.severities["cut words"] == "warning"
    assert "longer than a window, are not read" in next(f.message for f in findings.listed if f.kind == "cut words")


def test_check_asks_the_encoder_it_is_given(write, views):
    path = write("train.txt", "IMGID:1\na\tB-X\n\u00a0\tO\n\n")
    report = check([path], encoder=views)
    assert report.counts == {"no sub-token": 1}
    assert report.counts == {"no sub-token": 1}
    assert report.fine
    assert not any("encoder" in line for line in report.skipped)


def test_text_of_another_post_is_not_counted(tokenizer):
    views = Views(tokenizer, ContextConfig(order=("texts",), budget={"texts": 2}), max_tokens=40)
    text = ContextText("ab cd efg hi", extra={"post": "another"})
    context = VisualContext("1.jpg", texts=(text,))
    assert not findings_of(views, post("a", image="1.jpg"), contexts={"1.jpg": context}).counts
    own = VisualContext("1.jpg", texts=(replace(text, extra={"post": "1"}),))
    assert findings_of(views, post("a", image="1.jpg"), contexts={"1.jpg": own}).counts
