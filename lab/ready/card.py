"""The card of the ready model, written from its figures."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

INTRODUCTION = """\
Named entity recognition for English social media posts, with or without a picture: PER, LOC, ORG and MISC (what is
left over: events, products, titles; called OTHER in one of the two data sets). It is the model that `mner.load()`
gives. It runs without PyTorch and reads pictures with the vision backends that come with mner.

```python
import mner

tagger = mner.load()
print(tagger("Kevin Love is back in Cleveland", image="photo.jpg"))
```
"""

TERMS = """\
- Twitter-15 (Zhang et al., 2018) and Twitter-17 (Lu et al., 2018), in the files of Yu et al. (2020). No licence is
  stated for them; the posts and pictures belong to their authors, and the terms of Twitter and of the providers apply.
- No post and no picture is in this package: it holds learned weights, the encoder's own tokenizer, the configuration
  and this card. Weights can still give away something of what they were trained on.
- Encoder: all-MiniLM-L6-v2 (sentence-transformers), Apache License 2.0.
- The weights are offered under the Apache License 2.0 as far as the makers of mner can do so; whether the terms of
  the data bear on your use is for you to judge.
"""

LIMITS = """\
- English posts of 2012 to 2017. Names, habits and spelling of later years, other languages and long texts are not
  what it has learned; an uncased encoder, so letters' case is known from a small learned embedding alone.
- The training posts have captions but no pictures here. The contexts it was trained and scored on are **simulated**
  from captions of three captioners in the style of the embedded backends (`python -m lab.simulate`): object names,
  the template sentence, random misses and false finds, random words in the place of OCR. So it has never met text
  read from a picture that belongs to its post, and makes little of it. The scores of view I+T tell how much harm or
  good such contexts do; they tell nothing about real pictures.
- Abbreviations with full stops, such as "U.S.", "U.K." and "L.A.", are not found: 0 of 80 sentences with ten of them.
  mner reads each as one word, and the training posts hold them in pieces (`U`, `.`, `S`, `.`): "U.S." as a place 7
  times in Twitter-17, as no entity 14 times in Twitter-15. Given in such pieces (`"words"`), 51 of the 80 are found;
  "US", "UK" and "LA" are found as they stand.
