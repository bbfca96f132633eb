import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.data.gold import KEYS as LABEL_KEYS
from mner.data.records import post_of, to_row
from mner.errors import DataError
from mner.tagger.requests import request
from mner.types import Post, Span

TEXT = "Anna Braun met us in Oslo"
SPANS = (Span(0, 2, "PER"), Span(5, 6, "LOC"))
WORDS = TEXT.split()
TRIPLES = [[0, 10, "PER"], [21, 25, "LOC"]]
OBJECTS = [{"start": start, "end": end, "label": label} for start, end, label in TRIPLES]
TOKENS = [
    {"text": word, "start": TEXT.index(word), "end": TEXT.index(word) + len(word), "id": number, "ws": True}
    for number, word in enumerate(WORDS)
]
BY_TOKEN = [{"token_start": 0, "token_end": 1, "label": "PER"}, {"token_start": 5, "token_end": 5, "label": "LOC"}]
NAMES = ["B-PER", "I-PER", "O", "O", "O", "B-LOC"]


def region(start, end, label):
    value = {"start": start, "end": end, "text": TEXT[start:end], "labels": [label]}
    return {"value": value, "from_name": "label", "to_name": "text", "type": "labels"}


def task(*rounds, **keys):
    return {"id": 5, "annotations": list(rounds), "data": {"text": TEXT}, "predictions": [], **keys}


REGIONS = [region(*triple) for triple in TRIPLES]


RECORDS: list[Any] = [
    {"text": TEXT, "entities": OBJECTS},
    {"text": TEXT, "label": TRIPLES},
    {"text": TEXT, "labels": TRIPLES, "meta": {}},
    {"data": TEXT, "label": TRIPLES, "Comments": []},
    {
        "text": TEXT,
        "entities": [{"id": 1, "label": label, "start_offset": s, "end_offset": e} for s, e, label in TRIPLES],
        "relations": [{"id": 0, "from_id": 0, "to_id": 1, "type": "met in"}],
        "Comments": [],
    },
    {"text": TEXT, "tokens": TOKENS, "spans": OBJECTS, "answer": "accept"},
    {"text": TEXT, "tokens": TOKENS, "spans": BY_TOKEN},
    {"text": TEXT, "tokens": TOKENS[:2], "spans": OBJECTS},
    {"text": TEXT, "ents": OBJECTS, "tokens": [{"id": 0, "start": 0, "end": 4}], "spans": {"sc": []}, "sents": []},
    [TEXT, {"entities": TRIPLES, "links": {}}],
    {"tokens": WORDS, "ner_tags": NAMES, "pos_tags": [1] * 6, "chunk_tags": ["B-NP"] * 6},
    {"words": WORDS, "labels": NAMES},
    {"tokens": WORDS, "tags": ["B-PER", "E-PER", "O", "O", "O", "S-LOC"]},
    {"text": TEXT, "tokens": WORDS, "ner_tags": NAMES},
    {"tokenized_text": WORDS, "ner": [[0, 1, "PER"], [5, 5, "LOC"]], "negative": ["person"]},
    task({"result": REGIONS, "was_cancelled": False}),
    task({"result": REGIONS}, {"result": [], "was_cancelled": True}),
    task({"result": REGIONS}, {"result": REGIONS[::-1]}),
    task({"result": REGIONS[:1]}, {"result": REGIONS, "ground_truth": True}),
    task({"result": [*REGIONS, {"value": {"choices": ["news"]}, "type": "choices"}]}),
    {"id": 5, "text": TEXT, "label": [region(*triple)["value"] for triple in TRIPLES], "annotator": 1},
    {"text": TEXT, "entities": OBJECTS, "label": TRIPLES, "tags": ["travel"], "labels": None},
    {"text": TEXT, "entities": OBJECTS * 2, "label": "positive"},
]


@pytest.mark.parametrize("record", RECORDS)
def test_labels_of_each_tool_are_the_same_entities(record):
    post = post_of(record, number=1)
    assert post.words == tuple(WORDS)
    assert post.spans == SPANS


@pytest.mark.parametrize("key", ["entities", "label", "labels", "spans", "ents", "annotations", "ner", "ner_tags"])
def test_empty_list_says_no_entities_and_an_absent_one_says_nothing(key):
    assert post_of({"text": TEXT, key: []}, number=1).spans == ()
    assert post_of({"text": TEXT, key: None}, number=1).spans is None
    assert post_of({"text": TEXT}, number=1).spans is None


