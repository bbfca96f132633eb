"""The tagger on a tiny model: predictions, fallbacks, streams, exact scores."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import os
import pickle
import random
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mner
from mner.contexts.artefact import write_contexts
from mner.engines.shards import part
from mner.errors import ConfigError, DataError, ModelError
from mner.export import export
from mner.runtime.saved import seal
from mner.tagger import Tagger
from mner.types import Caption, Post, Prediction, VisualContext

TEXT = "Kevin Love is back in Cleveland"
CONTEXT = VisualContext("1.jpg", captions=(Caption("two people at the stadium", source="x"),))


@pytest.fixture(scope="module")
def tagger(tiny_model: Path) -> Tagger:
    return mner.load(tiny_model, threads=1, contexts={"1.jpg": CONTEXT, "bad.jpg": replace(CONTEXT, status="missing")})


def same(left: Prediction, right: Prediction) -> bool:
    scores = [[entity.score for entity in side.entities] for side in (left, right)]
    plain = [replace(side, entities=tuple(replace(e, score=0) for e in side.entities)) for side in (left, right)]
    return plain[0] == plain[1] and bool(np.allclose(*scores, atol=1e-5))


def test_entities_have_offsets_labels_and_scores(tagger: Tagger) -> None:
    prediction = tagger(TEXT)
    assert prediction.entities
    assert tagger.labels == ("LOC", "MISC", "ORG", "PER")
    end = 0
    for entity in prediction.entities:
        assert prediction.text[entity.start : entity.end] == entity.text
        assert entity.label in tagger.labels
        assert 0 < entity.score <= 1
        assert end <= entity.start < entity.end
        end = entity.end
    assert (prediction.view, prediction.image_status, prediction.reason, prediction.image) == ("T", "none", None, None)


def test_score_is_the_exact_span_posterior(tagger: Tagger, tiny_model: Path) -> None:
    """Against enumeration of every legal labelling of a short text."""
    from itertools import product

    from mner import tags
    from mner.runtime import open_model, predict, read_model

    text = "Kevin Love"
    prediction = tagger(text)
    saved = read_model(tiny_model)
    runtime = open_model(saved)
    encoded = tagger._views.encode_many([text.split()])
    (scores,) = predict.emissions(runtime, encoded)
    chain, labels = saved.chain, saved.labels
    start, transitions, end = tags.legal(labels)
    weights: dict[tuple[int, int], float] = {}
    for a, b in product(range(len(labels)), repeat=2):
        if start[a] and transitions[a, b] and end[b]:
            total = scores[0, a] + scores[1, b] + chain.start[a] + chain.transitions[a, b] + chain.end[b]
            weights[a, b] = float(np.exp(total))
    mass = sum(weights.values())
    for entity in prediction.entities:
        path = (labels.index(f"B-{entity.label}"), labels.index(f"E-{entity.label}"))
        single = labels.index(f"S-{entity.label}")
        if entity.text == text:
            expected = weights[path]
        else:
            place = 0 if entity.start == 0 else 1
            expected = sum(weight for pair, weight in weights.items() if pair[place] == single)
        assert entity.score == pytest.approx(expected / mass, abs=1e-5)


def test_picture_is_read_beside_the_words(tagger: Tagger) -> None:
    with_, without = tagger(TEXT, image="1.jpg"), tagger(TEXT)
    assert (with_.view, with_.image_status, with_.image, with_.context) == ("I+T", "used", "1.jpg", CONTEXT)
    assert not same(replace(with_, view="T", image_status="none", image=None, context=None), without)


@pytest.mark.parametrize("context", [CONTEXT, "two people at the stadium"])
def test_context_replaces_the_picture(tagger: Tagger, context: Any) -> None:
    given_ = tagger(TEXT, context=context, image="nowhere.jpg")
    read = tagger(TEXT, image="1.jpg")
    assert given_.image_status == "used"
    assert [e.score for e in given_.entities] == pytest.approx([e.score for e in read.entities])


def test_fallback_equals_words_alone(tagger: Tagger) -> None:
    fallen = tagger(TEXT, image="bad.jpg")
    assert (fallen.view, fallen.image_status) == ("T", "missing")
    assert fallen.reason
    assert fallen.entities == tagger(TEXT).entities


def test_images_off_are_disabled(tiny_model: Path) -> None:
    tagger = mner.load(tiny_model, use_images=False, threads=1)
    for call in ({"image": "1.jpg"}, {"image": b"x"}, {"context": "a dog"}):
        prediction = tagger(TEXT, **call)
        assert (prediction.view, prediction.image_status) == ("T", "disabled")
        assert prediction.reason is not None
        assert "use_images" in prediction.reason
    assert tagger(TEXT).image_status == "none"
    assert tagger.settings["use_images"] is False


def test_model_of_words_alone_is_disabled(tiny_model: Path) -> None:
    tagger = mner.load(tiny_model, threads=1)
    saved = replace(tagger._saved, manifest={**tagger._saved.manifest, "views": ["T"]})
    blind = Tagger(saved, tagger._runtime, views=tagger._views, pictures=tagger._pictures)
    prediction = blind(TEXT, context="a dog")
    assert (prediction.view, prediction.image_status, prediction.reason) == (
        "T",
        "disabled",
        "the model was trained on the words alone",
    )


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u200d", "\ufeff"])
def test_text_without_words_has_no_entities(tagger: Tagger, text: str) -> None:
    assert tagger(text).entities == ()
    assert tagger(text, context="a dog").entities == ()
    assert tagger.explain(text, context="a dog").evidence == ()


@pytest.mark.parametrize(
    "text", ["kevin \ud800 love", "\udc00", "a\x00b", "👨‍👩‍👧 love️", "‏مرحبا‏", "[SEP] [CLS]", "ﷺ" * 3]
)
def test_any_text_is_tagged(tagger: Tagger, text: str) -> None:
    for entity in tagger(text).entities:
        assert text[entity.start : entity.end] == entity.text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
def test_offsets_hold_for_any_text(tagger: Tagger, text: str) -> None:
    prediction = tagger(text)
    assert prediction.text == text
    assert all(text[e.start : e.end] == e.text for e in prediction.entities)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(categories=["Cs", "Lu", "Zs"]), max_size=30))
def test_halves_of_surrogate_pairs_keep_their_offsets(tagger: Tagger, text: str) -> None:
    """Two halves that meet are one character; one that stands alone stays what it is."""
    prediction = tagger(text)
    assert prediction.text == text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert all(prediction.text[e.start : e.end] == e.text for e in prediction.entities)


def test_long_post_is_read_whole(tagger: Tagger) -> None:
    words = [random.Random(n).choice(["kevin", "paris", "won", "the", "dog"]) for n in range(5000)]
    prediction = tagger({"words": words}, context="a dog at the stadium")
    assert prediction.cut == {}
    assert any(entity.start > 0.95 * len(prediction.text) for entity in prediction.entities)


def test_words_are_kept_as_given(tagger: Tagger) -> None:
    words = ("New York", "is", "#big!")
    prediction = tagger({"id": "9", "words": list(words)})
    assert (prediction.id, prediction.text) == ("9", "New York is #big!")
    allowed = {0, 9, 12}
    assert {entity.start for entity in prediction.entities} <= allowed


def test_min_score_filters(tagger: Tagger) -> None:
    scores = sorted(entity.score for entity in tagger(TEXT).entities)
    assert len(scores) > 1
    prediction = tagger(TEXT, min_score=scores[1])
    assert sorted(entity.score for entity in prediction.entities) == scores[1:]
    (piped,) = tagger.pipe([TEXT], min_score=scores[1])
    assert same(piped, prediction)


def posts() -> list[Any]:
    """Short and long ones, with and without pictures, of every accepted kind."""
    draw = random.Random(3)
    drawn: list[Any] = []
    for number in range(40):
        text = " ".join(draw.choices([*TEXT.split(), "paris", "!", ""], k=draw.randint(0, 30)))
        image = draw.choice([None, "1.jpg", "bad.jpg"])
        drawn.append(draw.choice([text, {"text": text, "image": image, "id": str(number)}]))
    drawn.append(Post("p", "a b", ("a", "b"), ((0, 1), (2, 3)), image="1.jpg"))
    return drawn


@pytest.mark.parametrize("look_ahead", [1, 7, 128])
def test_pipe_equals_single_calls_in_order(tagger: Tagger, look_ahead: int) -> None:
    piped = list(tagger.pipe(posts(), look_ahead=look_ahead))
    assert len(piped) == 41
    assert all(same(each, tagger(post)) for each, post in zip(piped, posts(), strict=True))


def test_pipe_holds_no_more_than_it_looks_ahead(tagger: Tagger) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "Kevin won"

    stream = tagger.pipe(endless(), look_ahead=4)
    assert taken == 0
    for number in range(10):
        next(stream)
        assert taken == 4 * (number // 4 + 1)


def test_pipe_says_which_row_is_faulty(tagger: Tagger) -> None:
    with pytest.raises(DataError, match=r"post 3: .*\"text\""):
        list(tagger.pipe(["a", "b", {}]))
    many = Post("1", "a", image="1.jpg", more_images=("2.jpg",) * 16, where="posts.jsonl:9")
    with pytest.raises(DataError, match=r"^posts\.jsonl:9: 17 pictures"):
        list(tagger.pipe(["a", many]))
    with pytest.raises(TypeError, match=r"post 1: .*got int"):
        list(tagger.pipe([5]))  # type: ignore[list-item]
    with pytest.raises(ValueError, match="look_ahead"):
        next(tagger.pipe(["a"], look_ahead=0))


@pytest.mark.parametrize("posts", ["London", b"London", {"text": "London"}, Post("London"), 5, None])
def test_one_post_is_not_many(tagger: Tagger, posts: Any) -> None:
    """The letters of a text and the keys of a row are no posts; refused at once, not with the first prediction."""
    for method in (tagger.pipe, tagger.batch):
        with pytest.raises(TypeError, match=rf"many posts, .*got {type(posts).__name__}; one post: tagger\(post\)"):
            method(posts)


@pytest.mark.parametrize("post", [["Kevin won"], ("Kevin", "won"), iter(["Kevin won"])])
def test_many_posts_are_not_one(tagger: Tagger, post: Any) -> None:
    with pytest.raises(TypeError, match=r"tagger\.batch\(posts\).*tagger\.pipe\(posts\)"):
        tagger(post)


def test_batch_is_the_list_of_pipe(tagger: Tagger) -> None:
    assert tagger.batch(posts()) == list(tagger.pipe(posts()))
    assert tagger.batch([]) == []


def test_atag_is_the_call_and_leaves_the_event_loop_free(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    look = tagger._beside.look
    monkeypatch.setattr(tagger._beside, "look", lambda wanted: threads.append(threading.get_ident()) or look(wanted))

    async def together() -> list[Prediction]:
        return list(await asyncio.gather(tagger.atag(TEXT, context="a dog"), tagger.atag(TEXT, min_score=1)))

    assert asyncio.run(together()) == [tagger(TEXT, context="a dog"), tagger(TEXT, min_score=1)]
    assert threading.get_ident() not in threads[:2]
    with pytest.raises(TypeError, match=r"tagger\.batch\(posts\)"):
        asyncio.run(tagger.atag([TEXT]))  # type: ignore[arg-type]


@pytest.mark.parametrize("score", [5, -0.1, float("nan"), float("inf"), "0.5", None])
def test_least_score_is_a_probability(tagger: Tagger, tmp_path: Path, score: Any) -> None:
    calls = (
        lambda: tagger(TEXT, min_score=score),
        lambda: tagger.pipe([TEXT], min_score=score),
        lambda: tagger.batch([TEXT], min_score=score),
        lambda: mner.predict_shards(tagger, [Post(TEXT)], tmp_path / "out", min_score=score),
    )
    for call in calls:
        with pytest.raises(ValueError, match="min_score: expected a probability from 0 to 1"):
            call()
    assert not (tmp_path / "out").exists()
    assert tagger(TEXT, min_score=np.float32(1)).entities == ()


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda tagger: pickle.loads(pickle.dumps(tagger))])
def test_copy_of_a_tagger_loads_the_model_again(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, twin: Any
) -> None:
    write_contexts([CONTEXT], tmp_path / "contexts.jsonl")
    monkeypatch.chdir(tmp_path)
    original = mner.load(tiny_model, threads=1, contexts="contexts.jsonl", images="photos", use_images=True)
    original(TEXT, image="1.jpg")
    if twin is not copy.copy:
        monkeypatch.chdir("/")
    other = twin(original)
    assert other is not original and other._runtime is not original._runtime
    assert other.settings == original.settings
    assert other(TEXT, image="1.jpg") == original(TEXT, image="1.jpg")
    assert len(pickle.dumps(original)) < 5000, "the weights stay where they are"


def test_copy_takes_all_that_load_was_given(tiny_model: Path) -> None:
    reopen = mner.load(tiny_model, threads=1)._reopen
    assert isinstance(reopen, partial)
    assert {"path", "download", *reopen.keywords} == set(inspect.signature(mner.load).parameters)
    assert "download" not in reopen.keywords, "a copy never uses the network"


def test_pickle_of_a_changed_model_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    written = pickle.dumps(mner.load(folder, threads=1))
    (folder / "README.md").write_text("changed")
    manifest = json.loads((folder / "model.json").read_text())
    seal(folder, {name: value for name, value in manifest.items() if name not in ("format", "mner", "files")})
    with pytest.raises(ModelError, match=r"changed since it was pickled \(.*model.*mner\.load"):
        pickle.loads(written)


def test_tagger_that_load_did_not_make_says_so(tagger: Tagger) -> None:
    bare = Tagger(tagger._saved, tagger._runtime, views=tagger._views, pictures=tagger._pictures)
    with pytest.raises(TypeError, match=r"mner\.load did not make it"):
        pickle.dumps(bare)


def test_tagger_names_model_labels_and_views(tiny_model: Path, tagger: Tagger) -> None:
    assert repr(tagger) == "<mner.Tagger tiny: LOC, MISC, ORG, PER; views T, I+T>"
    assert repr(mner.load(tiny_model, threads=1, use_images=False)).endswith("views T>")


def test_text_suffices_for_a_post(tagger: Tagger) -> None:
    post = Post(TEXT, image="1.jpg")
    assert (post.id, post.text, post.words) == ("", TEXT, tuple(TEXT.split()))
    assert tagger(post) == tagger({"text": TEXT, "image": "1.jpg"})
    assert Post("7", TEXT).words == Post(id="7", text=TEXT).words == post.words
    assert Post("") == Post(text="") == Post("", "", (), ())
    assert replace(post, id="8").words == post.words
    with pytest.raises(TypeError, match="words come with their offsets"):
        Post("1", "a", ("a",))
    with pytest.raises(TypeError, match="expected a text, got int"):
        Post(5)  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("threads", [1, 2])
def test_forked_child_tags_in_torch(tiny_model: Path, threads: int) -> None:
    """The threads of the parent do not exist in the child, which must not wait for them."""
    done = subprocess.run(
        [sys.executable, "-c", FORK, str(tiny_model), str(threads)], capture_output=True, text=True, timeout=200
    )
    assert (done.returncode, done.stderr) == (0, "")


FORK = """
import os, signal, sys
import mner
tagger = mner.load(sys.argv[1], threads=int(sys.argv[2]))
text = "Kevin Love is back in Cleveland " * 300
before = tagger(text)
child = os.fork()
if child == 0:
    signal.alarm(60)
    after = tagger(text)
    sys.exit([e.text for e in after.entities] != [e.text for e in before.entities])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_threads_tag_at_once(tagger: Tagger) -> None:
    expected = [tagger(post) for post in posts()]
    with ThreadPoolExecutor(4) as pool:
        predictions = list(pool.map(tagger, posts() * 3))
    assert all(same(*pair) for pair in zip(predictions, expected * 3, strict=True))