- The real pictures are few: the table lists all there are, and settles nothing.
- The dev splits chose epoch and training data, so scores on unseen posts will be lower.
- It finds names; it does not know who is meant, and must not be used to identify people in pictures.
"""


def card(facts: Mapping[str, Any]) -> str:
    """The text of README.md.

    Args:
        facts: What ``lab.ready.build`` gathers: record, left_out, candidates, chosen, scores, pictures, megabytes,
            onnx, quick.
    """
    record, onnx = facts["record"], facts["onnx"]
    train = record["splits"]["train"]
    lines = ["# social-en", ""]
    if facts["quick"]:
        lines += ["**Made by a smoke test on a few posts: of no use.**", ""]
    lines += [*INTRODUCTION.splitlines(), "", "## Data and terms", "", *TERMS.splitlines(), ""]
    lines += ["## Training", ""]
    lines += [
        f"`python -m lab.ready.build`, with `lab/ready/social-en.toml`; mner {version('mner')}, seed "
        f"{record['seed']}, epoch {record['best_epoch']}, on {_machine(record)}, "
        f"{record['precision']}.",
        "",
        f"- trained on {_files(train['file'])}: {train['posts']} posts, {train['entities']} entities, fingerprint "
        f"{train['fingerprint']}; {train['contexts'].get('used', 0)} with a simulated context",
        "- left out of training, because a dev or test split has the same text: "
        + ", ".join(f"{count} posts of {name}" for name, count in _left_out(facts, "same text as a scored post")),
        f"- {_choice(facts)}",
        "",
        "| trained on | dev split | T | I+T, simulated |",
        "|---|---|---|---|",
    ]
    for name, scored in facts["candidates"].items():
        lines += [
            f"| {name} | {split} | {views['T']['micro']['f1']:.2f} | {views['I+T']['micro']['f1']:.2f} |"
            for split, views in scored.items()
        ]
    lines += ["", "## Scores", "", "Of the packaged int8 model. T: the words alone. I+T: with simulated contexts.", ""]
    lines += ["| split | view | precision | recall | F1 | signature |", "|---|---|---|---|---|---|"]
    for split, views in facts["scores"].items():
        lines += [f"| {split} | {_view(view)} | {_prf(row)} | `{row['signature']}` |" for view, row in views.items()]
    lines += [f"| twitter2015.test, in torch | {_view(view)} | {_prf(row)} | `{row['signature']}` |"
              for view, row in record.get("test", {}).items()]  # fmt: skip
    lines += ["", "By type, F1:", "", "| split | view | " + " | ".join(_types(facts)) + " |"]
    lines += ["|---|---|" + "---|" * len(_types(facts))]
    for split, views in facts["scores"].items():
        for view, row in views.items():
            cells = [f"{row['labels'][kind]['f1']:.1f}" if kind in row["labels"] else "" for kind in _types(facts)]
            lines.append(f"| {split} | {_view(view)} | {' | '.join(cells)} |")
    lines += ["", "## Real pictures", "", *_pictures(facts["pictures"])]
    lines += ["", "## Size and speed", ""]
    lines += [
        f"{facts['megabytes']:.1f} MB. In batches {onnx['posts_per_second']:.0f} posts a second, both views mixed "
        f"({onnx['torch_posts_per_second']:.0f} in torch, fp32), threads: {onnx['threads']} on {_machine(record)}; "
        f"other entities than torch in {onnx['differing']} of {onnx['posts']} dev posts; "
        f"{_latency(facts['pictures'])}",
        "",
        "## Limits",
        "",
        *LIMITS.splitlines(),
        "",
    ]
    return "\n".join(lines)


def _left_out(facts: Mapping[str, Any], reason: str) -> list[tuple[str, int]]:
    return [(name, row[reason]) for name, row in facts["counts"].items() if row.get(reason)]


def _choice(facts: Mapping[str, Any]) -> str:
    rule = (
        "the one with more data is taken if its F1, mean of both views, gains over both dev splits together and loses "
        "less than 0.5, what two seeds may differ by, on either"
    )
    return f"of the candidates below, `{facts['chosen']}` was taken: {rule}; twitter2015.dev chose the epoch of each"


def _pictures(read: Mapping[str, Any]) -> list[str]:
    if not read["posts"]:
        return ["There was none on the machine that made this model."]
    lines = [
        "All posts of the dev and training splits whose picture was on the machine that made this model, the pictures",
        "read by the embedded backends. The training posts were seen in training (with a simulated context, never with",
        "the picture). Cells: entities found / of these correct.",
        "",
        "| data | split | post | picture | gold | T | I+T | right by the picture | wrong by the picture |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in read["posts"]:
        split = row["split"] + (", picture also in train" if row["split"] == "dev" and _seen(row) else "")
        lines.append(
            f"| {row['data']} | {split} | {row['post']} | {row['image_status']} | {row['gold']} | {_cell(row['T'])} | "
            f"{_cell(row['I+T'])} | {row['gained'] + row['errors_gone']} | {row['lost'] + row['new_errors']} |"
        )
    lines.append("")
    for split, label in (("dev", "dev (not trained on)"), ("train", "train (seen)")):
        sums = read["totals"][split]
        lines.append(
            f"- {label}: {sums['posts']} posts, {sums['decoded_with_picture']} decoded with the picture, "
            f"{sums['gold']} gold entities; correct {sums['T']['correct']} of {sums['T']['found']} found in T, "
            f"{sums['I+T']['correct']} of {sums['I+T']['found']} in I+T"
        )
    return lines


def _latency(read: Mapping[str, Any]) -> str:
    if not read["posts"]:
        return "the time of one post was not measured."
    times = {view: statistics.median(row["seconds"][view] for row in read["posts"])
             for view in read["posts"][0]["seconds"]}  # fmt: skip
    return (
        ", ".join(f"one post by itself {1000 * value:.0f} ms ({view})" for view, value in times.items()) + ", medians."
    )


def _machine(record: Mapping[str, Any]) -> str:
    return f"{record['machine']['cores']} cores ({record['machine']['cpu']})"


def _files(files: str | Sequence[str]) -> str:
    return files if isinstance(files, str) else " and ".join(files)


def _types(facts: Mapping[str, Any]) -> list[str]:
    return sorted({kind for views in facts["scores"].values() for row in views.values() for kind in row["labels"]})


def _view(view: str) -> str:
    return "I+T, simulated" if view == "I+T" else view


def _prf(row: Mapping[str, Any]) -> str:
    micro = row["micro"]
    return f"{micro['precision']:.2f} | {micro['recall']:.2f} | {micro['f1']:.2f}"


def _seen(row: Mapping[str, Any]) -> bool:
    return bool(row["picture_seen_in_training"])


def _cell(counts: Mapping[str, int]) -> str:
    return f"{counts['found']} / {counts['correct']}"
