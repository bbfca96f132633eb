"""What `mner data check` says of files of posts, and what training refuses, are the same."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mner import data, preflight
from mner.config import Config
from mner.data.alignment import joined
from mner.errors import ConfigError, DataError, MnerError
from mner.training.job import prepare
from mner.types import Post, Span

Make = Callable[..., Config]
Damage = Callable[[bytes, random.Random], bytes]
TEXT = {"model": {"name": "text"}, "loss": {"views": ["T"], "cva": "none"}}
SUFFIX = {"twitter": "txt", "conll": "conll", "jsonl": "jsonl", "json": "json", "csv": "csv"}


def posts(count: int, start: int) -> list[Post]:
    jobs = []
    for number in range(start, start + count):
        words = ("kevin", "love", f"w{number}", "paris")
        text, offsets = joined(words)
        spans = (Span(0, 2, "PER"), Span(3, 4, "LOC"))
        jobs.append(Post(f"p{number}", text, words, offsets, spans, f"{number}.jpg"))
    return jobs


def of_a_line(change: Callable[[bytes, random.Random], bytes]) -> Damage:
    """The damage of one line that holds something."""

    def damage(content: bytes, draw: random.Random) -> bytes:
        lines = content.split(b"\n")
        at = draw.choice([at for at, line in enumerate(lines) if line.strip()])
        lines[at] = change(lines[at], draw)
        return b"\n".join(lines)

    return damage


def swap(old: bytes, new: bytes, count: int = -1) -> Damage:
    return lambda content, draw: content.replace(old, new, count)


DAMAGES: dict[str, Damage] = {
    "nothing": lambda content, draw: content,
    "empty": lambda content, draw: b"",
    "blank": lambda content, draw: b"\n \n\t\n",
    "cut": lambda content, draw: content[: draw.randrange(len(content))],
    "byte": of_a_line(lambda line, draw: line.replace(line[draw.choice([0, -1]) :][:1], bytes([draw.randrange(256)]))),
    "line lost": of_a_line(lambda line, draw: b""),
    "line doubled": of_a_line(lambda line, draw: line + b"\n" + line),
    "line cut": of_a_line(lambda line, draw: line[: draw.randrange(len(line))]),
    "line junk": of_a_line(lambda line, draw: b"junk"),
    "line latin": of_a_line(lambda line, draw: line + b"\xe9"),
    "line mark": of_a_line(lambda line, draw: b"\xef\xbb\xbf" + line),
    "line spaces": of_a_line(lambda line, draw: b"  " + line + b"  "),
    "type with a prefix": swap(b"PER", b"B-PER", 1),
    "types": swap(b"PER", b"PER,LOC", 1),
    "type blank": swap(b"PER", b"PER\xc2\xa0", 1),
    "type hidden": swap(b"PER", b"P\xe2\x80\x8bER", 1),
    "type case": swap(b"PER", b"Per", 1),
    "no type": swap(b"PER", b""),
    "no labels": swap(b'"entities"', b'"other"'),
    "one without labels": swap(b'"entities"', b'"other"', 1),
    "null labels": swap(b'"entities": [', b'"entities": null, "x": [', 1),
    "offsets": swap(b'"end": 10', b'"end": 8', 1),
    "overlap": swap(b'"start": 14', b'"start": 4', 1),
    "numbers": swap(b"kevin", b"7"),
    "index": lambda content, draw: b"".join(b"9\t" + line for line in content.splitlines(keepends=True)),
    "all O": lambda content, draw: re.sub(rb"[BI]-(PER|LOC)", b"O", content),
    "utf-16": lambda content, draw: content.decode().encode("utf-16"),
    "jpeg": lambda content, draw: b"\xff\xd8\xff\xe0\x00\x10" + content,
    "gzip": lambda content, draw: gzip.compress(content),
    "gzip cut": lambda content, draw: gzip.compress(content)[:-9],
    "cr": swap(b"\n", b"\r"),
    "cr cr lf": swap(b"\n", b"\r\r\n"),
    "no ends": swap(b"\n", b" "),
    "image": swap(b'"image": "', b'"image": 3, "y": "', 1),
    "no image": swap(b".jpg", b""),
    "document": of_a_line(lambda line, draw: line + b"\n-DOCSTART-\tO"),
}  # fmt: skip


def refused(run: Callable[[], object]) -> str:
    try:
        run()
    except MnerError as error:
        return str(error) or "refused"
    return ""


def check(config: Config) -> None:
    report = preflight.check(config=config)
    if faults := [finding for finding in report.findings if finding.severity == "error"]:
        raise DataError(str(faults))


@pytest.mark.parametrize("format", SUFFIX)
@pytest.mark.parametrize("name", ["train", "dev"])
def test_check_says_what_training_would_refuse(tmp_path: Path, tiny_config: Make, format: str, name: str) -> None:
    names = {split: tmp_path / f"{split}.{SUFFIX[format]}" for split in ("train", "dev")}
    clean = {}
    for start, (split, path) in enumerate(names.items()):
        data.write(posts(4, 10 * start), path, format=format)
        clean[split] = path.read_bytes()
    config = tiny_config(
        data={"train": str(names["train"]), "dev": str(names["dev"]), "test": None, "contexts": []}, **TEXT
    )
    differ = []
    draw = random.Random(f"{format} {name}")
    for kind, damage in DAMAGES.items():
        for _ in range(4 if kind in ("cut", "byte") or kind.startswith("line") else 1):
            content = damage(clean[name], draw)
            names[name].write_bytes(content)
            trained = refused(lambda: prepare(config, tmp_path))
            checked = refused(lambda: check(config))
            if bool(trained) != bool(checked):
                differ.append((kind, content, "train: " + trained, "check: " + checked))
    assert not differ, "\n".join(map(str, differ))


def drawn_settings(draw: random.Random, names: dict[str, Path], folder: Path) -> dict[str, Any]:
    """Settings, and files of contexts and pictures, of which some cannot be trained with."""
    rows = []
    for number in (*range(6), *range(10, 13)):
        context = draw.choice(
            [
                {"captions": [{"text": "a dog", "source": draw.choice(["a", "b"])}]},
                {"captions": [{"text": "a dog", "source": "a"}], "tags": [{"object": "dog", "source": "t"}]},
                {"captions": []},
                {"status": "unreadable"},
                None,
            ][: draw.choice([2, 3, 5, 5])]
        )
        if context is not None:
            rows.append({"image": f"{number}.jpg", **context})
    (folder / "contexts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data: dict[str, Any] = {name: str(path) for name, path in names.items()} | {"test": None}
    data["contexts"] = draw.choice([[str(folder / "contexts.jsonl")]] * 4 + [[]])
    data["contexts_missing"] = draw.choice([0.0, 0.05, 0.5, 1.0])
    data["train_posts"] = draw.choice([0, 0, 0, 1, 3, 6, 7])
    if draw.random() < 0.1:
        data[draw.choice(["dev", "train"])] = None
    if draw.random() < 0.1:
        data["test"] = data[draw.choice(["dev", "train"])]
    context = {"substitute": draw.choice(["none", "none", "none", "shuffled", "empty"])}
    context |= draw.choice(
        [{}, {}, {"captions": ["a"]}, {"captions": ["a", "b"]}, {"tags": ["t"]}, {"order": ["tags"]}]
    )
    return {"data": data, "context": context} | draw.choice([{}, {}, {}, TEXT])


def test_check_says_what_training_would_refuse_of_contexts(tmp_path: Path, tiny_config: Make) -> None:
    names = {split: tmp_path / f"{split}.jsonl" for split in ("train", "dev")}
    for start, path in enumerate(names.values()):
        data.write(posts(6 - 3 * start, 10 * start), path, format="jsonl")
    draw = random.Random(1)
    outcomes: Counter[bool] = Counter()
    differ = []
    for _ in range(150):
        settings = drawn_settings(draw, names, tmp_path)
        config = tiny_config(**settings)
        trained = refused(lambda: prepare(config, tmp_path))  # noqa: B023
        checked = refused(lambda: check(config))  # noqa: B023
        outcomes[bool(trained)] += 1
        if bool(trained) != bool(checked):
            differ.append(
                (settings, (tmp_path / "contexts.jsonl").read_text(), "train: " + trained, "check: " + checked)
            )
    assert not differ, "\n".join(map(str, differ))
    assert min(outcomes[True], outcomes[False]) > 30


def test_check_knows_that_pictures_may_be_read(tmp_path: Path, tiny_config: Make) -> None:
    names = {split: tmp_path / f"{split}.jsonl" for split in ("train", "dev")}
    for start, path in enumerate(names.values()):
        data.write(posts(3, 10 * start), path, format="jsonl")
    (tmp_path / "pictures").mkdir()
    files = {**{name: str(path) for name, path in names.items()}, "test": None, "contexts": []}
    config = tiny_config(data={**files, "images": str(tmp_path / "pictures")})
    with pytest.raises(DataError, match="none of its 3 posts has a visual context"):
        check(config)  # no picture is there
    Image.new("RGB", (40, 30)).save(tmp_path / "pictures" / "0.jpg")
    check(config)
    assert "what the pictures say: mner context build" in preflight.check(config=config).skipped


def test_types_that_are_probably_one_are_warned_of_and_can_be_renamed(
    tmp_path: Path, tiny_config: Make, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "train.conll").write_text("Bo\tB-PER\n\nAl\tB-Per\n\nUSA\tB-LOC\n")
    (tmp_path / "dev.conll").write_text("Cy\tB-Person\n")
    files = {"train": str(tmp_path / "train.conll"), "dev": str(tmp_path / "dev.conll"), "test": None, "contexts": []}
    message = "PER (1), Per (1) and Person (1) are read as different types"
    prepare(tiny_config(data=files, **TEXT), tmp_path)
    assert message in caplog.text
    report = preflight.check(config=tiny_config(data=files, **TEXT))
    assert [finding.message[: len(message)] for finding in report.findings if finding.kind == "similar types"] == [
        message
    ]
    caplog.clear()
    renamed = tiny_config(data={**files, "rename": {"Per": "PER", "Person": " PER"}}, **TEXT)
    assert prepare(renamed, tmp_path).labels[1::4] == ("B-LOC", "B-PER")
    assert "different types" not in caplog.text
    assert "similar types" not in preflight.check(config=renamed).counts
    for run in (lambda config: prepare(config, tmp_path), lambda config: preflight.check(config=config)):
        with pytest.raises(ConfigError, match=r'data\.rename: the type "B-PER" begins with a prefix'):
            run(tiny_config(data={**files, "rename": {"Per": "B-PER"}}, **TEXT))


def test_dev_that_is_train_is_warned_of(tmp_path: Path, tiny_config: Make, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("train", "dev", "copy"):
        (tmp_path / f"{name}.conll").write_text("Bo\tB-PER\n" if name == "dev" else "Al\tB-PER\n")
    files = {"train": str(tmp_path / "train.conll"), "test": None, "contexts": []}
    message = "data.dev: has the posts of data.train, so no epoch's score says what the model is worth"
    for dev, warned in (("dev", False), ("train", True), ("copy", True)):
        caplog.clear()
        prepare(tiny_config(data={**files, "dev": str(tmp_path / f"{dev}.conll")}, **TEXT), tmp_path)
        assert (message in caplog.messages) is warned


def test_data_set_cannot_have_the_name_of_the_folder_of_searches(corpus: Path, tiny_config: Make) -> None:
    with pytest.raises(ConfigError, match=r'data\.name: results of searches are in a folder "tune"'):
        prepare(tiny_config(data={"name": "tune"}), corpus)
