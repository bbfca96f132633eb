"""Explanations -> one file that stands alone: a list to filter and to step through, each post drawn when it is shown.

Every post is written as soon as it comes, drawn and as JSON that the browser leaves alone until the post is shown. What
is filtered by follows at the end, small. So neither this program nor the browser holds all pages at once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mner.contexts.entry_text import Entry, words_of
from mner.evaluation.errors import OUTCOMES
from mner.evidence import Explanation, Verdict
from mner.files import writing
from mner.show.display import STATUS, TONE, shown
from mner.show.environment import source, template
from mner.show.picture import embed_all
from mner.show.post import judged_of, name_of, page, part, runs_of

if TYPE_CHECKING:
    from markupsafe import Markup

LONGEST = 256
"""Pixels of a picture's longer side, at most."""

PICTURES = 40_000_000
"""Bytes of the page that pictures take, at most; one of that size takes about 8,000, so 5,000 find room."""

DID: dict[Verdict, str] = {
    "only with the picture": "gained it",
    "lost with the picture": "lost it",
    "label changed": "changed its label",
    "raised": "raised its score",
    "lowered": "lowered its score",
    "same": "nothing",
    "no picture": "was not used",
}
"""What the picture did with an entity, as the filter says it."""

NONE = -1
_ENDS = re.compile("<(?=!--|/?script)", re.IGNORECASE)


@dataclass(slots=True)
class Index:
    """What the page filters by.

    Attributes:
        labels: The labels, each once, in order of appearance.
        posts: For each post its name in the address, its words in small letters, and its entities, each as three
            numbers: of its label, of what the picture did, of what it is beside the gold ones; -1 for none.
        judged: Whether gold entities are known for any post.
        left_out: Pictures that did not go into the page.
    """

    labels: dict[str, int] = field(default_factory=dict)
    posts: list[dict[str, Any]] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    judged: bool = False
    left_out: int = 0

    def add(self, explanation: Explanation, name: str) -> None:
        """Add a post."""
        self.judged = self.judged or explanation.gold is not None
        words = shown(_words(explanation, name)).lower()
        self.posts.append({"key": self._key(shown(name)), "find": words, "entities": self._facets(explanation)})

    def options(self) -> dict[str, list[tuple[int, str, int]]]:
        """What each filter offers: number, name, and how many entities that is."""
        names: dict[str, list[str]] = {"label": [*self.labels], "did": [*DID.values()], "outcome": [*OUTCOMES]}
        facets = [entity for post in self.posts for entity in post["entities"]]
        offered = {}
        for at, (kind, each) in enumerate(names.items()):
            counts = Counter(entity[at] for entity in facets)
            offered[kind] = [(number, name, counts[number]) for number, name in enumerate(each) if counts[number]]
        return offered

    def _key(self, name: str) -> str:
        """The post's name in the address; with a number where another one is called so."""
        key = name
        while key in self.names:
            self.names[name] += 1
            key = f"{name} ({self.names[name]})"
        self.names[key] += 1
        return key

    def _facets(self, explanation: Explanation) -> list[list[int]]:
        verdicts = {
            (row.entity.start, row.entity.end, row.entity.label): list(DID).index(row.verdict)
            for row in explanation.evidence
        }
        judged = [(each.entity, OUTCOMES.index(each.outcome)) for each in judged_of(explanation)]
        facets = []
        for entity, outcome in judged or [(entity, NONE) for entity in explanation.prediction.entities]:
            did = verdicts.pop((entity.start, entity.end, entity.label), NONE)
            facets.append([self._label(entity.label), did, outcome])
        lost = [[self._label(label), did, NONE] for (_, _, label), did in verdicts.items()]
        return facets + lost

    def _label(self, label: str) -> int:
        return self.labels.setdefault(label, len(self.labels))


def write_gallery(explanations: Iterable[Explanation], path: str | Path, *, title: str = "mner") -> Path:
    """The file written: one page with all posts, to filter and to step through; of one post alone its page.

    Posts are taken one by one, so memory holds one picture at a time. The file appears when it is whole. Pictures are
    inside, 256 pixels wide or high, up to 40 MB; the page says how many were left out.

    Args:
        explanations: What ``Tagger.explain`` returns.
        path: The page.
        title: Its title.
    """
    path = Path(path)
    remaining = iter(explanations)
    first = list(islice(remaining, 2))
    with writing(path) as stream:
        if len(first) == 1:
            stream.write(page(first[0], number_=1))
        else:
            stream.writelines(_gallery(chain(first, remaining), title))
    return path


def _gallery(explanations: Iterable[Explanation], title: str) -> Iterator[str]:
    index, script = Index(), source("gallery.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return template("gallery.html").generate(
        title=title, digest=digest, script=script, posts=_posts(explanations, index), index=index, json=_json
    )


def _posts(explanations: Iterable[Explanation], index: Index) -> Iterator[Markup]:
    """Each post as the page keeps it; it joins the index."""
    taken = 0
    for number, explanation in enumerate(explanations, 1):
        name = name_of(explanation.prediction, number)
        index.add(explanation, name)
        pictures = embed_all(explanation, longest=LONGEST, quality=60, form="webp")
        size = sum(len(picture.uri) for picture in pictures if picture is not None)
        if size and taken + size > PICTURES:
            index.left_out += 1
            pictures, size = [], 0
        taken += size
        drawn = part(explanation, name, pictures=[each and replace(each, uri="") for each in pictures])
        uris = [picture.uri for picture in pictures if picture is not None]
        yield _json({"row": _row(explanation, name, pictured=bool(uris)), "post": drawn, "pictures": uris})


def _json(value: Any) -> Markup:
    """A value as JSON that no part of ends the element that it stands in, or begins another."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(_ENDS.sub(r"\\u003c", text))  # noqa: S704 (no element ends or begins in it)


def _row(explanation: Explanation, name: str, *, pictured: bool) -> str:
    text: str = template("gallery_row.html").render(
        name=name,
        pictured=pictured,
        runs=[{**run, "score": ""} for run in runs_of(explanation.prediction)],
        status="" if explanation.prediction.image_status == "used" else STATUS[explanation.prediction.image_status],
        verdicts=Counter(row.verdict for row in explanation.evidence if TONE[row.verdict] != "plain"),
        outcomes=Counter(each.outcome for each in judged_of(explanation) if each.outcome != "correct"),
    )
    return text


def _words(explanation: Explanation, name: str) -> str:
    """What a search looks through: name, text, labels, and what was read from the picture."""
    context = explanation.prediction.context
    read: tuple[Entry, ...] = (
        () if context is None else (*context.captions, *context.tags, *context.ocr, *context.texts)
    )
    gold = () if explanation.gold is None else explanation.gold
    labels = dict.fromkeys(entity.label for entity in (*explanation.prediction.entities, *gold))
    prediction = explanation.prediction
    images = [picture.image or "" for picture in prediction.pictures] or [prediction.image or ""]
    return "\n".join([name, *images, prediction.text, *labels, *map(words_of, read)])
