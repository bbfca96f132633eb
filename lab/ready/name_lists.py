"""The shipped lists of names in lab/ready/names, each with its source: people, organisations and places.

A line is ``kind<TAB>group<TAB>name; name; ...``; a line that begins with "#" is a remark. No name was taken from a data
set, least of all from a dev or test split.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("names")
KINDS = ("given", "family", "ORG", "LOC")


@dataclass(frozen=True, slots=True)
class Names:
    """Names by kind and group; a group of people is a language or a country."""

    given: dict[str, list[str]]
    family: dict[str, list[str]]
    places: dict[str, list[str]]
    organisations: dict[str, list[str]]

    def draw(self, label: str, words: int, dice: random.Random) -> tuple[str, ...]:
        """The words of a name of type PER, LOC or ORG; a person's in as many words as the name it replaces, 1 or 2.

        Every group is as likely as any other, so that no country and no sector prevails.
        """
        if label == "PER":
            group = dice.choice(sorted(self.given))
            given, family = dice.choice(self.given[group]), dice.choice(self.family[group])
            return tuple((f"{given} {family}" if words > 1 else dice.choice((given, given, family))).split())
        groups = {"LOC": self.places, "ORG": self.organisations}[label]
        return tuple(dice.choice(groups[dice.choice(sorted(groups))]).split())

    def count(self) -> dict[str, int]:
        """The number of names of each kind."""
        kinds = zip(KINDS, (self.given, self.family, self.organisations, self.places), strict=True)
        return {kind: sum(map(len, groups.values())) for kind, groups in kinds}


def read_names(files: Sequence[Path] | None = None) -> Names:
    """The names of these files, or of all that are shipped.

    Raises:
        SystemExit: A line is broken, of no known kind, holds an empty name, or a group of people lacks given or family
            names; the message gives file and line.
    """
    groups: dict[str, dict[str, list[str]]] = {kind: {} for kind in KINDS}
    for file in sorted(FOLDER.glob("*.tsv")) if files is None else files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("#") or not line.strip():
                continue
            columns = line.split("\t")
            if len(columns) != 3:
                raise SystemExit(
                    f'error: {file}:{number}: expected "kind<TAB>group<TAB>name; name", found {len(columns)} columns'
                )
            kind, group, listed = columns
            if kind not in groups:
                raise SystemExit(f'error: {file}:{number}: "{kind}" is not a kind of name; expected {", ".join(KINDS)}')
            names = listed.split("; ")
            if not group or any(name != name.strip(" ;") or not any(map(str.isalpha, name)) for name in names):
                raise SystemExit(
                    f'error: {file}:{number}: an empty group or a name without letters; write "name; name"'
                )
            groups[kind].setdefault(group, []).extend(names)
    unpaired = groups["given"].keys() ^ groups["family"].keys()
    if unpaired:
        raise SystemExit(f"error: names of people need given and family names; one is missing of {sorted(unpaired)}")
    empty = [kind for kind in KINDS if not groups[kind]]
    if empty:
        raise SystemExit(f"error: no names of kind {', '.join(empty)} in {', '.join(map(str, files or [FOLDER]))}")
    return Names(groups["given"], groups["family"], groups["LOC"], groups["ORG"])
