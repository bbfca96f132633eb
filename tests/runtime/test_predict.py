"""Batched prediction: order kept, batches do not matter, posts without words have nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from mner import encoders
from mner.decode import Decoder
from mner.errors import ModelError
from mner.models.rpbert import PIECES
from mner.runtime import open_model, predict, read_model
from mner.runtime.onnx import LEAST_FOR_TWO, WORTH_OPENING, OnnxRuntime
from mner.tagger import packaged
from mner.types import ViewName
from mner.views import Batch, Encoded, Views

POSTS = (("Kevin", "Love", "is", "back"), (), ("Phoenix",), tuple("a long night in new york city".split()) * 9, ("!",))


@pytest.mark.parametrize("tokens", [1, 40, 100_000])
def test_spans_do_not_depend_on_the_batch(tiny_model: Path, tokens: int) -> None:
    saved = read_model(tiny_model)
    runtime = open_model(saved, backend="torch")
    views = Views(encoders.of_model(saved.folder, saved.manifest["encoder"]), saved.config.context)
    decoder = Decoder(saved.labels, saved.chain)
    encoded = views.encode_many(POSTS)
    alone = [predict.spans(runtime, [single], decoder)[0] for single in encoded]
    together = predict.spans(runtime, encoded, decoder, tokens_per_batch=tokens)
    assert [[s.span for s in post] for post in together] == [[s.span for s in post] for post in alone]
    assert sum(map(len, together)) > 3, "the random model finds something"
    for single, other in zip(together, alone, strict=True):
        np.testing.assert_allclose([s.score for s in single], [s.score for s in other], atol=1e-5)


def test_runtime_says_how_much_it_reads_at_once(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = read_model(tiny_model)
    views = Views(encoders.of_model(saved.folder, saved.manifest["encoder"]), saved.config.context)
    encoded = views.encode_many([POSTS[3]] * 12)
    runtime = open_model(saved, backend="torch")
    plain, sizes = runtime.emissions, list[int]()

    def watched(batch: Batch, view: ViewName) -> np.ndarray:
        sizes.append(batch.input_ids.size)
        return plain(batch, view)

    monkeypatch.setattr(runtime, "emissions", watched)
    found = []
    for tokens in (encoded[0].tokens * 5, encoded[0].tokens):
        monkeypatch.setattr(type(runtime), "tokens_per_batch", tokens)
        found.append(predict.spans(runtime, encoded, Decoder(saved.labels, saved.chain)))
    assert sizes == [encoded[0].tokens * posts for posts in [5, 5, 2] + [1] * 12]
    for few, many in zip(*found, strict=True):
        assert [span.span for span in few] == [span.span for span in many]
        np.testing.assert_allclose([span.score for span in few], [span.score for span in many], atol=1e-5)
    predict.emissions(runtime, encoded, tokens_per_batch=encoded[0].tokens * 12)
    assert sizes[-1] == encoded[0].tokens * 12, "a number that is given goes before the runtime's"


def test_two_passes_beside_each_other_give_what_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = read_model(packaged())
    views = Views(encoders.of_model(saved.folder, saved.manifest["encoder"]), saved.config.context)
    encoded = views.encode_many([(*POSTS[0], *POSTS[3][:length]) for length in range(40)] + [(), POSTS[3] * 9])
    decoder = Decoder(saved.labels, saved.chain)
    threads: set[str] = set()
    plain = OnnxRuntime.emissions

    def watched(runtime: OnnxRuntime, batch: Batch, view: ViewName) -> np.ndarray:
        threads.add(threading.current_thread().name)
        return plain(runtime, batch, view)

    monkeypatch.setattr(OnnxRuntime, "emissions", watched)
    monkeypatch.setattr("mner.runtime.onnx.WORTH_OPENING", 0)
    one = predict.spans(open_model(saved, threads=1), encoded, decoder)
    assert threads == {threading.current_thread().name}
    two = predict.spans(open_model(saved, threads=2), encoded, decoder)
    assert {name.rpartition("_")[0] for name in threads} == {"", "mner-pass"}
    assert two == one
    assert sum(map(len, one)) > 40


def test_two_passes_end_at_about_the_same_time() -> None:
    encoded = [Encoded(4, (np.arange(width),), (np.zeros(width),), np.zeros((4, 2), int)) for width in range(12, 36)]
    for tokens in (100, 150, 200, 300, 400, 800):
        filled = predict._batches(encoded, tokens)
        evened = predict._evened(filled, encoded, tokens)
        assert sorted(post for batch in evened for post in batch) == list(range(24))
        sizes = [len(batch) * max(encoded[post].tokens for post in batch) for batch in evened]
        lanes = [0, 0]
        for size in sizes:
            lanes[lanes[1] < lanes[0]] += size
        assert max(sizes) <= tokens and max(lanes) <= 0.56 * sum(lanes)


def test_one_batch_becomes_two_passes_where_there_is_enough_to_share(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = read_model(packaged())
    views = Views(encoders.of_model(saved.folder, saved.manifest["encoder"]), saved.config.context)
    runtime, sizes = open_model(saved, threads=2), list[int]()
    plain = OnnxRuntime.emissions

    def watched(runtime: OnnxRuntime, batch: Batch, view: ViewName) -> np.ndarray:
        sizes.append(len(batch.lengths))
        return plain(runtime, batch, view)

    monkeypatch.setattr(OnnxRuntime, "emissions", watched)
    short, long = POSTS[3][:3], POSTS[3][:20]
    several, few = views.encode_many([short] * 3 + [long] * 8), views.encode_many([long] * 2)
    tokens = sum(post.tokens for post in several)
    assert sum(post.tokens for post in few) < LEAST_FOR_TWO <= tokens < runtime.tokens_per_batch
    for _ in range(WORTH_OPENING // tokens):
        predict.emissions(runtime, several)
    assert set(sizes) == {11}, "the second session is not opened before that pays"
    sizes.clear()
    together = predict.emissions(runtime, several)
    assert sorted(sizes) == [5, 6], "the short posts with two long ones, then the rest"
    sizes.clear()
    predict.emissions(runtime, few)
    assert sizes == [2]
    alone = [predict.emissions(runtime, [post])[0] for post in several]
    for each, of_call in zip(alone, together, strict=True):
        np.testing.assert_allclose(each, of_call, atol=1e-4)


def test_pass_that_fails_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = read_model(packaged())
    views = Views(encoders.of_model(saved.folder, saved.manifest["encoder"]), saved.config.context)
    runtime = open_model(saved, threads=2)
    monkeypatch.setattr("mner.runtime.onnx.WORTH_OPENING", 0)
    monkeypatch.setattr(OnnxRuntime, "_run", lambda *args, **options: 1 / 0)
    with pytest.raises(ModelError, match="fails on these posts"):
        predict.emissions(runtime, views.encode_many([POSTS[3]] * 40))
    monkeypatch.undo()
    assert len(predict.emissions(runtime, views.encode_many([POSTS[3]] * 40))) == 40


def test_emissions_come_back_in_order(tiny_model: Path) -> None:
    saved = read_model(tiny_model)
    runtime = open_model(saved, backend="torch")
    views = Views(encoders.of_model(saved.folder, saved.manifest["encoder"]), saved.config.context)
    computed = predict.emissions(runtime, views.encode_many(POSTS))
    assert [array.shape for array in computed] == [(len(post), 17) for post in POSTS]
    alone = predict.emissions(runtime, views.encode_many(POSTS[3:4]))[0]
    np.testing.assert_allclose(computed[3], alone, atol=1e-5)


def test_model_that_reads_from_word_to_word_gets_a_long_post_whole(tiny_model: Path) -> None:
    saved = read_model(tiny_model)
    options = saved.config.context.model_copy(update={"max_tokens": 32, "overlap": 8})
    views = Views(encoders.of_model(saved.folder, saved.manifest["encoder"]), options)
    (encoded,) = views.encode_many(["Kevin Love is back in Cleveland tonight".split() * 20])
    windows: list[int] = []

    class Reading:
        """Each score is the number of words that were read at once."""

        labels, pad_id, arrays = ("O", "S-PER"), saved.pad_id, (PIECES,)

        def emissions(self, batch: Batch, view: ViewName) -> np.ndarray:
            windows.append(len(batch.input_ids))
            return np.full((len(batch.lengths), int(batch.lengths.max()), 2), batch.lengths.max(), np.float32)

    (scores,) = predict.emissions(Reading(), [encoded], tokens_per_batch=40)  # type: ignore[arg-type]
    assert windows == [len(encoded.windows)] and (scores == encoded.words).all()


@pytest.mark.parametrize("tokens", [1, 40, 100])
def test_long_post_passes_in_portions_with_the_same_scores(tiny_model: Path, tokens: int) -> None:
    saved = read_model(tiny_model)
    runtime = open_model(saved, backend="torch")
    options = saved.config.context.model_copy(update={"max_tokens": 32, "overlap": 8})
    views = Views(encoders.of_model(saved.folder, saved.manifest["encoder"]), options)
    words = ["\ufe0f", *("Kevin Love is back in Cleveland \ufe0f tonight".split() * 20)]
    (encoded,) = views.encode_many([words])
    sizes: list[int] = []

    released: list[int] = []

    class Watched:
        labels, pad_id, chain, arrays = runtime.labels, runtime.pad_id, runtime.chain, runtime.arrays

        def emissions(self, batch: Batch, view: ViewName) -> np.ndarray:
            sizes.append(batch.input_ids.size)
            return runtime.emissions(batch, view)

        def release(self) -> None:
            released.append(len(sizes))

    whole = predict.emissions(runtime, [encoded], tokens_per_batch=100_000)[0]
    (parts,) = predict.emissions(Watched(), [encoded], tokens_per_batch=tokens)  # type: ignore[arg-type]
    np.testing.assert_allclose(parts, whole, atol=1e-5)
    assert len(encoded.windows) > 5
    assert released == [len(sizes)], "memory goes back after the last portion"
    assert max(sizes) <= max(tokens, 32)
