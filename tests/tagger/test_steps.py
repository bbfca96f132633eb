"""The steps of a tagger, one by one, give what its calls give."""

from __future__ import annotations

from pathlib import Path

import pytest

import mner
from mner.tagger.steps import explaining, look, reads_contexts, reads_pixels, tagged
from mner.types import Caption, VisualContext

POST = {"text": "Kevin Love is back", "image": "dog.jpg"}


@pytest.fixture
def tagger(tiny_model: Path) -> mner.Tagger:
    return mner.load(
        tiny_model, threads=1, contexts={"dog.jpg": VisualContext("dog.jpg", captions=(Caption("a dog"),))}
    )


def test_posts_that_were_looked_at_are_tagged_like_all_others(tagger: mner.Tagger) -> None:
    steps = tagged(tagger, [look(tagger, POST), POST, "We are back"])
    assert [step.whole() for step in steps] == tagger.batch([POST, POST, "We are back"])


def test_explanation_of_a_post_that_was_looked_at_is_that_of_the_post(tagger: mner.Tagger) -> None:
    for step in (POST, look(tagger, POST)):
        done, explained = explaining(tagger, step)
        assert explained(done.whole()).evidence == tagger.explain(POST).evidence


def test_model_says_what_it_reads(tagger: mner.Tagger, tiny_model: Path) -> None:
    assert (reads_contexts(tagger), reads_pixels(tagger)) == (True, False)
    assert not reads_contexts(mner.load(tiny_model, threads=1, use_images=False))
