"""Tiny captioners of both layouts: against numpy, and faulty checkpoints, which are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import derived, published

from mner.errors import ModelError
from mner.vision.captioners import oscar as oscar_backend
from mner.vision.captioners import updown as updown_backend
from mner.vision.networks import oscar, updown
from mner.vision.networks.checkpoint import fill
from mner.vision.networks.regions import Scan, with_boxes


@pytest.mark.parametrize("labels", [[6, 7, 10, 3], []])
def test_oscar_computes_what_numpy_computes(labels: list[int]) -> None:
    state = published.oscar_state(2)
    network = oscar.Oscar(oscar.Sizes.model_validate(published.OSCAR)).double()
    fill(
        network, state, oscar._KEYS, where=Path("x"), published="", unused=oscar._UNUSED, spellings=oscar._SPELLINGS
    )  # fmt: skip
    regions = np.random.default_rng(3).normal(size=(5, 70))
    seen = network.seen(torch.tensor(labels, dtype=torch.long), torch.from_numpy(regions))
    beams = [[2, 5, 6, 4], [2, 8, 10, 4]]
    result = network(torch.tensor(beams), seen)
    expected = [derived.oscar(state, beam, labels, regions) for beam in beams]
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-9)


def test_updown_computes_what_numpy_computes() -> None:
    state = published.updown_state(2)
    network = updown.UpDown(updown.Sizes.model_validate(published.UPDOWN)).double()
    fill(network, state, (), where=Path("x"), published="")
    features = np.random.default_rng(3).normal(size=(7, 64))
    seen = network.seen(torch.from_numpy(features))
    hidden = torch.zeros(4, 2, 6, dtype=torch.float64)
    beams = [[0, 1, 3], [0, 4, 2]]
    for place in range(3):
        result, hidden = network(torch.tensor([beam[place] for beam in beams]), hidden, seen)
    expected = [derived.updown(state, beam, features) for beam in beams]
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-9)


def test_written_sentences_have_their_own_scores(tiny_vision: Callable[[str], Path]) -> None:
    features = torch.from_numpy(np.random.default_rng(3).normal(size=(7, 64)).astype(np.float32))
    state = published.updown_state()
    words = ["", "a", "man", "dog", "runs"]
    written = updown.Writer(tiny_vision("updown"), device="cpu")(features, beams=3, count=3, tokens=4)
    assert len(written) == 3
    for text, score in written:
        path = [0, *map(words.index, text.split())]
        path += [0] * (len(path) < 5)
        steps = [derived.updown(state, path[:place], features.numpy()) for place in range(1, len(path))]
        total = sum(np.log(derived.softmax(logits))[word] for logits, word in zip(steps, path[1:], strict=True))
        assert score == pytest.approx(total, abs=1e-3)
    regions = torch.cat([features, torch.rand(7, 6)], 1)
    writer = oscar.Writer(tiny_vision("oscar"), device="cpu")
    best, *others = writer(["man", "red ball"], regions, beams=3, count=3, tokens=6)
    assert len(others) == 2 and all(best[1] >= score for _, score in others)
    ids = [2, *(published.WORDS.index(word) for word in best[0].replace("mans", "man ##s").split())]
    assert len(ids) <= 5 and "[" not in best[0]


@pytest.mark.parametrize("name", ["oscar", "updown"])
def test_captioner_needs_the_detector_that_it_was_trained_on(name: str, tiny_vision: Callable[[str], Path]) -> None:
    backend = {"oscar": oscar_backend, "updown": updown_backend}[name]
    options = backend.Options(
        model=tiny_vision(name), detector=tiny_vision("c4-bottomup"), device="cpu", beams=3, captions=2
    )
    picture = Image.fromarray(np.random.default_rng(5).integers(0, 256, (60, 90, 3), np.uint8))
    captions = backend.Captioner(options)(picture, [], scenes=[], ocr=[])
    assert captions and len(captions) <= 2 and {caption.source for caption in captions} == {name}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr({"oscar": oscar, "updown": updown}[name].Writer, "width", 9, raising=False)
        patch.setattr({"oscar": oscar, "updown": updown}[name].Writer, "__init__", lambda self, folder, device: None)
        with pytest.raises(ModelError, match=r"reads regions of 9 numbers, the detector in .* gives 64"):
            backend.Captioner(options)


def test_more_captions_than_beams_are_refused() -> None:
    with pytest.raises(ValueError, match="5 sentences need as many beams"):
        oscar_backend.Options(beams=3)


def test_faulty_oscar_is_refused(tmp_path: Path) -> None:
    published.oscar(tmp_path)
    state = published.oscar_state()
    published.save(tmp_path, {key: array for key, array in state.items() if ".layer.1." not in key})
    key = r"bert\.encoder\.layer\.1\.attention\.self\.query\.weight"
    with pytest.raises(ModelError, match=rf"16 missing arrays, such as {key}\. .*microsoft/Oscar"):
        oscar.Writer(tmp_path, device="cpu")
    del state["cls.predictions.decoder.weight"]
    published.save(tmp_path, state)
    oscar.Writer(tmp_path, device="cpu")  # it is the word vectors
    published.write(tmp_path, "vocab.txt", "\n".join(published.WORDS[:-1]))
    with pytest.raises(ModelError, match="has 13 sub-tokens, the checkpoint 14"):
        oscar.Writer(tmp_path, device="cpu")
    published.write(
        tmp_path, "vocab.txt", "\n".join(["[MASC]" if word == "[MASK]" else word for word in published.WORDS])
    )
    with pytest.raises(ModelError, match=r"lacks \[MASK\]"):
        oscar.Writer(tmp_path, device="cpu")
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(ModelError, match=r"vocab\.txt: missing"):
        oscar.Writer(tmp_path, device="cpu")
    published.write(tmp_path, "config.json", {"hidden_size": 8})
    with pytest.raises(ModelError, match=r"config\.json: vocab_size: "):
        oscar.Writer(tmp_path, device="cpu")


def test_faulty_updown_is_refused(tmp_path: Path) -> None:
    published.updown(tmp_path)
    published.save(tmp_path, published.oscar_state())
    with pytest.raises(ModelError, match=r"21 missing arrays, .*unknown arrays, .*self-critical"):
        updown.Writer(tmp_path, device="cpu")
    published.save(tmp_path, published.updown_state())
    published.write(tmp_path, "cocotalk.json", {"ix_to_word": {"1": "a"}})
    with pytest.raises(ModelError, match="names 1 words, the checkpoint has 5"):
        updown.Writer(tmp_path, device="cpu")
    published.write(tmp_path, "cocotalk.json", {"ix_to_word": {"2": "a"}})
    with pytest.raises(ModelError, match=r"cocotalk\.json: damaged"):
        updown.Writer(tmp_path, device="cpu")
    published.write(tmp_path, "config.json", {**published.UPDOWN, "rnn": 3})
    with pytest.raises(ModelError, match=r"config\.json: rnn: .*known: vocab_size"):
        updown.Writer(tmp_path, device="cpu")


def test_boxes_follow_features_as_shares() -> None:
    scan = Scan([], torch.tensor([[7.0]]), torch.tensor([[0.0, 10.0, 50.0, 40.0]]))
    assert with_boxes(scan, (100, 50)).tolist()[0] == pytest.approx([7, 0, 0.2, 0.5, 0.8, 0.5, 0.6])
