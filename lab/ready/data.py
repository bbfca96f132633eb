"""The files that the ready model is trained on: posts without leaks, and simulated contexts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from lab.simulate import simulate
from mner import config as configs
from mner import data
from mner.config import Config
from mner.contexts.artefact import iter_contexts, write_contexts
from mner.preflight import check
from mner.types import Post

SETS = ("twitter2015", "twitter2017")
SPLITS = {"train": "train.txt", "dev": "valid.txt", "test": "test.txt"}
CAPTIONS = ("catr", "cimodel", "blip2")  # there for all splits; the other sources cover train alone
QUICK = 96  # posts of each split in a smoke test

Say = Callable[[str], None]


def prepare(source: Path, folder: Path, *, quick: bool, say: Say) -> dict[str, int]:
    """Write the posts and contexts into ``folder``; the number of training posts left out of each data set.

    A training post is left out if a dev or test split of any data set has the same text, letters' case and links
    aside.
    """
    most = QUICK if quick else None
    scored = {
        text(post) for name in SETS for split in ("dev", "test") for post in _posts(source / name / SPLITS[split])
    }
    left_out = {}
    for name in SETS:
        for split, file in SPLITS.items():
            posts = list(islice(_posts(source / name / file), most))
            if split == "train":
                unseen = [post for post in posts if text(post) not in scored]
                left_out[name] = len(posts) - len(unseen)
                posts = unseen
            if posts:
                data.write(posts, folder / f"{name}.{split}.txt", format="twitter")
        rows = iter_contexts(source / "contexts" / f"{name}.jsonl")
        count = write_contexts(simulate(rows, captions=CAPTIONS), folder / f"{name}.jsonl")
        say(f"{name}: {left_out[name]} training posts left out, whose text a scored split has; {count} contexts")
    return left_out


def refuse_leaks(config: Config, root: Path, *, say: Say) -> dict[str, int]:
    """What ``mner data check`` counts across splits, after the posts above were left out.

    Raises:
        SystemExit: A scored split shares a text or a picture with a training file.
    """
    training = [root / file for file in config.data.files("train")]
    shared: dict[str, int] = {}
    for name in SETS:
        for split in ("dev", "test"):
            file = f"{name}.{split}.txt"
            if not (root / file).is_file():
                continue
            counts = check([*training, root / file], format="twitter").counts
            # "same text: train/dev"; the second training file comes behind dev: "same text: dev/..."
            across = {
                kind: count for kind, count in counts.items() if kind.endswith(f"/{split}") or f": {split}/" in kind
            }
            say(f"data check, training files against {file}: {across or 'nothing shared'}")
            shared |= {f"{file}: {kind}": count for kind, count in across.items()}
    if shared:
        raise SystemExit(f"error: a scored split shares posts or pictures with the training files: {shared}")
    return shared


def text(post: Post) -> str:
    """A post's text for comparing: links left out, case folded."""
    return " ".join(word for word in post.words if not word.startswith("http")).casefold()


def originals(source: Path, split: str) -> Iterator[tuple[str, Post]]:
    """Data set and post, of all posts of one split as published, types renamed as in training."""
    from mner.data.reading import rename

    for name in SETS:
        for post in _posts(source / name / SPLITS[split]):
            yield name, rename(post, {"OTHER": "MISC"})


def settings(path: Path, *, quick: bool) -> Config:
    """The committed configuration; where its files lie is said to whoever reads them."""
    extra = ["training.epochs=1", "training.threads=1"] if quick else []
    config = configs.load(path, set_values=extra)
    return config.model_copy(update={"data": config.data.model_copy(update={"root": "."})})


def _posts(path: Path) -> Iterable[Post]:
    return data.read(path, format="twitter") if path.is_file() else ()