def test_run_directory_is_a_model(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "model").symlink_to(tiny_model)
    assert mner.load(tmp_path).settings == mner.load(str(tiny_model)).settings


def test_missing_model_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="mner train"):
        mner.load(tmp_path)
    for seconds in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="timeout: expected seconds above 0"):
            mner.load(tmp_path, timeout=seconds)
    with pytest.raises(ValueError, match="threads: expected 0"):
        mner.load(tmp_path, threads=-1)


def test_no_ready_model_says_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("mner.tagger.opening.READY", tmp_path)
    with pytest.raises(ModelError, match="--model"):
        mner.load()


def test_ready_model_is_the_default(monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    monkeypatch.setattr("mner.tagger.opening.READY", tiny_model)
    assert mner.load().labels == mner.load(tiny_model).labels


def test_prediction_reads_like_a_sentence(tagger: Tagger) -> None:
    shown = str(tagger(TEXT))
    assert shown.count("|") == len(tagger(TEXT).entities)


def test_cut_context_is_counted(tagger: Tagger) -> None:
    prediction = tagger(TEXT, context="dog " * 300)
    assert prediction.cut == {"captions": 300 - 128}
    assert prediction.to_dict()["cut"] == {"captions": 172}


def test_folder_of_shards_stands_for_pictures(tiny_model: Path, tmp_path: Path) -> None:
    def loaded(caption: str) -> Tagger:
        for number, text in enumerate(("a cat", caption)):
            write_contexts([replace(CONTEXT, image=f"{number}.jpg", captions=(Caption(text),))], part(tmp_path, number))
        return mner.load(tiny_model, threads=1, contexts=tmp_path)

    dog, horse = loaded("a dog"), loaded("a horse")
    prediction = dog({"text": TEXT, "image": "1.jpg"})
    assert prediction.image_status == "used" and prediction.context is not None
    assert [caption.text for caption in prediction.context.captions] == ["a dog"]
    assert dog.settings["contexts"] != horse.settings["contexts"]  # a bulk run is not continued with other contexts


def test_text_alone_imports_no_vision(tiny_model: Path) -> None:
    code = (
        "import sys, mner\n"
        f"mner.load({str(tiny_model)!r}, threads=1)('Kevin won')\n"
        "rooms = ('mner.vision', 'mner.contexts', 'mner.show', 'mner.cli')\n"
        "heavy = {'cv2', 'rapidocr', 'onnxruntime'}\n"
        "print(sorted(m for m in sys.modules if m.startswith(rooms) or m in heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_library_is_quiet(tagger: Tagger, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tagger(TEXT, context="a dog")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("links", ["keep", "fold", None])
def test_model_reads_links_as_it_was_trained_to(tiny_model: Path, tmp_path: Path, links: str | None) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    settings = (folder / "config.toml").read_text().replace('links = "keep"\n', "")  # as before there was the setting
    (folder / "config.toml").write_text(
        settings.replace("[context]", f'[context]\nlinks = "{links}"' if links else "[context]")
    )
    manifest = json.loads((folder / "model.json").read_text())
    seal(folder, {name: value for name, value in manifest.items() if name not in ("format", "mner", "files")})
    tagger = mner.load(
        folder, threads=1, contexts={"1.jpg": replace(CONTEXT, captions=(Caption("at http://t.co/abcdef"),))}
    )
    text = "Kevin (http://t.co/abcdefghij) won http://t.co/klmnopqrst in Cleveland"
    alone, both = tagger(text), tagger({"text": text, "image": "1.jpg"})
    assert both.view == "I+T"
    assert 0 < alone.cut.get("links", 0) < both.cut["links"] if links == "fold" else not (alone.cut or both.cut)
    for entity in (*alone.entities, *both.entities):
        assert text[entity.start : entity.end] == entity.text
    assert tagger.explain({"text": text, "image": "1.jpg"}).prediction.cut == both.cut


def test_settings_name_what_predictions_depend_on(tiny_model: Path, tmp_path: Path) -> None:
    def of(**options: Any) -> dict[str, Any]:
        return dict(mner.load(tiny_model, threads=1, **options).settings)

    plain = of()
    assert plain["runtime"] == "torch"
    for options in (
        {"images": tmp_path},
        {"timeout": 2.0},
        {"max_pictures": 3},
        {"allow_outside_images": True},
        {"contexts": {"1.jpg": CONTEXT}},
    ):
        (name,) = options
        other = of(**options)
        assert name not in plain and {**plain, name: other[name]} == other
    changed = replace(CONTEXT, captions=(Caption("a horse"),))
    assert of(contexts={"1.jpg": CONTEXT}) != of(contexts={"1.jpg": changed})
    assert mner.load(threads=1, precision="int8").settings["runtime"] == "onnx int8"


def test_a_copy_computes_as_its_original_does(monkeypatch: pytest.MonkeyPatch) -> None:
    original = mner.load(threads=1)
    monkeypatch.setattr("mner.runtime.onnx.lacks_int8", lambda: True)  # on another CPU
    assert pickle.loads(pickle.dumps(original)).settings == original.settings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "ONNX"}, 'backend: expected auto, torch, onnx, found "ONNX"'),
        ({"precision": "fp16"}, 'precision: expected auto, fp32, int8, found "fp16"'),
    ],
)
def test_unknown_backend_or_precision_is_refused(options: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        mner.load(threads=1, **options)


def test_int8_of_a_model_without_onnx_is_refused(tiny_model: Path) -> None:
    for options in ({}, {"backend": "torch"}):
        with pytest.raises(ModelError, match=r"torch computes in fp32, and int8 needs model\.int8\.onnx"):
            mner.load(tiny_model, threads=1, precision="int8", **options)


def test_automatic_device_takes_an_exported_run(tiny_model: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "model")
    (tmp_path / "record.json").write_text("{}")
    export(tmp_path, posts=[Post("1", TEXT, tuple(TEXT.split()), ())], threads=1)
    for options in ({}, {"device": "auto"}, {"device": "auto", "backend": "onnx"}):
        assert mner.load(tmp_path, threads=1, **options).settings["runtime"] == "onnx fp32"
    assert mner.load(tmp_path, threads=1, backend="torch").settings["runtime"] == "torch"
