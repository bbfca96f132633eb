"""The card of the ready model, written from its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from lab.ready.constructed import table as overlap_table
from lab.ready.report import table
from lab.ready.teachers import teacher_name

INTRODUCTION = """\
Named entity recognition for English social media posts, with or without a picture: PER, LOC, ORG and MISC (what is
left over: events, products, titles of works). It runs without PyTorch and reads pictures with the vision backends that
come with mner.{packaged}

```python
import mner

tagger = mner.load({argument})
print(tagger("Kevin Love is back in Cleveland", image="photo.jpg"))
```
"""

TERMS = """\
- Twitter-15 (Zhang et al., 2018) and Twitter-17 (Lu et al., 2018), in the files of Yu et al. (2020). No licence is
  stated for them; the posts and pictures belong to their authors, and the terms of Twitter and of the providers apply.
- WNUT-17 (Derczynski et al., 2017), CC BY 4.0; Broad Twitter Corpus, sections A, B, E and G (Derczynski et al., 2016),
  CC BY 4.0. Types are mapped and handles left out, as `docs/reference/labels.md` says.
- Names that replace others in copies of posts: written by the makers of mner (CC0), and the United States census of
  1990 (public domain).
- No post and no picture is in this package: it holds learned weights, the encoder's own tokenizer, the configuration
  and this card. Weights can still give away something of what they were trained on.
- Encoder: {encoder}.{taught}
- The weights are offered under the Apache License 2.0 as far as the makers of mner can do so; whether the terms of
  the data bear on your use is for you to judge.
"""

ENCODERS = {
    "embedded:minilm": "all-MiniLM-L6-v2 (sentence-transformers), Apache License 2.0",
    "embedded:mpnet": "all-mpnet-base-v2 (sentence-transformers), Apache License 2.0",
    "embedded:e5": "multilingual-e5-small (intfloat), MIT License",
}

LIMITS = """\
- English posts, most of them of 2010 to 2017. Names, habits and spelling of later years, other languages and long texts
  are not what it has learned.
- The training posts have captions but no pictures here, and some have neither: half of the posts of WNUT-17 and of the
  Broad Twitter Corpus got what captions say of a picture of another post. The contexts it was trained on are
  **simulated** from captions of three captioners in the style of the embedded backends (`python -m lab.simulate`):
  object names, the template sentence, random misses and false finds. The text in them repeats names and other words of
  the post as often as a large captioner quoted them from real pictures of such posts, a stand-in for OCR
  (`python -m lab.ready.overlap`), with lost blanks and wrong letters at the rates found there and in upper case as
  often as six real readings; the rest is common words and stretches of other posts.
- The contexts of dev posts are simulated without regard to the post. The scores of view I+T tell how much harm or good
  such contexts do; they tell nothing about real pictures.
- Handles in one word (`@name`) are no entities, a name after a separate sign (`@ name`) may be one: the blank decides.
- Abbreviations with full stops, such as "U.S." and "L.A.", are one word to mner, and most training posts hold them in
  pieces (`U`, `.`, `S`, `.`); rare ones may be missed.
