from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from lab.retrieve import K1, SOURCE, B, contexts, main, nearest, terms, weights
from mner.types import Post

SEARCHED = [
    Post("Kevin Love is back in Cleveland"),
    Post("Rain in Paris again"),
    Post("Love is in the air , love is in Paris"),
    Post("Nothing to see"),
]


def derived(query: list[str], held: list[list[str]], place: int) -> float:
    """The score by its formula, a word at a time."""
    mean, total = sum(map(len, held)) / len(held), 0.0
    for word in set(query):
        often = sum(word in words for words in held)
        count = held[place].count(word)
        rarity = math.log(1 + (len(held) - often + 0.5) / (often + 0.5))
        total += rarity * count * (K1 + 1) / (count + K1 * (1 - B + B * len(held[place]) / mean))
    return total


def test_weights_are_the_formula() -> None:
    held, known = [terms(post) for post in SEARCHED], dict[str, int]()
    index, query = weights(held, known).toarray(), ["love", "paris", "rain", "love"]
    ours = index[:, [known[word] for word in dict.fromkeys(query)]].sum(axis=1)
    np.testing.assert_allclose(ours, [derived(query, held, place) for place in range(len(held))], rtol=1e-12)


def test_the_nearest_come_first_and_only_what_shares_a_word() -> None:
    held = [terms(post) for post in SEARCHED]
    post = Post("Cleveland love : Kevin Love")
    best = sorted(range(4), key=lambda place: -derived(terms(post), held, place))
    assert list(nearest([post], SEARCHED, best=3)) == [best[:2]] == [[0, 2]]
    assert list(nearest([Post("zzz"), Post("@love http://paris.com/love")], SEARCHED, best=3)) == [[], []]


def test_a_post_finds_no_copy_of_itself() -> None:
    again = Post("kevin love is BACK in cleveland http://t.co/abc")
    assert list(nearest([SEARCHED[0], again], SEARCHED, best=1)) == [[2], [2]]


def test_texts_belong_to_their_post_and_hold_no_link() -> None:
    posts = [Post("7", "Paris", image="1.jpg"), Post("8", "Paris")]
    (context,) = contexts(posts, [Post("Paris http://t.co/x by night")], best=2)
    assert context.image == "1.jpg"
    assert [(text.text, text.source, text.extra) for text in context.texts] == [
        ("Paris by night", SOURCE, {"post": "7"})
    ]


def test_program_writes_a_row_for_each_post_with_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, dev, out = tmp_path / "train.jsonl", tmp_path / "dev.jsonl", tmp_path / "out.jsonl"
    train.write_text("".join(json.dumps({"id": str(n), "text": post.text}) + "\n" for n, post in enumerate(SEARCHED)))
    dev.write_text(json.dumps({"id": "a", "text": "Paris", "image": "p.jpg"}) + "\n")
    assert main([str(train), str(dev), "--out", str(out), "--best", "1"]) == 0
    assert capsys.readouterr().err == "1 contexts, of 5 posts, from 4 posts searched\n"
    (row,) = map(json.loads, out.read_text().splitlines())
    assert row["texts"] == [{"text": "Rain in Paris again", "source": "posts", "post": "a"}]


def test_program_refuses_what_it_cannot_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty, out = tmp_path / "empty.jsonl", str(tmp_path / "out.jsonl")
    empty.write_text("")
    for train, message in ((empty, "holds no post to search"), (tmp_path / "none.jsonl", "No such file")):
        assert main([str(train), "--out", out]) == 2
        printed = capsys.readouterr().err
        assert str(train) in printed and message in printed
    with pytest.raises(SystemExit, match="2"):
        main([str(empty), "--out", out, "--best", "0"])
    assert "--best: expected 1 or more, found 0" in capsys.readouterr().err
    assert not Path(out).exists()
