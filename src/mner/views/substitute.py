"""Controls: each picture's context replaced by nothing, or by the context of another picture (ITA-Random, Table 4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mner.config import Substitute
from mner.errors import DataError
from mner.types import VisualContext


def substituted(contexts: Sequence[VisualContext | None], kind: Substitute, *, seed: int) -> list[VisualContext | None]:
    """The contexts that replace those of a split's posts; ``kind`` "none" leaves them.

    Only contexts that were read (status "ok") are replaced: a post without a usable picture has none in a control
    either. "shuffled" gives each picture the context of another one, each exactly once, so that the split as a whole
    keeps its contexts; posts that share a picture share its substitute. It depends on the seed and on the pictures'
    names, not on the order of the posts.

    Raises:
        DataError: "shuffled", and there is one picture alone.

    >>> rows = [VisualContext("1.jpg"), VisualContext("2.jpg"), None]
    >>> [context and context.image for context in substituted(rows, "shuffled", seed=1)]
    ['2.jpg', '1.jpg', None]
    """
    if kind == "none":
        return list(contexts)
    read = {context.image: context for context in contexts if context is not None and context.status == "ok"}
    if kind == "empty":
        instead = {
            name: VisualContext(name, extractor=context.extractor, sha256=context.sha256)
            for name, context in read.items()
        }
    else:
        instead = {name: read[other] for name, other in ring(list(read), seed).items()}
    return [context and instead.get(context.image, context) for context in contexts]


def ring(images: Sequence[str], seed: int) -> dict[str, str]:
    """Each picture's neighbour in a random ring of all of them: another one's for each, and never itself.

    Raises:
        DataError: There is one picture alone.
    """
    if len(images) == 1:
        raise DataError(
            f'context.substitute = "shuffled": {images[0]} is the only picture of its split that was read; '
            "there is no other one to take"
        )
    names = sorted(images)
    order = [names[place] for place in np.random.default_rng(seed).permutation(len(names))]
    return dict(zip(order, [*order[1:], *order[:1]], strict=True))