- The real pictures are few: the table lists all there are, and settles nothing.
- The dev splits chose epoch and recipe, so scores on unseen posts will be lower.
- It finds names; it does not know who is meant, and must not be used to identify people in pictures.
"""


def card(facts: Mapping[str, Any]) -> str:
    """The text of README.md.

    Args:
        facts: What ``lab.ready.build`` gathers: record, counts, candidates, chosen, scores, overlap, pictures,
            megabytes, onnx, encoder, quick.
    """
    record, onnx = facts["record"], facts["onnx"]
    train = record["splits"]["train"]
    packaged = facts["name"] == "social-en"
    lines = [f"# {facts['name']}", ""]
    if facts["quick"]:
        lines += ["**Made by a smoke test on a few posts: of no use.**", ""]
    introduction = INTRODUCTION.format(
        packaged=" It is the model of the package." if packaged else "",
        argument="" if packaged else '"path/of/this/folder"',
    )
    lines += [
        *introduction.splitlines(),
        "",
        "## Data and terms",
        "",
        *_terms(facts["encoder"], record["config"]["teachers"]["models"]),
        "",
    ]
    lines += ["## Training", ""]
    lines += [
        f"`python -m lab.ready.build`, with `lab/ready/{facts['name']}.toml`; mner {version('mner')}, seed "
        f"{record['seed']}, epoch {record['best_epoch']}, on {_machine(record)}, "
        f"{'fp32' if record['precision'] == 'no' else record['precision']}.",
        "",
        f"- trained on {train['posts']} posts, {train['entities']} entities, fingerprint {train['fingerprint']}; "
        f"{train['contexts'].get('used', 0)} with a simulated context",
        *_sources(facts["counts"]),
        *_teachers(record["config"]["teachers"]),
        f"- {_choice(facts)}",
        "",
        "| candidate | dev split | T | I+T, simulated |",
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
    lines += [
        "",
        "By type, F1; ECE, the calibration error in percent, with the curves by label that are stored in the model and",
        "without; and by kind of name, the percentage found of how many. Every second dev post chose the epoch and",
        "fitted the curves; the errors are of the other half.",
        "Seen: labelled in a training post. What a data set does not label is not scored there, such as MISC in btc,",
        "the Broad Twitter Corpus.",
        "",
        *table(facts["scores"]),
        "",
        *_earlier(facts),
        "## Text in pictures",
        "",
        "On posts written for the purpose (`lab/ready/constructed.jsonl`): names found, other entities found, and in",
        "percent the mean probability, as not calibrated, of the name, of the word that some pictures repeat and that",
        "is no name, and of all words outside the name.",
        "",
        *overlap_table(facts["overlap"]),
    ]
    if facts["overlap_earlier"]:
        lines += ["", "The earlier model:", "", *overlap_table(facts["overlap_earlier"])]
    lines += ["", "## Real pictures", "", *_pictures(facts["pictures"])]
    lines += ["", "## Size and speed", ""]
    lines += [
        f"{facts['megabytes']:.1f} MB; other entities than torch in {onnx['differing']} of {onnx['posts']} dev posts. "
        "Speed: `python -m lab.ready.speed MODEL`; `docs/reference/labels.md` has figures.",
        "",
        "## Limits",
        "",
        *LIMITS.splitlines(),
        "",
    ]
    return "\n".join(lines)


def _terms(encoder: str, teachers: Sequence[str]) -> list[str]:
    names = " and ".join(map(teacher_name, teachers))
    taught = f" It learned from {names}, too, of which it holds no weight." if names else ""
    return TERMS.replace("{encoder}", ENCODERS.get(encoder, encoder)).replace("{taught}", taught).splitlines()


def _earlier(facts: Mapping[str, Any]) -> list[str]:
    """The same table of the model that this one began from."""
    first, scored = next(iter(facts["candidates"].items()))
    return [] if first == facts["chosen"] else [f"`{first}`:", "", *table(scored), ""]


def _sources(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """How many posts each data set gives, how many it does not and why, and how many are changed copies."""
    lines = []
    for name, row in counts.items():
        listed = ", ".join(f"{reason} {count}" for reason, count in row.items() if reason != "posts" and count)
        if name == "copies":
            lines.append(f"- changed copies of these: {listed or 'none'}")
        else:
            lines.append(f"- {name}: {row['posts']} posts" + (f"; left out: {listed}" if listed else ""))
    return lines


def _teachers(settings: Mapping[str, Any]) -> list[str]:
    """Which models it learned from beside the labels."""
    names = ", ".join(f"`{teacher_name(place)}`" for place in settings["models"])
    if not names:
        return []
    return [
        f"- beside the labels it learned what {names}, trained on the same posts, gives each word, in both views "
        f"(posteriors; weight {settings['weight']:g}, temperature {settings['temperature']:g})"
    ]


def _choice(facts: Mapping[str, Any]) -> str:
    if len(facts["candidates"]) == 1:
        return "no other candidate was trained"
    first = next(iter(facts["candidates"]))
    return (
        f"it began from `{first}`, a model of Twitter-15 and -17 as published, and was trained on. Of both and of the "
        f"averages of their weights `{facts['chosen']}` was taken: it has the highest F1, mean of both views and of "
        f"all dev splits, among those that lose less than 0.5 on each data set, counted from `{first}`; two seeds may "
        "differ by as much. Every second dev post of each data set chose the epoch"
    )


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
            f"{sums['I+T']['correct']} of {sums['I+T']['found']} in I+T; {_probability(sums['probability'])}; of the "
            f"{sums['probability_where_there_is_text']['posts']} with text in the picture "
            f"{_probability(sums['probability_where_there_is_text'])}"
        )
    return lines


def _probability(means: Mapping[str, float]) -> str:
    return f"mean probability of a gold entity {means['T']:.3f} in T, {means['I+T']:.3f} in I+T"


def _machine(record: Mapping[str, Any]) -> str:
    return f"{record['machine']['cores']} cores ({record['machine']['cpu']})"


def _view(view: str) -> str:
    return "I+T, simulated" if view == "I+T" else view


def _prf(row: Mapping[str, Any]) -> str:
    micro = row["micro"]
    return f"{micro['precision']:.2f} | {micro['recall']:.2f} | {micro['f1']:.2f}"


def _seen(row: Mapping[str, Any]) -> bool:
    return bool(row["picture_seen_in_training"])


def _cell(counts: Mapping[str, int]) -> str:
    return f"{counts['found']} / {counts['correct']}"
