"""What the figures of docs/systems show: of each system its boxes, where they stand, and the arrows between them.

A box stands in a column and a row, both from 0, and may be several rows tall. An arrow leaves a box on its right and
enters the next on its left. It runs along its first box's row and turns before the second; an ``early`` arrow turns
right behind the first box. What happens in training alone is dashed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Kind = Literal["input", "pretrained", "learned", "result"]


@dataclass(frozen=True, slots=True)
class Box:
    """A text, with a second line in small type, in a column and row."""

    text: str
    column: int
    row: float
    kind: Kind = "learned"
    small: str = ""
    tall: int = 1


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one box to another, by their keys."""

    start: str
    end: str
    early: bool = False
    training: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """The data flow of a system; ``about`` says in a sentence what is to be seen."""

    title: str
    about: str
    boxes: dict[str, Box]
    arrows: tuple[Arrow, ...]


def path(*keys: str) -> tuple[Arrow, ...]:
    """Arrows from each box to the next.

    >>> path("words", "encoder", "crf")[1]
    Arrow(start='encoder', end='crf', early=False, training=False)
    """
    return tuple(Arrow(start, end) for start, end in pairwise(keys))


FIGURES = {
    "umt": Figure(
        "UMT",
        "Words pass through BERT into a main and an auxiliary layer; the main one meets the picture's grid three "
        "times, and the auxiliary one's span scores are added through a fixed matrix.",
        {
            "words": Box("words", 0, 1, "input"),
            "grid": Box("picture", 0, 3, "input", "49 grid vectors"),
            "bert": Box("BERT", 1, 1, "pretrained"),
            "project": Box("two linear layers", 1, 3),
            "auxiliary": Box("auxiliary layer", 2, 0, small="transformer layer"),
            "main": Box("main layer", 2, 1, small="transformer layer"),
            "b": Box("B", 3, 2, small="text reads the grid"),
            "p": Box("P", 3, 3, small="grid reads the text"),
            "a": Box("A", 4, 1, small="text reads P"),
            "spans": Box("span scores", 4, 0, small="O, B, I, E, S; own CRF"),
            "gate": Box("gate g", 5, 2, small="sigmoid(W [A ; B])"),
            "fixed": Box("fixed matrix", 5, 0, small="class to label"),
            "join": Box("linear", 6, 1, small="[A ; g * B]"),
            "crf": Box("half and half, CRF", 7, 1, "result", "labels of the words"),
        },
        (
            *path("words", "bert", "main", "a", "join", "crf"),
            *path("bert", "auxiliary", "spans", "fixed", "crf"),
            *path("grid", "project", "p"),
            *path("project", "b", "gate", "join"),
            *path("main", "b"),
            *path("main", "p", "a"),
            *path("a", "gate"),
        ),
    ),
    "umgf": Figure(
        "UMGF",
        "Words and grounded objects become the nodes of a graph; six layers pass messages within and between them.",
        {
            "words": Box("words", 0, 1, "input"),
            "objects": Box("picture", 0, 2, "input", "a crop for each type"),
            "bert": Box("BERT", 1, 1, "pretrained"),
            "nodes": Box("linear", 2, 1, small="768 to 512"),
            "linear": Box("two linear layers", 2, 2, small="2,048 to 512"),
            "graph": Box("six graph layers", 3, 1, small="attention within, gates between", tall=2),
            "join": Box("linear", 4, 0, small="[BERT ; fused]"),
            "crf": Box("CRF", 5, 0, "result", "labels of the words"),
        },
        (
            *path("words", "bert", "nodes", "graph", "join", "crf"),
            *path("objects", "linear", "graph"),
            Arrow("bert", "join", early=True),
        ),
    ),
    "ocsga": Figure(
        "OCSGA",
        "Words pass through a BiLSTM; what they gather from the picture's object labels in a co-attention is added.",
        {
            "words": Box("words", 0, 0, "input"),
            "labels": Box("object labels", 0, 2, "input", "at most four"),
            "vectors": Box("word vectors", 1, 0, "pretrained", "and a character BiLSTM"),
            "means": Box("word vectors", 1, 2, "pretrained", "their mean"),
            "text": Box("BiLSTM", 2, 0),
            "linear": Box("linear", 2, 2),
            "among": Box("self-attention", 3, 1, small="among words"),
            "among_labels": Box("self-attention", 3, 2, small="among labels"),
            "guided": Box("attention", 4, 1, small="words read labels"),
            "feed": Box("feed-forward", 5, 1),
            "sum": Box("sum, batch norm", 6, 0),
            "crf": Box("linear, CRF", 7, 0, "result", "labels of the words"),
        },
        (
            *path("words", "vectors", "text", "sum", "crf"),
            *path("labels", "means", "linear", "among_labels", "guided", "feed", "sum"),
            *path("text", "among", "guided"),
        ),
    ),
    "rpbert": Figure(
        "RpBERT",
        "A first pass of BERT over words and grid judges whether the picture adds to the text; its probability gates "
        "the grid of a second pass, from which entities are read.",
        {
            "pairs": Box("relation pairs", 0, 0, "input", "does the picture add?"),
            "words": Box("words", 0, 2, "input"),
            "grid": Box("picture", 0, 3, "input", "49 grid vectors"),
            "linear": Box("linear", 1, 3, small="2,048 to 768"),
            "first": Box("BERT, first pass", 2, 1, "pretrained"),
            "judge": Box("judge", 3, 1, small="s = P(adds | [CLS])"),
            "gate": Box("gate", 4, 3, small="s * grid"),
            "second": Box("BERT, second pass", 5, 2, "pretrained", "the same weights"),
            "lstm": Box("two BiLSTM layers", 6, 2, small="words: means of sub-tokens"),
            "crf": Box("linear, CRF", 7, 2, "result", "labels of the words"),
        },
        (
            *path("words", "first", "judge", "gate", "second"),
            *path("grid", "linear", "gate"),
            *path("linear", "first"),
            *path("words", "second", "lstm", "crf"),
            Arrow("pairs", "judge", training=True),
        ),
    ),
    "riva": Figure(
        "RIVA",
        "A student, taught by a teacher, judges whether the picture adds to the text; its score scales what the text "
        "gathers from the grid; two language models read words beside that, and a BiLSTM tags.",
        {
            "pairs": Box("relation pairs", 0, 0, "input", "does the picture add?"),
            "unlabelled": Box("unlabelled posts", 0, 1, "input"),
            "words": Box("words", 0, 2, "input"),
            "grid": Box("picture", 0, 3, "input", "49 grid vectors"),
            "teacher": Box("teacher", 1, 0),
            "vectors": Box("word vectors", 1, 2, "pretrained"),
            "student": Box("student", 2, 1, small="s = P(adds)"),
            "attention": Box("attention", 2, 3, small="text reads the grid"),
            "context": Box("visual context v", 3, 3, small="s * what was gathered"),
            "language": Box("two language models", 4, 2, small="learn on unlabelled posts"),
            "characters": Box("word vectors", 4, 4, "pretrained", "and a character BiLSTM"),
            "lstm": Box("BiLSTM", 5, 2),
            "crf": Box("linear, CRF", 6, 2, "result", "labels of the words"),
        },
        (
            *path("words", "vectors", "language", "lstm", "crf"),
            *path("vectors", "student", "context", "language"),
            *path("vectors", "attention", "context"),
            *path("grid", "attention"),
            Arrow("words", "characters", early=True),
            *path("characters", "lstm"),
            Arrow("grid", "student"),
            Arrow("pairs", "teacher", training=True),
            Arrow("teacher", "student", training=True),
            Arrow("unlabelled", "student", training=True),
        ),
    ),
    "vinvl": Figure(
        "VinVL-CRF",
        "Words, object tags and regions form one sequence for a vision-and-language encoder; words alone are scored.",
        {
            "words": Box("words", 0, 0, "input"),
            "tags": Box("object tags", 0, 1, "input"),
            "regions": Box("regions", 0, 2, "input", "2,048 numbers and a box"),
            "embedded": Box("embeddings", 1, 0, "pretrained", "type 0 words, type 1 tags", tall=2),
            "linear": Box("linear, norm", 1, 2, "pretrained", "2,054 to 768"),
            "encoder": Box("VinVL's encoder", 2, 0, "pretrained", "of BERT's shape", tall=3),
            "scores": Box("linear", 3, 0, small="at the words"),
            "crf": Box("CRF", 4, 0, "result", "labels of the words"),
        },
        (
            *path("words", "embedded"),
            *path("tags", "embedded"),
            *path("embedded", "encoder"),
            *path("regions", "linear", "encoder"),
            *path("encoder", "scores", "crf"),
        ),
    ),
    "bert-vinvl": Figure(
        "BERT + VinVL-CRF",
        "A text encoder reads the words, VinVL's encoder words, object tags and regions; their vectors stand side by "
        "side.",
        {
            "words": Box("words", 0, 1, "input"),
            "tags": Box("object tags", 0, 2, "input"),
            "regions": Box("regions", 0, 3, "input", "2,048 numbers and a box"),
            "embedded": Box("embeddings", 1, 1, "pretrained", "type 0 words, type 1 tags", tall=2),
            "linear": Box("linear, norm", 1, 3, "pretrained", "2,054 to 768"),
            "bert": Box("BERT", 2, 0, "pretrained", "words alone"),
            "encoder": Box("VinVL's encoder", 2, 1, "pretrained", "of BERT's shape", tall=3),
            "scores": Box("linear", 3, 0, small="[BERT ; VinVL]"),
            "crf": Box("CRF", 4, 0, "result", "labels of the words"),
        },
        (
            Arrow("words", "bert", early=True),
            *path("words", "embedded"),
            *path("tags", "embedded"),
            *path("embedded", "encoder"),
            *path("regions", "linear", "encoder"),
            *path("bert", "scores", "crf"),
            *path("encoder", "scores"),
        ),
    ),
    "imgfeat": Figure(
        "BERT-CRF + ImgFeat",
        "The picture's grid passes through one linear layer and follows the words as further inputs of BERT.",
        {
            "words": Box("words", 0, 0, "input"),
            "grid": Box("picture", 0, 1, "input", "49 grid vectors"),
            "embedded": Box("word embeddings", 1, 0, "pretrained"),
            "linear": Box("linear", 1, 1, small="2,048 to 768"),
            "bert": Box("BERT", 2, 0, "pretrained", "one sequence", tall=2),
            "scores": Box("linear", 3, 0, small="at the words"),
            "crf": Box("CRF", 4, 0, "result", "labels of the words"),
        },
        (
            *path("words", "embedded", "bert"),
            *path("grid", "linear", "bert"),
            *path("bert", "scores", "crf"),
        ),
    ),
    "texts": Figure(
        "ITA with retrieved or written text",
        "Texts that a search or a language model gave outside mner follow the words as a context of ITA.",
        {
            "words": Box("words", 0, 0, "input"),
            "post": Box("picture or post", 0, 1, "input"),
            "outside": Box("search, language model", 1, 1, "pretrained", "outside mner, once"),
            "texts": Box("texts", 2, 1, "input", "mner context import"),
            "plain": Box("encoder, T view", 3, 0, "pretrained", "words"),
            "both": Box("encoder, I+T view", 3, 1, "pretrained", "words [X] texts; the same weights"),
            "crf": Box("linear, CRF", 4, 0, "result", "labels of the words"),
            "crf_both": Box("linear, CRF", 4, 1, "result", "teaches the T view"),
        },
        (
            *path("words", "plain", "crf"),
            *path("post", "outside", "texts", "both", "crf_both"),
            Arrow("words", "both"),
            Arrow("crf_both", "crf", training=True),
        ),
    ),
}
