"""From the packaged sample to two trained models, a comparison of both views, and pages to look at.

Everything it does is a command that it prints first, so each step can be repeated by hand.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

import mner
from mner import data
from mner.evaluation import score
from mner.types import Post, Prediction, Span

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = Path(str(files("mner.data"))) / "sample"
TEXT_ROW, ITA_ROW = "text", "ita-all-cva"
SAID = """\
This is a functional check on constructed data: in the marked posts the words alone do not settle the label and the
picture does, by construction. It shows that reading pictures, training, decoding and scoring work together. It is
no evidence that pictures help on real posts; for that see docs/results.md."""


def main() -> int:
    """0 when every step ran and both ways of scoring agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for everything the demo makes")
    parser.add_argument("--epochs", type=int, default=None, help="epochs of both models (default: the rows' own)")
    arguments = parser.parse_args()
    out, started = arguments.out.resolve(), time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    contexts = out / "contexts.jsonl"

    step(1, "Read the sample's pictures into words")
    mner_("context", "build", SAMPLE / "images", "--out", contexts)

    runs = {}
    for number, row in ((2, TEXT_ROW), (3, ITA_ROW)):
        step(number, f"Train {row}" + (": the words alone" if row == TEXT_ROW else ": both views, aligned"))
        settings = ["--set", f"data.contexts={json.dumps([str(contexts)])}"]
        if arguments.epochs is not None:
            settings += ["--set", f"training.epochs={arguments.epochs}"]
        folder = mner_(
            "train",
            ROOT / "configs" / "rows" / f"{row}.toml",
            "--base",
            ROOT / "configs" / "sample.toml",
            "--out",
            out / "runs",
            "--restart",
            *settings,
        )
        runs[row] = Path(folder.strip())

    step(4, "Score both on the test posts, once")
    scored = {
        row: json.loads(mner_("evaluate", run, "--final", "--json", "--results", out / "results"))
        for row, run in runs.items()
    }

    posts = list(data.read(SAMPLE / "test.jsonl"))
    ita, text = runs[ITA_ROW], runs[TEXT_ROW]
    readings = {
        ("text-only baseline", TEXT_ROW, "T"): mner.load(text, use_images=False),
        ("ITA, words alone (T)", ITA_ROW, "T"): mner.load(ita, use_images=False),
        ("ITA, with the picture (I+T)", ITA_ROW, "I+T"): mner.load(ita, contexts=contexts),
    }
    table = []
    for (name, row, view), tagger in readings.items():
        predictions = list(tagger.pipe(posts))
        whole, marked = f1(posts, predictions), f1(posts, predictions, marked=True)
        recorded = scored[row][view]["micro"]["f1"]
        if abs(whole - recorded) > 0.05:
            print(f"error: {name}: {whole:.2f} by predict, {recorded:.2f} by evaluate", file=sys.stderr)
            return 1
        table.append((name, whole, marked))

    step(5, "Tag posts that no split holds, and say why")
    unseen = (SAMPLE / "unseen.jsonl", "--model", ita, "--images", SAMPLE / "images")
    (out / "unseen.jsonl").write_text(mner_("predict", *unseen), encoding="utf-8")
    page = mner_("explain", *unseen, "--html", out / "pages").strip()

    count = sum(bool(post.extra.get("marked")) for post in posts)
    print(f"\n{'F1 on the sample':<30}{f'all {len(posts)} test posts':>24}{f'the {count} marked':>18}")
    for name, whole, marked in table:
        print(f"{name:<30}{whole:>24.1f}{marked:>18.1f}")
    print(f"\n{SAID}\n\n{time.perf_counter() - started:.0f} seconds. Look at {short(Path(page))}")
    return 0


def step(number: int, title: str) -> None:
    """Print the heading of a step."""
    print(f"\n== {number}. {title}", flush=True)


def mner_(*words: str | Path) -> str:
    """What an mner command prints on stdout; the command is printed first, its messages pass through."""
    print("$", shlex.join(["mner", *map(short, words)]), flush=True)
    command = [sys.executable, "-m", "mner", *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout


def short(word: str | Path) -> str:
    """A path as seen from the working folder, anything else as it is."""
    if isinstance(word, Path) and word.is_relative_to(Path.cwd()):
        return str(word.relative_to(Path.cwd()))
    return str(word)


def f1(posts: Sequence[Post], predictions: Iterable[Prediction], *, marked: bool = False) -> float:
    """Micro F1 over character spans, of all posts or of the marked ones."""
    pairs = [
        (gold(post), [Span(entity.start, entity.end, entity.label) for entity in prediction.entities])
        for post, prediction in zip(posts, predictions, strict=True)
        if post.extra.get("marked") or not marked
    ]
    return score([truth for truth, _ in pairs], [guess for _, guess in pairs]).micro.f1


def gold(post: Post) -> list[Span]:
    """The gold entities of a post, by character."""
    return [Span(post.offsets[span.start][0], post.offsets[span.end - 1][1], span.label) for span in post.spans or ()]


if __name__ == "__main__":
    raise SystemExit(main())
