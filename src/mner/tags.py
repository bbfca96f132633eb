"""Entity spans <-> one tag for each word, in the schemes IOB2, IOB1 and BIOES."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from mner.errors import DataError
from mner.types import Span

if TYPE_CHECKING:
    import numpy as np

Scheme = Literal["IOB1", "IOB2", "BIOES"]
"""IOB2: every entity begins with B-. IOB1: B- only right after an entity of the same type.
BIOES: B-, I-, E- for the first, inner and last word, S- for an entity of one word."""

Reading = Literal["repair", "strict"]
"""What an I- that continues nothing means: repair, it begins an entity; strict, it is O."""

Labels = Reading | Literal[False]
"""How labels are read; False: they are neither read nor checked."""

PAD = "PAD"
"""The label of a word's further sub-tokens if they have labels too (ITA, appendix A.5); never that of a word."""

PREFIXES: dict[Scheme, str] = {"IOB1": "BI", "IOB2": "BI", "BIOES": "BIES"}
"""The letters that may precede the hyphen."""

_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f"
_BLANK = rf"[\s\u00ad\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff{_FILLERS}]"
"""White space and characters that show nothing."""
_AROUND = re.compile(rf"\A{_BLANK}+|{_BLANK}+\Z")
_HIDDEN = re.compile(rf"(?! ){_BLANK}|[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PREFIXED = re.compile(r"[BI]-|[ESLUM]-(?=[A-Z])")
_LONG_NAMES = {
    "person": "per",
    "location": "loc",
    "organization": "org",
    "organisation": "org",
    "miscellaneous": "misc",
}


def trimmed(label: str) -> str:
    """The label without white space and invisible characters around it.

    >>> trimmed("B-PER\u00a0\u200b")
    'B-PER'
    """
    return label if label.isascii() and label.isalnum() else _AROUND.sub("", label)


@lru_cache(maxsize=4096)
def check_type(label: str) -> str:
    """The type of an entity as it is read, in every format: without white space and invisible characters around it.

    A space within is part of the name ("work of art"), as far as a format can hold one.

    Raises:
        ValueError: It is not the name of one type; the message says why.

    >>> check_type(" LOC")
    'LOC'
    """
    name = trimmed(label)
    shown = name.encode("unicode_escape").decode() if not name.isprintable() else name
    if not name:
        raise ValueError("the type is empty; expected a name such as PER")
    if name == "O":
        raise ValueError('the type is "O", which means no entity; leave such entities out')
    if mark := re.search(r"[,;|]", name):
        raise ValueError(f'the type "{shown}" holds "{mark[0]}": several types? One entity has one type; choose one')
    if _PREFIXED.match(name):
        raise ValueError(f'the type "{shown}" begins with a prefix; expected the bare name, "{shown[2:]}"')
    if _HIDDEN.search(name):
        raise ValueError(f'the type "{shown}" holds white space or characters that do not show; take them out')
    if "  " in name or re.search(r" [BIESLUM]-", name):
        raise ValueError(f'the type "{shown}" holds several names or spaces; expected one name such as PER')
    return name


def similar_types(types: Mapping[str, int]) -> list[str]:
    """A warning for types that are probably one type in several spellings; ``types`` counts the entities of each.

    They differ only in case, hyphens, underscores, spaces or the coding of letters, or are the long and the short name
    of one type (PER and PERSON).

    >>> similar_types({"PER": 9, "Per": 1, "LOC": 4})
    ['PER (9) and Per (1) are read as different types. If they are one, rename all but one of them: data.rename']
    """
    groups: dict[str, list[str]] = {}
    for name in sorted(types):
        plain = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold())) or name
        groups.setdefault(_LONG_NAMES.get(plain, plain), []).append(f"{name} ({types[name]})")
    return [
        f"{', '.join(group[:-1])} and {group[-1]} are read as different types. "
        "If they are one, rename all but one of them: data.rename"
        for group in groups.values()
        if len(group) > 1
    ]


def parse(tag: str, *, scheme: Scheme = "BIOES") -> tuple[str, str]:
    """The letter and the type of a tag; ("O", "") outside entities.

    Raises:
        DataError: The tag is not valid in the scheme.

    >>> parse("B-geo-loc")
    ('B', 'geo-loc')
    """
    if tag == "O":
        return "O", ""
    if len(tag) > 2 and tag[1] == "-" and tag[0] in PREFIXES[scheme]:
        return tag[0], tag[2:]
    letters = [f"{letter}-" for letter in PREFIXES[scheme]]
    raise DataError(
        f'label "{tag}" is not {scheme}: expected O or a type after {", ".join(letters[:-1])} or {letters[-1]}, '
        "such as B-PER"
    )


def detect(sequences: Iterable[Sequence[str]]) -> Scheme:
    """The scheme that tag sequences are written in.

    BIOES if any tag begins with E- or S-; IOB1 if an entity begins with I- and B- occurs only right after
    a word of the same type; else IOB2. Any other tag counts as O.

    >>> detect([["I-PER", "B-PER", "O"]])
    'IOB1'
    """
    opened_by_i = opened_by_b = False
    for tags in sequences:
        before = ""
        for tag in tags:
            letter, kind = (tag[0], tag[2:]) if tag[1:2] == "-" else ("O", "")
            if letter in "ES":
                return "BIOES"
            if letter == "B":
                opened_by_b = opened_by_b or before != kind
            elif letter == "I":
                opened_by_i = opened_by_i or before != kind
            before = kind if letter in "BI" else ""
    return "IOB1" if opened_by_i and not opened_by_b else "IOB2"


