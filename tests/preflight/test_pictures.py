import json

import pytest
from PIL import Image

from mner.config import Config
from mner.errors import DataError
from mner.preflight import check

POSTS = "".join(f"IMGID:{at}\nword{at}\tO\n\n" for at in range(1, 7)) + "IMGID:\nlast\tB-X\n\n"


@pytest.fixture
def contexts(tmp_path):
    rows = [
        {"image": "1.jpg", "captions": [{"text": "a dog"}]},
        {"image": "2.jpg", "status": "placeholder", "reason": "not found picture"},
        {"image": "3.jpg", "status": "unreadable"},
        {"image": "4.jpg", "captions": []},
    ]
    path = tmp_path / "contexts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_posts_whose_context_says_nothing_are_told_apart(write, contexts):
    path = write("train.txt", POSTS)
    report = check([path], contexts=[contexts])
    assert report.counts == {
        "placeholder context": 1,
        "unreadable context": 1,
        "empty context": 1,
        "no context": 2,
        "refused by training": 1,
    }
    assert "of its 6 pictures 2 have no record in" in report.findings[-1].message
    report = check([path], config=Config(loss={"views": ["T"], "cva": "none"}), contexts=[contexts])
    assert "refused by training" not in report.counts
    placeholder = report.findings[0]
    assert (placeholder.severity, placeholder.where) == ("warning", f"{path}:4")
    assert "not found picture" in placeholder.message


def test_pictures_that_do_not_open_are_named_once(write, tmp_path):
    folder = tmp_path / "pics"
    folder.mkdir()
    Image.new("RGB", (40, 30)).save(folder / "1.jpg")
    Image.new("RGB", (40, 30)).save(folder / "2.png")
    (folder / "3.jpg").write_bytes(b"not a picture")
    (folder / "4.jpg").write_bytes((folder / "1.jpg").read_bytes()[:200])
    done = []
    train, dev = write("train.txt", POSTS), write("dev.txt", POSTS.replace("word", "other"))
    report = check([train, dev], images=folder, watch=lambda what, count: done.append((what, count)))
    pictures = {kind: count for kind, count in report.counts.items() if kind.endswith(" picture")}
    assert pictures == {"unreadable picture": 2, "missing picture": 2}
    assert [f.where for f in report.findings if f.kind == "missing picture"] == [f"{train}:13", f"{train}:16"]
    assert ("pictures opened", 6) in done
    assert not report.fine


def test_missing_folder_of_pictures_is_named(write, tmp_path):
    with pytest.raises(DataError, match="none: no such folder of pictures"):
        check([write("train.txt", POSTS)], images=tmp_path / "none")


SEVERAL = [
    {"text": "Kevin wins", "entities": [], "images": ["1.jpg", "none.jpg"]},
    {"text": "Anna wins", "entities": [], "images": ["none.jpg", "gone.jpg"]},
    {"text": "Bo wins", "entities": [], "images": [f"{number}.jpg" for number in range(17)]},
]


def test_each_of_several_pictures_is_checked(write, tmp_path):
    contexts = tmp_path / "contexts.jsonl"
    rows = [{"image": f"{number}.jpg", "captions": [{"text": "a dog"}]} for number in range(17)]
    rows.append({"image": "gone.jpg", "status": "missing"})
    contexts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = write("train.jsonl", "".join(json.dumps(row) + "\n" for row in SEVERAL))
    report = check([path], contexts=[contexts])
    counts = {kind: count for kind, count in report.counts.items() if "context" in kind or "pictures" in kind}
    assert counts == {"no context": 2, "missing context": 1, "too many pictures": 1}
    (missing,) = (finding for finding in report.findings if finding.kind == "missing context")
    assert missing.message.endswith("the post is read as one without it")
    dev = write("dev.jsonl", json.dumps({"text": "Carl wins", "entities": [], "images": ["9.jpg", "gone.jpg"]}) + "\n")
    assert check([path, dev]).counts["same picture: train/dev"] == 2
    Image.new("RGB", (40, 30)).save(tmp_path / "1.jpg")
    opened = check([path], images=tmp_path)
    assert opened.counts["missing picture"] == 18
