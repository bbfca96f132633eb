"""The posts that the ready model is trained on: annotation policy, changed copies, lists of names."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from lab.ready.augment import CHANGES, copies
from lab.ready.name_lists import KINDS, read_names
from lab.ready.sources import SOURCES, posts_of, rebuilt
from mner.types import Post, Span

NAMES = read_names()


def post(text: str, *spans: tuple[int, int, str], image: str | None = None) -> Post:
    words = Post(id="1", text=text, words=tuple(text.split()), offsets=((0, 1),) * len(text.split()), image=image)
    return rebuilt(words, spans=[Span(*span) for span in spans])


def marked(given: Post) -> list[tuple[str, str]]:
    return [(" ".join(given.words[span.start : span.end]), span.label) for span in given.spans or ()]


def changed(given: Post, name: str, seed: int = 1) -> Post:
    return CHANGES[name](given, NAMES, random.Random(seed))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "btc/btc.a.conll": "@\tB-PER\nbob\tI-PER\nmet\tO\nthe\tB-ORG\nBBC\tI-ORG\n\n"
        + "".join(f"post{number}\tO\n\n" for number in range(10)),
        "wnut17/wnut17train.conll": "Frozen\tB-creative-work\nby\tO\nABBA\tB-group\n's\tI-group\n\n",
        "wnut17/emerging.dev.conll": "Rome\tB-location\n\n",
        "twitter2015/train.txt": "IMGID:1\nthe\tB-ORG\nBBC\tI-ORG\nThe\tB-OTHER\nWire\tI-OTHER\n\n",
        "twitter2015/valid.txt": "IMGID:2\nthe\tB-ORG\nBBC\tI-ORG\n\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_types_of_all_data_sets_become_ours(folder: Path) -> None:
    (wnut,) = posts_of(folder, "wnut17", "train")
    assert marked(wnut) == [("Frozen", "MISC"), ("ABBA", "ORG")]  # without the possessive
    assert marked(posts_of(folder, "wnut17", "dev")[0]) == [("Rome", "LOC")]


def test_a_leading_article_is_outside_unless_it_belongs_to_a_title(folder: Path) -> None:
    assert marked(posts_of(folder, "twitter2015", "train")[0]) == [("BBC", "ORG"), ("The Wire", "MISC")]
    assert marked(posts_of(folder, "twitter2015", "dev")[0]) == [("the BBC", "ORG")]  # scored as published


def test_every_tenth_post_becomes_dev_where_there_is_no_dev_split(folder: Path) -> None:
    train, dev = (posts_of(folder, "btc", split) for split in ("train", "dev"))
    assert [each.words[0] for each in dev] == ["@bob", "post9"]
    assert len(train) == 9 and not {each.text for each in train} & {each.text for each in dev}
    assert marked(dev[0]) == [("BBC", "ORG")]  # a handle is no entity
    assert SOURCES["btc"].types == ("PER", "LOC", "ORG")


def test_names_are_replaced_by_type_in_the_case_they_had() -> None:
    given = post("kevin love of ACME Holdings in Rome", (0, 2, "PER"), (3, 5, "ORG"), (6, 7, "LOC"))
    for seed in range(30):
        result = changed(given, "names", seed)
        (person, _), (company, _), (place, _) = marked(result)
        assert [span.label for span in result.spans or ()] == ["PER", "ORG", "LOC"]
        assert person == person.lower() and len(person.split()) >= 2
        assert any(company in names for names in NAMES.organisations.values())
        assert any(place in names for names in NAMES.places.values())
        assert result.text.split(person)[1].startswith(" of ")


def test_names_in_hashtags_and_handles_and_titles_are_not_replaced() -> None:
    given = post("#Rome # Paris @bob saw Frozen", (0, 1, "LOC"), (2, 3, "LOC"), (3, 4, "PER"), (5, 6, "MISC"))
    assert changed(given, "names") == given


def test_case_changes_spare_links_and_handles() -> None:
    given = post("Kevin @Bob http://t.co/Ab", (0, 1, "PER"))
    assert changed(given, "lower").words == ("kevin", "@bob", "http://t.co/Ab")
    assert changed(given, "upper").words == ("KEVIN", "@Bob", "http://t.co/Ab")
    assert marked(changed(given, "lower")) == [("kevin", "PER")]


def test_a_name_is_joined_to_a_hashtag_with_the_sign_inside_only_where_it_is_glued() -> None:
    given = post("the Chicago Cubs beat Rome", (1, 3, "ORG"), (4, 5, "LOC"))
    results = {tuple(marked(changed(given, "hashtag", seed))) for seed in range(40)}
    assert results == {
        (("#ChicagoCubs", "ORG"), ("Rome", "LOC")),
        (("ChicagoCubs", "ORG"), ("Rome", "LOC")),
        (("Chicago Cubs", "ORG"), ("#Rome", "LOC")),
        (("Chicago Cubs", "ORG"), ("Rome", "LOC")),
    }


@pytest.mark.parametrize(
    ("given", "words", "entities"),
    [
        (post("go # Cubs now", (2, 3, "ORG")), "go #Cubs now", [("#Cubs", "ORG")]),
        (post("go #Cubs now", (1, 2, "ORG")), "go # Cubs now", [("Cubs", "ORG")]),
        (post("hi @ bob in Rome", (2, 3, "PER"), (4, 5, "LOC")), "hi @bob in Rome", [("Rome", "LOC")]),
        (post("dinner @ Rome", (2, 3, "LOC")), "dinner @ Rome", [("Rome", "LOC")]),  # "at"
        (post("talk @ Kevin Love", (2, 4, "PER")), "talk @ Kevin Love", [("Kevin Love", "PER")]),
    ],
)
def test_signs_are_glued_and_set_apart(given: Post, words: str, entities: list[tuple[str, str]]) -> None:
    result = changed(given, "spacing")
    assert (result.text, marked(result)) == (words, entities)


def test_copies_have_names_of_their_own_and_come_at_the_rate_given() -> None:
    posts = [rebuilt(post("Kevin won", (0, 1, "PER"), image=f"{number}.jpg")) for number in range(400)]
    posts = [Post(str(n), each.text, each.words, each.offsets, each.spans, each.image) for n, each in enumerate(posts)]
    result = list(copies(posts, {"lower": 0.25}, NAMES))
    assert 70 < len(result) < 130
    assert result == list(copies(posts, {"lower": 0.25}, NAMES))
    assert all(each.image == f"{each.id}.jpg" and each.id.endswith("~lower") for each in result)
    assert not list(copies([post("won", image="1.jpg")], {"lower": 1.0}, NAMES))  # nothing to change
    with pytest.raises(SystemExit, match="backwards"):
        list(copies(posts, {"backwards": 1.0}, NAMES))


def test_lists_of_names_are_large_and_name_their_source() -> None:
    assert set(NAMES.count()) == set(KINDS) and min(NAMES.count().values()) > 500
    for file in Path("lab/ready/names").resolve().glob("*.tsv"):
        head = file.read_text(encoding="utf-8").splitlines()[:3]
        assert any("Source:" in line and ("CC0" in line or "public domain" in line) for line in head), file


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("given\tEnglish", r"bad\.tsv:2: expected .* found 2 columns"),
        ("animal\tcats\tTom", r'bad\.tsv:2: "animal" is not a kind of name; expected given, family, ORG, LOC'),
        ("LOC\tcities\tRome; ; Paris", r"bad\.tsv:2: an empty group or a name without letters"),
        ("LOC\tcities\tRome; 123", r"bad\.tsv:2: an empty group or a name without letters"),
        ("given\tElvish\tLegolas", r"one is missing of \['Elvish'\]"),
        ("LOC\tcities\tRome", r"no names of kind given, family, ORG"),
    ],
)
def test_a_broken_list_of_names_is_refused(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "bad.tsv").write_text(f"# a list\n{line}\n")
    with pytest.raises(SystemExit, match=message):
        read_names([tmp_path / "bad.tsv"])
