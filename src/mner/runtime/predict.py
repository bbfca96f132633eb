"""Encoded posts -> label scores or scored spans, in batches by token budget, in the order given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np

from mner.decode import Decoder, ScoredSpan, candidates
from mner.errors import ModelError
from mner.runtime import Runtime
from mner.views import Encoded, batches_by_tokens, collate, portions


def spans(
    runtime: Runtime,
    encoded: Sequence[Encoded],
    decoder: Decoder,
    *,
    every: bool = False,
    tokens_per_batch: int | None = None,
) -> list[tuple[ScoredSpan, ...]]:
    """The decoded entities of each post, by word index, with their probability.

    Posts are sorted by length for the forward passes and returned in the order given; a post without words
    has no entities.

    Args:
        runtime: Label scores.
        encoded: The posts.
        decoder: What decodes them.
        every: Give the ``decode.candidates`` in place of the best path's entities.
        tokens_per_batch: Most padded sub-tokens of one forward pass; None: as many as suit the runtime. They change
            time and memory, not the entities.
    """
    decoded: list[tuple[ScoredSpan, ...]] = [()] * len(encoded)
    for members, scores, lengths in _forward(runtime, encoded, tokens_per_batch):
        heads = heads_of([encoded[post] for post in members])
        read = (
            candidates(decoder, scores, lengths, heads=heads) if every else decoder.decode(scores, lengths, heads=heads)
        )
        for post, entities in zip(members, read, strict=True):
            decoded[post] = entities
    return decoded


def emissions(runtime: Runtime, encoded: Sequence[Encoded], *, tokens_per_batch: int | None = None) -> list[np.ndarray]:
    """The label scores (word, label) of each post, in the order given; (place, label) where sub-tokens carry labels."""
    labels = len(runtime.labels)
    by_post = [np.zeros((0, labels), np.float32)] * len(encoded)
    for members, scores, lengths in _forward(runtime, encoded, tokens_per_batch):
        for row, (post, length) in enumerate(zip(members, lengths, strict=True)):
            by_post[post] = scores[row, :length]
    return by_post


def heads_of(encoded: Sequence[Encoded]) -> list[np.ndarray] | None:
    """The place of each word's first sub-token (word,) in each post, as a decoder asks; None where words are places."""
    heads = [post.heads for post in encoded if post.heads is not None]
    return heads if heads and len(heads) == len(encoded) else None


STEP = 16
"""Sub-tokens to which batches of even size are cut."""

_Scored = tuple[Sequence[int], np.ndarray, np.ndarray]
"""Members, label scores (post, word, label) and lengths (post,) of a batch."""


def _forward(runtime: Runtime, encoded: Sequence[Encoded], tokens_per_batch: int | None) -> Iterator[_Scored]:
    """Each batch with its scores; several posts go through two passes beside each other where the runtime has those.

    A batch holds posts of one view. A post of more windows than fit a batch passes in portions: the memory that it
    takes does not grow with its length. A model with arrays of the words reads from word to word, so it gets all.
    """
    tokens = runtime.tokens_per_batch if tokens_per_batch is None else tokens_per_batch
    batches = _batches(encoded, tokens)
    several = sum(map(len, batches)) > 1
    half = runtime.half(sum(post.tokens for post in encoded)) if several else None
    if half is not None:
        batches = _evened(batches, encoded, tokens)
    scored = partial(_scored, half or runtime, encoded, tokens)
    yield from map(scored, batches) if half is None else _two_at_a_time(scored, batches)


def _batches(encoded: Sequence[Encoded], tokens: int) -> list[list[int]]:
    """The posts of each batch; those without words are in none."""
    batches: list[list[int]] = []
    for view in dict.fromkeys(post.view for post in encoded):
        filled = [number for number, post in enumerate(encoded) if post.words and post.view == view]
        cut = batches_by_tokens([encoded[post] for post in filled], tokens)
        batches += [[filled[position] for position in batch] for batch in cut]
    return batches


def _evened(batches: list[list[int]], encoded: Sequence[Encoded], tokens: int) -> list[list[int]]:
    """As few batches as before, or one more: an even number of even size, so that two passes end at the same time."""
    most = len(batches) + len(batches) % 2
    least, enough = sum(post.tokens for post in encoded) // most, tokens
    while enough - least > STEP:
        middle = (least + enough) // 2
        cut = _batches(encoded, middle)
        if len(cut) <= most:
            batches, enough = cut, middle
        else:
            least = middle
    return batches


def _scored(runtime: Runtime, encoded: Sequence[Encoded], tokens: int, members: Sequence[int]) -> _Scored:
    posts = [encoded[post] for post in members]
    if len(posts) == 1 and len(posts[0].windows) > 1 and not any(array.of == "words" for array in runtime.arrays):
        return members, _portioned(runtime, posts[0], tokens), np.array([posts[0].words])
    return members, _scores(runtime, posts), np.array([post.words for post in posts])


def _two_at_a_time(work: Callable[[list[int]], _Scored], batches: Sequence[list[int]]) -> Iterator[_Scored]:
    """What the work gives for each batch, in order; a third one waits, so that no thread does."""
    with ThreadPoolExecutor(2, "mner-pass") as pool:
        at_work: deque[Future[_Scored]] = deque()
        try:
            for batch in batches:
                at_work.append(pool.submit(work, batch))
                if len(at_work) > 3:
                    yield at_work.popleft().result()
            while at_work:
                yield at_work.popleft().result()
        finally:
            for future in at_work:
                future.cancel()


def _portioned(runtime: Runtime, post: Encoded, tokens: int) -> np.ndarray:
    """The label scores (1, word, label) of one post, its windows read in portions."""
    scores = np.zeros((1, post.words, len(runtime.labels)), np.float32)
    for places, portion in portions(post, tokens):
        scores[0, places] = _scores(runtime, [portion])[0]
    if post.tokens > tokens:
        runtime.release()
    return scores


def _scores(runtime: Runtime, encoded: Sequence[Encoded]) -> np.ndarray:
    """Label scores (post, word, label) of posts in one view, all of them numbers but for rows past a post's length.

    Raises:
        ModelError: One is not: decoded, it would be a post without entities.
    """
    batch = collate(encoded, pad_id=runtime.pad_id, arrays=runtime.arrays)
    scores = runtime.emissions(batch, encoded[0].view)
    if not np.isfinite(scores).all():
        within = np.arange(scores.shape[1]) < batch.lengths[:, None]
        if not np.isfinite(scores[within]).all():
            raise ModelError("the model gives label scores that are not numbers; copy or export it again")
    return scores