def test_post_of_a_task_has_its_own_id_before_the_number_of_the_task():
    assert post_of(task(), number=1).id == "5"
    for own, expected in (("unseen-001", "unseen-001"), (7, "7"), (0, "0"), (None, "5"), ("", "5"), (True, "5")):
        assert post_of(task({"result": REGIONS}, data={"text": TEXT, "id": own}), number=1).id == expected


def test_task_that_nobody_labelled_has_no_labels():
    assert post_of(task(predictions=[{"result": REGIONS}]), number=1).spans is None


@pytest.mark.parametrize("value", ["{", "[sic]", "{sic", "O O", "positive"])
def test_text_that_holds_no_labels_is_an_extra_key(value):
    post = post_of({"text": TEXT, "label": value}, number=1)
    assert (post.spans, post.extra) == (None, {"label": value})


def test_types_are_read_as_in_columns():
    assert post_of({"text": "Oslo", "label": [[0, 4, " LOC\u200b"]]}, number=1).spans == (Span(0, 1, "LOC"),)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"text": TEXT, "label": TRIPLES, "entities": []}, '"entities" and "label" hold different labels'),
        ({"text": TEXT, "label": TRIPLES, "spans": TRIPLES[:1]}, '"label" and "spans" hold different labels'),
        ({"text": TEXT, "my_spans": TRIPLES}, '"my_spans" looks like labels'),
        ({"text": TEXT, "Entities": {"PER": ["Anna"]}}, '"Entities" looks like labels'),
        ({"tokens": WORDS, "gold_iob": NAMES}, '"gold_iob" looks like labels'),
        ({"text": TEXT, "tags": NAMES[1:]}, '"tags" looks like labels that cannot be read'),
        ({"tokens": WORDS, "labels": ["PER", *NAMES[1:]]}, '"labels" looks like labels that cannot be read'),
        ({"text": TEXT, "label": {"name": {"Anna": [[0, 4]]}}}, '"label" looks like labels that cannot be read'),
        ({"text": TEXT, "labels": "O O B-PER"}, '"labels" looks like labels that cannot be read'),
        ({"text": TEXT, "labels": "[[0, 10, 'PER']]"}, '"labels" looks like labels that cannot be read'),
        ({"text": TEXT, "label": '{"PER": ["Anna"]}'}, '"label" looks like labels that cannot be read'),
        ({"tokens": WORDS, "ner_tags": [1, 2, 0, 0, 0, 5]}, r'"ner_tags" holds numbers.* names = ds\.features'),
        ({"tokens": WORDS, "ner_tags": NAMES[1:]}, '"ner_tags": 5 tags for 6 words'),
        ({"tokens": WORDS, "ner_tags": ["PER", *NAMES[1:]]}, '"ner_tags" looks like labels that cannot be read'),
        ({"text": TEXT, "label": [[0, 10]]}, '"label" looks like labels that cannot be read'),
        ({"text": TEXT, "label": [[0, 10, "PER"], "x"]}, "expected an entity"),
        ({"text": TEXT, "annotations": [{"label": 3, "start_offset": 0, "end_offset": 4}]}, "export the labels' names"),
        ({"text": TEXT, "label": [[0, 10, "PER,LOC"]]}, "several types"),
        ({"text": TEXT, "label": [[0, 10, "B-PER"]]}, 'expected the bare name, "PER"'),
        ({"text": TEXT, "label": [{"start": 0, "end": 10, "labels": ["PER", "ORG"]}]}, "2 labels"),
        ({"tokenized_text": WORDS, "ner": [[0, 6, "PER"]]}, "0-6 is not within the 6 words; the last"),
        ({"text": TEXT, "tokens": TOKENS, "spans": [{"token_start": 0, "token_end": 6, "label": "X"}]}, "6 tokens"),
        (
            {"text": TEXT, "tokens": TOKENS, "spans": [{"start": 0, "end": 4, **BY_TOKEN[0]}]},
            "its tokens 0-1 are at 0-10",
        ),
        (task({"result": REGIONS[:1]}, {"result": REGIONS}), "2 people labelled this task and they differ"),
        (task({"result": 3}), '"annotations": expected a list'),
        (task({"result": [region(0, 9, "PER")]}), "cuts"),
    ],
)
def test_labels_that_are_not_certain_are_refused(record, message):
    with pytest.raises(DataError, match=message):
        post_of(record, number=1)


@pytest.mark.parametrize("key", ["entities", "label", "spans", "ner_tags"])
def test_labels_that_are_not_wanted_are_neither_read_nor_checked(key):
    post = post_of({"text": TEXT, key: [{"start": "x"}], "lang": "en", "mood": "good"}, number=1, labels=False)
    assert (post.spans, dict(post.extra)) == (None, {"lang": "en", "mood": "good"})


