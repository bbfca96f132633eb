"""spaCy: the pipeline component ``mner`` sets ``doc.ents`` from the words and the picture of each document.

- ``doc._.mner_image``: the picture of a document, which the caller sets: a path, the bytes of its file, or a PIL image,
  or a list of several;
- ``span._.mner_score``: the probability of an entity;
- ``doc._.mner``: the whole prediction as its JSON object, with ``view``, ``image_status`` and ``reason``.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import tee
from pathlib import Path
from typing import Any, Literal

from spacy.language import Language
from spacy.tokens import Doc, Span

from mner.bulk import Counts
from mner.errors import DataError, ModelError
from mner.files import write_json
from mner.tagger import Tagger, load
from mner.tagger.opening import OF_MACHINE
from mner.types import Prediction

FILE = "mner.json"
"""The file that a saved pipeline has of the component."""

for _holder, _name in ((Doc, "mner"), (Doc, "mner_image"), (Span, "mner_score")):
    if not _holder.has_extension(_name):
        _holder.set_extension(_name, default=None)


class EntityTagger:
    """The component; ``nlp.add_pipe("mner")`` makes one.

    Args:
        tagger: The model.
        model: What ``mner.load`` was called with, for messages and for the saved pipeline.
        min_score: Least probability of an entity.
        alignment: What becomes of an entity that begins or ends within a token of spaCy: "strict" leaves it out and
            counts it, "expand" extends it to whole tokens, "contract" shortens it.

    Attributes:
        counts: What the documents so far came to.
        unaligned: Entities so far that no tokens of spaCy hold; ``doc._.mner`` has them all the same.

    >>> import spacy
    >>> nlp = spacy.blank("en")
    >>> component = nlp.add_pipe("mner", config={"min_score": 0.5, "settings": {"threads": 1}})
    >>> nlp("Kevin Love is back in Cleveland").ents
    (Kevin Love, Cleveland)
    >>> [len(doc.ents) for doc in nlp.pipe(["Kevin Love is back", "We are back"])]
    [1, 0]

    A saved pipeline names the model, and takes no other when it is loaded:

    >>> component.from_bytes(component.to_bytes()) is component
    True
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     component.to_disk(folder)
    ...     component.from_disk(folder) is component
    True
    """

    def __init__(self, tagger: Tagger, model: str, *, min_score: float, alignment: str) -> None:
        self.labels = tagger.labels
        self.counts = Counts()
        self.unaligned = 0
        self._tagger = tagger
        self._model = model
        self._min_score = min_score
        self._alignment = alignment

    def __call__(self, doc: Doc) -> Doc:
        """The document with its entities set."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """The documents with their entities set, in their order; ``batch_size`` of them are held at a time."""
        docs, read = tee(stream)
        rows = ({"text": doc.text, "image": doc._.mner_image} for doc in read)
        predictions = self._tagger.pipe(rows, min_score=self._min_score, look_ahead=batch_size)
        for doc, prediction in zip(docs, predictions, strict=True):
            self._set(doc, prediction)
            yield doc

    def _set(self, doc: Doc, prediction: Prediction) -> None:
        spans: list[Span] = []
        for entity in prediction.entities:
            span = doc.char_span(entity.start, entity.end, entity.label, alignment_mode=self._alignment)
            if span is None or (spans and span.start < spans[-1].end):
                self.unaligned += 1
                continue
            span._.mner_score = entity.score
            spans.append(span)
        tokens = {token.i for span in spans for token in span}
        others = [span for span in doc.ents if tokens.isdisjoint(token.i for token in span)]
        doc.ents = [*spans, *others]
        doc._.mner = prediction.to_dict()
        self.counts.add(prediction)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Which model this is: its name and what its predictions depend on. The model stays where it is."""
        return json.dumps(self._reference()).encode()

    def from_bytes(self, content: bytes, *, exclude: Iterable[str] = ()) -> "EntityTagger":
        """The component itself, if it has the model that these bytes refer to.

        Raises:
            ModelError: It is another model.
        """
        return self._checked(json.loads(content), "the pipeline")

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write which model this is into a folder; the model stays where it is."""
        Path(path).mkdir(parents=True, exist_ok=True)
        write_json(Path(path) / FILE, self._reference())

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "EntityTagger":
        """The component itself, if it has the model that the folder refers to.

        Raises:
            DataError: The folder's file cannot be read.
            ModelError: It is another model.
        """
        file = Path(path) / FILE
        try:
            reference = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{file}: cannot be read ({error}); save the pipeline again") from None
        return self._checked(reference, str(path))

    def _reference(self) -> dict[str, Any]:
        settings = {name: value for name, value in self._tagger.settings.items() if name not in OF_MACHINE}
        return {"model": self._model, "settings": settings}

    def _checked(self, reference: Any, where: str) -> "EntityTagger":
        saved = reference.get("settings") if isinstance(reference, dict) else None
        now = self._reference()["settings"]
        if saved != now:
            raise ModelError(
                f"{where}: the component mner was saved with another model than {self._model} now is "
                f"({saved}, now {now}); save the pipeline again"
            )
        return self


@Language.factory(
    "mner",
    assigns=["doc.ents", "doc._.mner", "span._.mner_score"],
    default_config={"model": "social-en", "min_score": 0.0, "alignment": "strict", "settings": {}},
)
def make(
    nlp: Language,
    name: str,
    model: str,
    min_score: float,
    alignment: Literal["strict", "expand", "contract"],
    settings: dict[str, Any],
) -> EntityTagger:
    """The component of a pipeline.

    Args:
        nlp: The pipeline.
        name: The component's name in it.
        model: What ``mner.load`` takes: "social-en", a path, or "hub:owner/name".
        min_score: Least probability of an entity.
        alignment: What becomes of an entity that begins or ends within a token: "strict", "expand" or "contract".
        settings: Further arguments of ``mner.load``, such as {"images": "photos", "threads": 1}.
    """
    return EntityTagger(load(model, **settings), model, min_score=min_score, alignment=alignment)
