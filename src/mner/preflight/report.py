"""What a check found: each finding, and how many of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from mner.data import Identity, Statistics
from mner.data.lines import printable
from mner.types import Post

Severity = Literal["error", "warning", "note"]
"""error: cannot be used as it is; warning: something is lost, or scores flatter; note: good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: what kind, where (``file:line`` or a split), and what it means."""

    severity: Severity
    kind: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Split:
    """One file that was checked: its format and label scheme, and its numbers."""

    path: str
    identity: Identity
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found.

    Attributes:
        splits: Each file by its split's name.
        findings: In the order they were met; of each kind at most the requested limit.
        counts: How often each kind was met, listed or not; a finding may count several (words, posts,
            sub-tokens).
        met: Findings of each kind, listed or not.
        severities: How grave each kind is.
        skipped: What was not checked, and what to type to have it checked.
    """

    splits: Mapping[str, Split]
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    met: Mapping[str, int]
    severities: Mapping[str, Severity]
    skipped: tuple[str, ...] = ()

    @property
    def fine(self) -> bool:
        """Whether there are notes at most."""
        return all(severity == "note" for severity in self.severities.values())

    def to_dict(self) -> dict[str, Any]:
        """The report as a JSON object."""
        return {
            "fine": self.fine,
            "splits": {
                name: {"path": split.path, **split.identity._asdict(), **split.statistics.to_dict()}
                for name, split in self.splits.items()
            },
            "counts": dict(self.counts),
            "met": dict(self.met),
            "severities": dict(self.severities),
            "findings": [asdict(finding) for finding in self.findings],
            "skipped": list(self.skipped),
        }


@dataclass(slots=True)
class Findings:
    """Findings as they come: all counted, of each kind the first ``limit`` are listed (0: all)."""

    limit: int = 20
    listed: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    severities: dict[str, Severity] = field(default_factory=dict)

    def add(self, severity: Severity, kind: str, where: str, message: str, *, times: int = 1) -> None:
        """Count a finding ``times`` times and keep it while there is room for its kind."""
        self.counts[kind] += times
        self.severities[kind] = severity
        self.met[kind] += 1
        if not self.limit or self.met[kind] <= self.limit:
            self.listed.append(Finding(severity, kind, where, printable(message)))

    def excluded(self, post: Post, reason: str) -> None:
        """Note a post that is left out because whoever labelled it set it aside."""
        self.add("note", "left out", post.where, f'post "{post.id}" is left out: {reason}')

    def bad_line(self, path: Path) -> Callable[[int, str], None]:
        """A fault handler for one file; however often the file is read, a fault counts once."""
        seen: set[tuple[int, str]] = set()

        def on_fault(line: int, message: str) -> None:
            if (line, message) not in seen:
                seen.add((line, message))
                self.add("error", "bad line", f"{path}:{line}", message)

        return on_fault
