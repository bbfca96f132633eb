"""Explanations -> a folder of pages that stand alone: one file a post, picture inside, and an index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mner.evidence import Explanation
from mner.files import write_text
from mner.overwrite import GENERATOR
from mner.show.display import STATUS, TONE, legend
from mner.show.environment import template
from mner.show.picture import embed_all
from mner.show.post import name_of, page, runs_of


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the index; ``thumbnail`` is a data URI."""

    file: str
    name: str
    status: str
    used: bool
    runs: list[dict[str, Any]]
    verdicts: dict[str, int]
    thumbnail: str | None


def write_pages(explanations: Iterable[Explanation], folder: str | Path, *, title: str = "mner") -> list[Path]:
    """The files written: ``index.html`` and after it one page a post, in order.

    Posts are taken one by one, so memory holds one picture at a time. Each file appears only when it is whole; the
    index comes last. Pages of an earlier run into the same folder that this one did not replace are then removed.

    Args:
        explanations: What ``Tagger.explain`` returns.
        folder: Where the pages go; made if it is not there.
        title: Heading of the index.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    listed: list[Listed] = []
    remaining = iter(explanations)
    explanation = next(remaining, None)
    while explanation is not None:
        following = next(remaining, None)
        count = len(listed) + 1
        around = {"before": _file(count - 1) if count > 1 else None, "after": _file(count + 1) if following else None}
        path = folder / _file(count)
        write_text(path, page(explanation, number_=count, index="index.html", **around))
        written.append(path)
        listed.append(_listed(explanation, path.name, count))
        explanation = following
    index = folder / "index.html"
    write_text(
        index, template("index.html").render(title=title, posts=listed, labels=_labels(listed), totals=_totals(listed))
    )
    _remove_stale(folder, len(listed))
    return [index, *written]


def _listed(explanation: Explanation, file: str, count: int) -> Listed:
    thumbnail = next(filter(None, embed_all(explanation, longest=144, quality=70)), None)
    return Listed(
        file=file,
        name=name_of(explanation.prediction, count),
        status=STATUS[explanation.prediction.image_status],
        used=explanation.prediction.image_status == "used",
        runs=runs_of(explanation.prediction),
        verdicts=dict(
            Counter(row.verdict for row in explanation.evidence if row.verdict not in {"same", "no picture"})
        ),
        thumbnail=thumbnail.uri if thumbnail else None,
    )


def _labels(listed: Iterable[Listed]) -> list[tuple[str, str, int]]:
    return legend(run["label"] for post in listed for run in post.runs if run["label"] is not None)


def _totals(listed: list[Listed]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for explanation in listed:
        totals.update(explanation.verdicts)
    return {verdict: totals[verdict] for verdict in TONE if totals[verdict]}


def _remove_stale(folder: Path, count: int) -> None:
    """Remove the pages behind the last one, up to the first name that no page of ours has."""
    while is_page(stale := folder / _file(count + 1)):
        stale.unlink()
        count += 1


def is_page(path: Path) -> bool:
    """Whether a file is a page that mner wrote."""
    try:
        with path.open("rb") as stream:
            return GENERATOR in stream.read(500)
    except OSError:
        return False


def _file(count: int) -> str:
    return f"{count:05d}.html"
