"""Entities with their boxes, from a model or from a file -> scores of NER and of grounding on labelled posts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mner import data
from mner.config import Config
from mner.data.boxes import Unlisted
from mner.data.pictures import place_of
from mner.data.reading import rename as renamed
from mner.data.records import excluded
from mner.errors import DataError
from mner.evaluation.grounding import GroundedScores, score_grounded
from mner.evaluation.predictions import Characters, of_gold, of_prediction, read_predictions
from mner.evaluation.scores import PRF, Scores, score
from mner.evaluation.signature import Signature
from mner.evaluation.views import signature_of
from mner.grounding.boxes import size_of
from mner.runs.posts import posts_to_score
from mner.runtime import read_model
from mner.tagger.opening import load, model_folder
from mner.types import Post


@dataclass(frozen=True, slots=True)
class Grades:
    """Scores of predictions, each with the signature of its F1.

    Attributes:
        scores: Of words and type, by label.
        signature: Of these.
        grounded: Of words, type and region; None without gold boxes.
        unboxed: GMNER of the same entities if none had a box: what is gained by saying nothing of the picture.
        notes: Which posts do not count, and what is odd in the gold boxes, a line for each kind.
        pictures: What became of the posts' pictures -> how often; empty for predictions from a file.
    """

    scores: Scores
    signature: Signature
    grounded: GroundedScores | None = None
    unboxed: PRF | None = None
    notes: Sequence[str] = field(default_factory=tuple)
    pictures: Mapping[str, int] = field(default_factory=dict)

    def signatures(self) -> dict[str, Signature]:
        """The signatures of GMNER, MNER and EEG by their keys; empty without gold boxes."""
        if self.grounded is None:
            return {}
        f1 = {"gmner": self.grounded.gmner.f1, "mner": self.grounded.mner.f1, "eeg": self.grounded.eeg.f1}
        return {
            task: replace(self.signature, f1=(f1[task],), match=match)
            for task, match in self.grounded.matches().items()
        }

    def to_dict(self) -> dict[str, Any]:
        """The scores as a JSON object: those of the view, and "grounding" with its signatures."""
        table: dict[str, Any] = {self.signature.view: self.scores.to_dict(str(self.signature))}
        if self.grounded is not None and self.unboxed is not None:
            table["grounding"] = {
                **self.grounded.to_dict(),
                "gmner_without_boxes": self.unboxed.f1,
                "signatures": {task: str(signature) for task, signature in self.signatures().items()},
                "notes": list(self.notes),
            }
        if self.pictures:
            table["pictures"] = dict(self.pictures)
        return table


def grade_model(
    model: str | Path,
    posts: str | Path,
    *,
    boxes: str | Path,
    contexts: Sequence[str | Path] = (),
    images: str | Path | None = None,
    features: str | Path | None = None,
    format: str | None = None,
    unlisted: Unlisted = "refuse",
    grounding: Mapping[str, Any] | bool = True,
    allow_plugins: bool = False,
    watch: Callable[[int], None] = lambda count: None,
) -> Grades:
    """The scores of what a model predicts on a file of labelled posts, beside gold boxes.

    The entities are those of ``mner predict``: in the I+T view where a picture was used, else in the T view.

    Args:
        model: A model directory, a run directory, or "social-en".
        posts: The file, in any format.
        boxes: A folder of Pascal VOC files, or a file of JSON lines.
        contexts: Files of visual contexts.
        images: Folder of the posts' pictures, read where no context is given.
        features: Folder of the pictures' features, for a model that reads them; looked up before a picture is read.
        format: The file's format; None: by its first lines and name.
        unlisted: What a picture without boxes on file is.
        grounding: How regions are found, as ``mner.load`` takes it.
        allow_plugins: Run code outside mner that the model's configuration names.
        watch: Called with the number of posts that are tagged.

    Raises:
        MnerError: The posts are those of the test split of the model's run: only ``--final`` scores it.
        ModelError: There is no model, it is damaged, or ``features`` are not what it reads.
        DataError: A file is missing or faulty, a post has no labels, or a picture has no boxes on file.

    >>> import json, tempfile
    >>> entities = [{"start": 0, "end": 10, "label": "PER"}]
    >>> boxes = {"image": "1.jpg", "boxes": [{"name": "Kevin Love", "box": [10, 20, 110, 220]}]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place, drawn = Path(folder) / "posts.jsonl", Path(folder) / "boxes.jsonl"
    ...     written = place.write_text(json.dumps({"text": "Kevin Love won", "image": "1.jpg", "entities": entities}))
    ...     written = drawn.write_text(json.dumps(boxes))
    ...     grades = grade_model("social-en", place, boxes=drawn)
    >>> grades.grounded.mner.f1, grades.grounded.gmner.f1  # the person is found, but no picture was looked at
    (100.0, 0.0)
    """
    saved = read_model(model_folder(model), allow_plugins=allow_plugins)
    config, gold = posts_to_score(
        saved, posts, contexts, images, format, features=features, allow_plugins=allow_plugins
    )
    shown = data.read_boxes(boxes, gold, unlisted=unlisted)  # before any picture is read
    pictured = bool(contexts) or images is not None or features is not None
    tagger = load(
        model,
        contexts=contexts or None,
        images=images,
        features=features,
        use_images=pictured,
        grounding=grounding,
        allow_plugins=allow_plugins,
    )
    entities = []
    statuses: Counter[str] = Counter()
    for count, prediction in enumerate(tagger.pipe(gold), 1):
        entities.append(of_prediction(prediction))
        statuses[prediction.image_status] += 1
        watch(count)
    view = "I+T" if pictured and "I+T" in saved.views else "T"
    signature = signature_of(config, f1=[0.0], data=_place(posts, gold, config), view=view)
    grades = _graded(gold, entities, shown, signature)
    notes = [*grades.notes, *_other_sizes(gold, shown, Path(images))] if images is not None else grades.notes
    return replace(grades, notes=tuple(notes), pictures=dict(statuses))


def grade_predictions(
    predictions: str | Path,
    posts: str | Path,
    *,
    boxes: str | Path | None = None,
    format: str | None = None,
    unlisted: Unlisted = "refuse",
    rename: Mapping[str, str] | None = None,
) -> Grades:
    """The scores of a file of predictions on the file of labelled posts that they are about.

    Posts that their annotator rejected or skipped do not count, whether they were predicted or not.

    Args:
        predictions: JSON lines as ``mner predict`` writes them, from any system.
        posts: The labelled posts, in the same order.
        boxes: Gold boxes; None scores words and types alone.
        format: The format of the posts; None: by first lines and name.
        unlisted: What a picture without boxes on file is.
        rename: Entity type in either file -> the type it is read as, like ``data.rename`` of a model.

    Raises:
        DataError: A file is missing or faulty, the two hold other posts, or a picture has no boxes on file.

    >>> import json, tempfile
    >>> gold = {"text": "Kevin won", "entities": [{"start": 0, "end": 5, "label": "PER"}]}
    >>> guess = {"text": "Kevin won", "entities": [{"start": 0, "end": 5, "label": "ORG"}]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     posts, tagged = Path(folder) / "posts.jsonl", Path(folder) / "tagged.jsonl"
    ...     written = posts.write_text(json.dumps(gold)), tagged.write_text(json.dumps(guess))
    ...     grade_predictions(tagged, posts).scores.micro.f1, grade_predictions(posts, posts).scores.micro.f1
    (0.0, 100.0)
    """
    types = rename or {}
    every: list[Post] = []  # those that do not count, too: mner predict tags them
    reasons: Counter[str] = Counter()

    def leave_out(post: Post, reason: str) -> None:
        every.append(post)
        reasons[reason] += 1

    for post in data.read(posts, format=format, on_excluded=leave_out):
        if post.spans is None:
            raise DataError(f'{post.where or posts}: post "{post.id}" has no labels to score against')
        every.append(renamed(post, types))
    gold = [post for post in every if not excluded(post.extra)]
    read, view = read_predictions(predictions, every)
    entities = [
        [(replace(span, label=types.get(span.label, span.label)), boxes) for span, boxes in post] for post in read
    ]
    shown = None if boxes is None else data.read_boxes(boxes, gold, unlisted=unlisted)
    signature = Signature(f1=(0.0,), view=view, data=_place(posts, gold), decode="given")
    grades = _graded(gold, entities, shown, signature)
    left_out = [f"{posts}: {count} post{'s' * (count != 1)} left out: {why}" for why, count in reasons.items()]
    return replace(grades, notes=(*left_out, *grades.notes))


def _other_sizes(posts: Sequence[Post], boxes: data.GoldBoxes, images: Path) -> Iterator[str]:
    """A note if pictures have other sizes than those that their boxes were drawn on."""
    other = []
    for post, size in zip(posts, boxes.sizes, strict=True):
        place = place_of(images, post.image) if post.image is not None and size is not None else None
        actual = size_of(place) if isinstance(place, Path) else None
        if size is not None and actual is not None and actual != size:
            here, there = (f"{width:g} x {height:g}" for width, height in (actual, size))
            other.append(f"{post.where or post.id} ({post.image}: {here} pixels, in the boxes' file {there})")
    if other:
        yield f"{len(other)} pictures of another size than that of their boxes; the first: {other[0]}"


def _place(posts: str | Path, gold: Sequence[Post], config: Config | None = None) -> str:
    file = Path(posts).absolute()
    name = config.data.name if config else file.parent.name or "posts"
    return f"{name}/{file.name}@{data.stamp(gold).fingerprint[:6]}"


def _graded(
    posts: Sequence[Post],
    entities: Sequence[Sequence[Characters]],
    boxes: data.GoldBoxes | None,
    signature: Signature,
) -> Grades:
    gold = [of_gold(post, None if boxes is None else boxes.posts[at]) for at, post in enumerate(posts)]
    scores = score([[span for span, _ in post] for post in gold], [[span for span, _ in post] for post in entities])
    signature = replace(signature, f1=(scores.micro.f1,))
    if boxes is None:
        return Grades(scores, signature)
    without = [[(span, ()) for span, _ in post] for post in entities]
    return Grades(
        scores, signature, score_grounded(gold, entities), score_grounded(gold, without).gmner, tuple(boxes.notes())
    )
