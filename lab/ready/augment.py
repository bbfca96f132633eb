"""Training posts -> some of them again, changed: other names, other case, names joined to a hashtag.

A copy is a further training post, so the original is never lost. Its id, and the name of its picture, is the original's
followed by the change: ``123~lower``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from lab.ready.name_lists import Names
from lab.ready.sources import HANDLE, glue, rebuilt
from mner.types import Post, Span

REPLACED = ("PER", "LOC", "ORG")
SEPARATOR = "~"
Change = Callable[[Post, Names, random.Random], Post]


def copies(posts: Sequence[Post], rates: Mapping[str, float], names: Names, *, seed: int = 1) -> Iterator[Post]:
    """The changed copies of posts; a change that leaves a post as it was makes no copy.

    Args:
        posts: Labelled training posts with unique ids.
        rates: Of each change, the chance that a post gets a copy with it.
        names: What names are replaced with.
        seed: Another seed makes other copies.
    """
    unknown = rates.keys() - CHANGES.keys()
    if unknown:
        raise SystemExit(f"error: no such change of posts: {sorted(unknown)}; expected {', '.join(CHANGES)}")
    for post in posts:
        for name, rate in rates.items():
            dice = random.Random(f"{seed}:{name}:{post.id}")  # noqa: S311  (chance, no secret)
            if dice.random() >= rate:
                continue
            changed = CHANGES[name](post, names, dice)
            if changed.words != post.words:
                yield named(changed, f"{post.id}{SEPARATOR}{name}", pictured=post.image is not None)


def named(post: Post, name: str, *, pictured: bool) -> Post:
    """The post under a name of its own, its picture's as well if it shall have one."""
    return replace(post, id=name, image=f"{name}.jpg" if pictured else None)


def lower(post: Post, names: Names, dice: random.Random) -> Post:
    """All words in lower case, links aside."""
    return rebuilt(post, [word if word.startswith("http") else word.lower() for word in post.words])


def upper(post: Post, names: Names, dice: random.Random) -> Post:
    """All words in upper case, links and handles aside."""
    return rebuilt(post, [word if word.startswith(("http", "@")) else word.upper() for word in post.words])


def other_names(post: Post, names: Names, dice: random.Random) -> Post:
    """Every person, place and organisation replaced with a drawn one of the same type, written in the same case.

    Names that are hashtags or handles stay, and so does MISC, for which there is no list.
    """
    words, spans, at = list[str](), list[Span](), 0
    for span in post.spans or ():
        words += post.words[at : span.start]
        at = span.end
        name: Sequence[str] = post.words[span.start : span.end]
        before = post.words[span.start - 1] if span.start else ""
        if span.label in REPLACED and before not in ("#", "@") and not any(word[0] in "#@" for word in name):
            drawn = names.draw(span.label, len(name), dice)
            case = str.upper if all(map(str.isupper, name)) and len("".join(name)) > 4 else str
            name = [(str.lower if all(map(str.islower, name)) else case)(word) for word in drawn]
        spans.append(Span(len(words), len(words) + len(name), span.label))
        words += name
    return rebuilt(post, words + list(post.words[at:]), spans)


def hashtag(post: Post, names: Names, dice: random.Random) -> Post:
    """One entity joined to a hashtag: ``Chicago Cubs`` becomes ``#ChicagoCubs``, or ``# ChicagoCubs`` in two words."""
    plain = [
        span
        for span in post.spans or ()
        if all(re.fullmatch(r"[\w'’.&-]+", word) for word in post.words[span.start : span.end])
        and (not span.start or post.words[span.start - 1] not in ("#", "@"))
    ]
    if not plain:
        return post
    chosen = dice.choice(plain)
    parts = post.words[chosen.start : chosen.end]
    if dice.random() < 0.5:
        parts = tuple(part[0].upper() + part[1:] for part in parts)
    joined = "".join(re.sub(r"\W", "", part) for part in parts)
    if not joined:
        return post
    written = [f"#{joined}"] if dice.random() < 0.5 else ["#", joined]
    words = [*post.words[: chosen.start], *written, *post.words[chosen.end :]]
    shift = len(written) - len(parts)
    spans = []
    for span in post.spans or ():
        if span == chosen:  # the sign by itself is outside, as it is labelled everywhere
            end = chosen.start + len(written)
            spans.append(Span(end - 1, end, span.label))
        else:
            moved = shift if span.start > chosen.start else 0
            spans.append(Span(span.start + moved, span.end + moved, span.label))
    return rebuilt(post, words, spans)


def spacing(post: Post, names: Names, dice: random.Random) -> Post:
    """Hashtags in the other spacing, ``# x`` or ``#x``; handles ``@ x`` as ``@x``, which is no entity.

    A handle that is written in one word stays: what its name would be, nobody has labelled.
    """
    heads = [number for number, word in enumerate(post.words[:-1]) if HANDLE.fullmatch(post.words[number + 1])]
    places = {word for span in post.spans or () if span.label == "LOC" for word in range(span.start, span.end)}
    longer = {word for span in post.spans or () if span.end - span.start > 1 for word in range(span.start, span.end)}
    handles = [n for n in heads if post.words[n] == "@" and n + 1 not in places | longer]
    if handles:
        return glue(post, handles, drop=True)
    signs = [number for number in heads if post.words[number] == "#"]
    if signs:
        starts = {span.start: span for span in post.spans or ()}
        within = [replace(span, start=span.start - 1) if span.start - 1 in signs else span for span in starts.values()]
        return glue(rebuilt(post, spans=within), signs, drop=False)
    return _apart(post)


def _apart(post: Post) -> Post:
    """The post with each ``#x`` as ``# x``; the sign is outside of its entity."""
    words, place = list[str](), list[int]()  # place: of the last new word of each old one
    for word in post.words:
        words += ["#", word[1:]] if word.startswith("#") and HANDLE.fullmatch(word[1:]) else [word]
        place.append(len(words) - 1)
    spans = [Span(place[span.start], place[span.end - 1] + 1, span.label) for span in post.spans or ()]
    return rebuilt(post, words, spans)


CHANGES: dict[str, Change] = {
    "names": other_names,
    "lower": lower,
    "upper": upper,
    "hashtag": hashtag,
    "spacing": spacing,
}
