"""How fast ready models are beside each other: python -m lab.ready.speed MODEL MODEL ... --out FILE.

Dev posts of Twitter-15 and -17 through ``Tagger.pipe``, words alone, on one core, the models in turns; and one post by
itself. Of several rounds the quickest counts, by the CPU's time. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import mner
from mner import data
from mner.errors import DataError, MnerError
from mner.files import write_json
from mner.machine import machine
from mner.runtime import read_model
from mner.tagger.opening import model_folder

FILES = {"Twitter-15": "twitter2015/valid.txt", "Twitter-17": "twitter2017/valid.txt"}
ONE = "Kevin Love is back in Cleveland tonight"
ROUNDS, TIMES = 5, 30


def measure(models: Sequence[str], source: Path, *, posts: int) -> dict[str, Any]:
    """By model's name: megabytes, posts a second of each data set, and milliseconds of one post.

    Args:
        models: Folders of models, or the names that ``mner.load`` knows.
        source: Folder that MNER_DATA names.
        posts: Most posts of each data set.

    Raises:
        ModelError: There is no such model.
        DataError: Two models have one name, or a data set is missing.
    """
    folders = {read_model(folder).config.name: folder for folder in map(model_folder, models)}
    if len(folders) < len(models):
        raise DataError(f"several of the {len(models)} models are called {' or '.join(folders)}; name each once")
    taggers = {name: mner.load(folder, threads=1, use_images=False) for name, folder in folders.items()}
    rows: dict[str, dict[str, float]] = {name: {"megabytes": _megabytes(folder)} for name, folder in folders.items()}
    for called, file in FILES.items():
        texts = [post.text for post in data.read(source / file, format="twitter")][:posts]
        for name, seconds in in_turns(taggers, lambda tagger, given: list(tagger.pipe(given)), texts):
            rows[name][called] = round(len(texts) / seconds, 1)
    for name, seconds in in_turns(taggers, lambda tagger, given: [tagger(text) for text in given], [ONE] * TIMES):
        rows[name]["ms"] = round(1000 * seconds / TIMES, 2)
    about = {"posts": posts, "rounds": ROUNDS, "machine": machine(), "versions": {"mner": mner.__version__}}
    return {**about, "models": rows}


def in_turns(
    taggers: Mapping[str, Any], work: Callable[[Any, list[str]], object], texts: list[str]
) -> Iterator[tuple[str, float]]:
    """CPU seconds of the quickest round of each tagger over some texts, after one that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in taggers}
    for _ in range(ROUNDS + 1):
        for name, tagger in taggers.items():
            begun = time.process_time()
            work(tagger, texts)
            seconds[name].append(time.process_time() - begun)
    for name, each in seconds.items():
        yield name, min(each[1:])


def table(record: Mapping[str, Any]) -> list[str]:
    """Markdown: a line for each model."""
    lines = ["| model | MB | " + " | ".join(f"{called}, posts/s" for called in FILES) + " | one post, ms |"]
    lines.append("|---|---:|" + "---:|" * (len(FILES) + 1))
    for name, row in record["models"].items():
        speeds = " | ".join(f"{row[called]:.0f}" for called in FILES)
        lines.append(f"| {name} | {row['megabytes']:.1f} | {speeds} | {row['ms']:.1f} |")
    return lines


def _megabytes(folder: Path) -> float:
    return round(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6, 1)


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the speeds are measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="a saved model, or social-en")
    parser.add_argument("--posts", type=int, default=300, help="most posts of each data set (300)")
    parser.add_argument("--out", type=Path, help="JSON file of all figures")
    arguments = parser.parse_args(argv)
    if arguments.posts < 1:
        parser.error("--posts must be at least 1")
    if not os.environ.get("MNER_DATA"):
        parser.error("set MNER_DATA to the folder that holds twitter2015/ and twitter2017/")
    try:
        record = measure(arguments.models, Path(os.environ["MNER_DATA"]), posts=arguments.posts)
    except MnerError as error:
        parser.error(str(error))
    if arguments.out:
        write_json(arguments.out, record)
    sys.stdout.write("\n".join(table(record)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