def to_spans(tags: Sequence[str], *, scheme: Scheme = "IOB2", labels: Reading = "repair") -> tuple[Span, ...]:
    """The entities of a tag sequence, sorted. In IOB1 an I- may begin an entity, so both readings agree.

    Raises:
        DataError: A tag is not valid in the scheme.

    >>> to_spans(["I-PER", "I-PER", "O", "B-LOC"])
    (Span(start=0, end=2, label='PER'), Span(start=3, end=4, label='LOC'))
    >>> to_spans(["I-PER", "I-PER", "O", "B-LOC"], labels="strict")
    (Span(start=3, end=4, label='LOC'),)
    """
    may_open = labels == "repair" or scheme == "IOB1"
    spans: list[Span] = []
    start, open_type = 0, ""
    for at, tag in enumerate(tags):
        if tag == "O":
            if open_type:
                spans.append(Span(start, at, open_type))
                open_type = ""
            continue
        letter, kind = parse(tag, scheme=scheme)
        if letter in "IE" and kind == open_type:
            continue
        if open_type:
            spans.append(Span(start, at, open_type))
        opens = letter in "BS" or may_open
        start, open_type = at, kind if opens else ""
    if open_type:
        spans.append(Span(start, len(tags), open_type))
    return tuple(spans)


def bioes_to_spans(tags: Sequence[str], *, labels: Reading = "repair") -> tuple[Span, ...]:
    """The entities of BIOES tags, legal or not: S- is read as B- and E- as I-, then as ``to_spans``.

    So an E- does not close: an I- right after it, of the same type, still belongs to the entity. This is
    how the public ITA code reads its output.

    >>> bioes_to_spans(["S-PER", "E-LOC", "O"])
    (Span(start=0, end=1, label='PER'), Span(start=1, end=2, label='LOC'))
    """
    return to_spans(tags, scheme="BIOES", labels=labels)


def from_spans(spans: Iterable[Span], length: int, *, scheme: Scheme = "IOB2") -> list[str]:
    """One tag for each word, for entities in any order.

    Raises:
        DataError: Entities overlap, are empty, or leave the ``length`` words.

    >>> from_spans([Span(0, 2, "PER")], 3, scheme="BIOES")
    ['B-PER', 'E-PER', 'O']
    """
    tags = ["O"] * length
    end, before = 0, ""
    for span in sorted(spans):
        if not 0 <= span.start < span.end <= length:
            raise DataError(f"entity {span.start}-{span.end} {span.label} is not within {length} words")
        if span.start < end:
            raise DataError(f"entity {span.start}-{span.end} {span.label} overlaps the one before it")
        touches = span.start == end and before == span.label
        tags[span.start : span.end] = [f"I-{span.label}"] * (span.end - span.start)
        if scheme != "IOB1" or touches:
            tags[span.start] = f"B-{span.label}"
        if scheme == "BIOES":
            last = "E" if span.end - span.start > 1 else "S"
            tags[span.end - 1] = f"{last}-{span.label}"
        end, before = span.end, span.label
    return tags


def bioes_labels(types: Iterable[str], *, padded: bool = False) -> tuple[str, ...]:
    """The label set of a tagger: O, then B-, I-, E-, S- of each type, types sorted; PAD at the end if ``padded``.

    >>> bioes_labels(["PER"])
    ('O', 'B-PER', 'I-PER', 'E-PER', 'S-PER')
    """
    words = (f"{letter}-{kind}" for kind in sorted(set(types)) for letter in "BIES")
    return ("O", *words, *([PAD] if padded else ()))


def entity_types(labels: Iterable[str]) -> tuple[str, ...]:
    """The types of entities that a label set knows, sorted.

    >>> entity_types(["O", "S-PER", "B-LOC", "PAD"])
    ('LOC', 'PER')
    """
    return tuple(sorted({label[2:] for label in labels if label[1:2] == "-"}))


def legal(labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which labels may begin a post, follow each other, and end it.

    Labels without any E- or S- are taken as IOB2.

    Returns:
        start (label,), transitions (label, label) as [from, to], end (label,), all boolean.

    Raises:
        DataError: A label is not BIOES.

    >>> start, transitions, end = legal(["O", "B-PER", "I-PER", "E-PER", "S-PER"])
    >>> transitions[1].tolist()  # after B-PER: I-PER or E-PER
    [False, False, True, True, False]
    """
    import numpy as np

    letters, kinds = zip(*map(parse, labels), strict=True) if labels else ((), ())
    letter, kind = np.array(letters, dtype="U1"), np.array(kinds, dtype=object)
    continues = np.isin(letter, ["I", "E"])
    opens = np.isin(letter, ["B", "I"])
    must_go_on = opens & bool(np.isin(letter, ["E", "S"]).any())
    same_type = kind[:, None] == kind[None, :]
    inside = opens[:, None] & continues[None, :] & same_type
    outside = ~must_go_on[:, None] & ~continues[None, :]
    return ~continues, np.asarray(inside | outside, dtype=bool), ~must_go_on