@pytest.mark.parametrize("rounds", [[{"result": REGIONS}, {"result": []}], [3], [{"result": 3}]])
def test_annotations_of_a_task_are_not_checked_where_labels_are_not_wanted(rounds):
    post = post_of(task(*rounds), number=1, labels=False)
    assert (post.text, post.spans, dict(post.extra)) == (TEXT, None, {})


OWN_KEYS = [
    {"tags": ["sport", "nba"], "labels": ["topic a"]},
    {"tags": [], "label": "positive"},
    {"tags": [], "labels": [3, 7], "annotations": {"annotator": 3}},
    {"label": ["positive"], "spans": {}, "ents": [{"name": "sport"}]},
    {"annotations": [{"label": "positive", "user": 1}]},
    {"mentions": ["@bo"], "Tags": ["sport", "nba"]},
]


@pytest.mark.parametrize("keys", OWN_KEYS)
@pytest.mark.parametrize("entities", [{}, {"entities": OBJECTS}])
def test_list_that_is_no_label_is_kept_and_written_back(keys, entities):
    record = {"id": "1", "text": TEXT, **entities, **keys}
    post = post_of(record, number=1)
    assert (post.spans, post.extra, to_row(post)) == (SPANS if entities else None, keys, record)
    for read in (post_of(record, number=1, labels=False), request(record).post):
        assert (read.spans, read.extra) == (None, keys)


def test_list_as_long_as_the_words_is_kept_unless_it_resembles_tags():
    post = post_of({"text": "Kevin won", "entities": [], "tags": ["sport", "nba"]}, number=1)
    assert post.extra == {"tags": ["sport", "nba"]}
    assert request({"words": ["Kevin", "won"], "tags": ["PER", "O"], "labels": [3, 7]}).post.extra == {}


LEFT = [
    *({"text": TEXT, "tokens": WORDS, "tags": tags} for tags in (NAMES, [1, 2, 0, 0, 0, 5], NAMES[1:], tuple(NAMES))),
    {"text": f"{TEXT}!", "tokens": [*WORDS[:-1], "Oslo!"], "labels": [1, 2, 0, 0, 0, 5]},
    {"text": TEXT, "label": [tuple(triple) for triple in TRIPLES]},
    {"text": TEXT, "ents": [["Anna Braun", "PER"]]},
    {"text": TEXT, "annotations": [{"result": REGIONS}]},
    {"text": TEXT, "annotations": [{"label": 3, "start_offset": 0, "end_offset": 4}]},
    {"text": TEXT, "spans": {"sc": OBJECTS, "other": []}},
    {"text": TEXT, "label": {"PER": ["Anna Braun"]}},
    {"text": TEXT, "label": []},
]


@pytest.mark.parametrize("record", [*RECORDS, *LEFT])
def test_labels_of_no_tool_are_taken_for_the_users_own_keys(record):
    own = {"tags": ["travel"], "label": "positive", "labels": None, "spans": {"sc": []}}
    posts = [post_of(record, number=1, labels=False)]
    if isinstance(record, dict) and isinstance(record.get("text"), str):
        posts.append(request(record).post)
        posts.append(post_of(to_row(Post("1", TEXT, extra=record)), number=1))
    for post in posts:
        labels = {key: value for key, value in post.extra.items() if key in LABEL_KEYS}
        assert post.spans is None and all(own.get(key) == value for key, value in labels.items())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 30) | st.sampled_from([TEXT, "PER", "B-PER", "O", "", "Oslo"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["start", "end", "label", "labels", "text", "result", "value"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
KEYS = [
    *("id", "text", "data", "words", "tokens", "tokenized_text", "offsets", "image", "answer", "entities", "label"),
    *("labels", "spans", "ents", "annotations", "ner", "ner_tags", "tags", "predictions", "was_cancelled", "other"),
]


@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5) | JSON)
def test_any_record_is_a_post_or_an_error(record):
    for labels in ("repair", False):
        try:
            post = post_of(record, number=1, labels=labels)
        except DataError as error:
            assert str(error)
        else:
            assert all(
                post.text[start:end] == word for word, (start, end) in zip(post.words, post.offsets, strict=True)
            )
            assert all(0 <= span.start < span.end <= len(post.words) for span in post.spans or ())
            json.dumps(dict(post.extra))


def test_names_of_pictures_that_look_like_tags_are_no_labels():
    names = ["S-12.jpg", "B-001.png"]
    post = post_of({"text": "Kevin won", "images": names, "id": "O"}, number=1, where="x:1", labels="strict")
    assert post.spans is None and post.images == tuple(names)
