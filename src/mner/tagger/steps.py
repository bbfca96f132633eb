"""The steps of a tagger one by one, for a server, which does what is slow about pictures outside the model's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mner.evidence import Explanation
from mner.tagger.beside import PictureReading
from mner.tagger.grounder import Tagged
from mner.tagger.requests import PostLike, Request
from mner.tagger.tagger import Tagger
from mner.types import Prediction


@dataclass(frozen=True, slots=True)
class Looked:
    """A post whose pictures were looked at."""

    wanted: Request
    reading: PictureReading


Step = PostLike | Looked
"""A post on its way; the pictures of one that is not ``Looked`` are looked at with the next step."""


def reads_contexts(tagger: Tagger) -> bool:
    """Whether its model reads what backends read from pictures."""
    return tagger._beside.reads_context


def reads_pixels(tagger: Tagger) -> bool:
    """Whether its model reads features of pictures, for which an extractor needs their pixels."""
    return tagger._beside.reads_pixels


def most_pictures(tagger: Tagger) -> int:
    """Pictures of one post, at most; it refuses more."""
    most: int = tagger._request.keywords["max_pictures"]
    return most


def look(tagger: Tagger, post: PostLike) -> Looked:
    """The post with what of its pictures goes beside the words."""
    wanted = tagger._request(post)
    return Looked(wanted, tagger._beside.look(wanted))


def tagged(tagger: Tagger, posts: Sequence[Step]) -> list[Tagged]:
    """The first step of ``batch``: no grounder has looked at the pictures yet, see ``Tagged.look``."""
    requests = [
        post.wanted if isinstance(post, Looked) else tagger._numbered(number, post)
        for number, post in enumerate(posts, 1)
    ]
    readings = [
        post.reading if isinstance(post, Looked) else tagger._beside.look(wanted)
        for post, wanted in zip(posts, requests, strict=True)
    ]
    return tagger._tag(requests, tagger._limits.own, readings)


def explaining(tagger: Tagger, post: Step) -> tuple[Tagged, Callable[[Prediction], Explanation]]:
    """The first step of ``explain``: the post as ``tagged`` gives it, and what explains it."""
    step = post if isinstance(post, Looked) else look(tagger, post)
    return tagger._explaining(step.wanted, step.reading)
