"""The only real check of the ready model: real pictures of training and dev posts, words alone against with picture.

Beside what is found, the probability of every gold entity counts: it shows what a picture does long before an entity is
gained or lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import mner
from lab.ready.data import originals
from lab.ready.probe import Probe
from mner.data.pictures import place_of
from mner.types import Entity, Post, Prediction

Row = dict[str, Any]


def real_pictures(source: Path, model: Path, store: Path, *, say: Callable[[str], None]) -> dict[str, Any]:
    """Counts for every dev and training post whose picture is on this machine; no word of a post is in them.

    The entities themselves go to ``say``.
    """
    words_alone = mner.load(model, use_images=False)
    both = mner.load(model, images=source / "images", store=store)
    probe = Probe(model)
    trained_pictures = {post.image for _, post in originals(source, "train")}
    rows: list[Row] = []
    for split in ("dev", "train"):
        for name, post in originals(source, split):
            place = None if post.image is None else place_of(source / "images", post.image)
            if not isinstance(place, Path) or not place.is_file():
                continue
            begin = time.perf_counter()
            alone = words_alone(post)
            middle = time.perf_counter()
            seen = both(post)
            end = time.perf_counter()
            rows.append(
                {
                    "data": name,
                    "split": split,
                    "post": post.id,
                    "picture_seen_in_training": post.image in trained_pictures,
                    "image_status": seen.image_status,
                    "view": seen.view,
                    **_counts(post, alone, seen),
                    "text_in_picture": bool(seen.context and seen.context.ocr),
                    "probability": _gold_probability(probe, post, seen),
                    "seconds": {"T": round(middle - begin, 4), "I+T with reading the picture": round(end - middle, 4)},
                }
            )
            gold = [Entity.to_dict(post.entity(span, 1.0)) for span in post.spans or ()]
            say(f"{name}/{split} {post.id} ({seen.image_status})\n  gold  {_listed(gold)}")
            say(f"  T     {_listed([entity.to_dict() for entity in alone.entities])}")
            say(f"  I+T   {_listed([entity.to_dict() for entity in seen.entities])}")
    return {"posts": rows, "totals": {split: _totals(rows, split) for split in ("dev", "train")}}


def _gold_probability(probe: Probe, post: Post, seen: Prediction) -> dict[str, float]:
    """The sum of the probabilities of the gold entities in each view."""
    spans = [post.spans or ()]
    return {
        "T": round(float(probe.spans([post], spans)[0].sum()), 4),
        "I+T": round(float(probe.spans([post], spans, [seen.context])[0].sum()), 4),
    }


def _counts(post: Post, alone: Prediction, seen: Prediction) -> Row:
    gold = {
        (entity.start, entity.end, entity.label) for entity in (post.entity(span, 1.0) for span in post.spans or ())
    }
    by_view = {"T": _keys(alone.entities), "I+T": _keys(seen.entities)}
    return {
        "gold": len(gold),
        **{view: {"found": len(keys), "correct": len(keys & gold)} for view, keys in by_view.items()},
        "gained": len((by_view["I+T"] - by_view["T"]) & gold),
        "lost": len((by_view["T"] - by_view["I+T"]) & gold),
        "new_errors": len(by_view["I+T"] - by_view["T"] - gold),
        "errors_gone": len(by_view["T"] - by_view["I+T"] - gold),
    }


def _keys(entities: Iterable[Entity]) -> set[tuple[int, int, str]]:
    return {(entity.start, entity.end, entity.label) for entity in entities}


def _listed(entities: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(f"{row['text']} {row['label']} {row['score']:.2f}" for row in entities) or "-"


def _totals(rows: Sequence[Row], split: str) -> Row:
    chosen = [row for row in rows if row["split"] == split]
    sums = {key: sum(row[key] for row in chosen) for key in ("gold", "gained", "lost", "new_errors", "errors_gone")}
    views = {
        view: {key: sum(row[view][key] for row in chosen) for key in ("found", "correct")} for view in ("T", "I+T")
    }
    return {
        "posts": len(chosen),
        "decoded_with_picture": sum(row["view"] == "I+T" for row in chosen),
        **sums,
        **views,
        "probability": _means(chosen),
        "probability_where_there_is_text": _means([row for row in chosen if row["text_in_picture"]]),
    }


def _means(rows: Sequence[Row]) -> dict[str, float]:
    """The mean probability of a gold entity in each view, and of how many entities in how many posts."""
    gold = sum(row["gold"] for row in rows)
    means = {view: round(sum(row["probability"][view] for row in rows) / max(gold, 1), 4) for view in ("T", "I+T")}
    return {"posts": len(rows), "gold": gold, **means}
