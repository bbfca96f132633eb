"""Posts in both views -> words without sub-tokens, posts over the encoder's limit, context that budgets cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mner.preflight.report import Findings
from mner.types import LINKS, Post

if TYPE_CHECKING:
    from mner.contexts.artefact import Contexts
    from mner.views import Encoded, Views


def examine_tokens(findings: Findings, views: Views, contexts: Contexts | None, posts: Sequence[Post]) -> None:
    """Report what the encoder's tokenizer makes of some posts; contexts may be None: then of their words alone."""
    from mner.views import compose
    from mner.views.contexts import context_of

    beside = []
    for post in posts:
        context = None if contexts is None else context_of(post, contexts)
        beside.append(() if context is None else compose(context, views.options))
    for post, encoded in zip(posts, views.encode_many([post.words for post in posts], beside), strict=True):
        _examine(findings, views, post, encoded)


def _examine(findings: Findings, views: Views, post: Post, encoded: Encoded) -> None:
    lost = [word for word, (window, _) in zip(post.words, encoded.first.tolist(), strict=True) if window < 0]
    if lost:
        shown = ", ".join(f'"{word}"' for word in lost[:5])
        findings.add(
            "note",
            "no sub-token",
            post.where,
            f"the tokenizer yields nothing for {shown}; the word keeps its place with a zero vector",
            times=len(lost),
        )
    if len(encoded.windows) > 1:
        findings.add(
            "note",
            "several windows",
            post.where,
            f"over {views.max_tokens} sub-tokens: read in {len(encoded.windows)} windows that overlap",
        )
    for kind, count in encoded.cut.items():
        if kind == LINKS:
            continue
        if kind == "words":
            message = f"{count} sub-tokens of words over context.word_pieces, or longer than a window, are not read"
        else:
            message = f"{count} sub-tokens of {kind} are over the budget (context.budget.{kind}) and left out"
        findings.add("warning", f"cut {kind}", post.where, message, times=count)
