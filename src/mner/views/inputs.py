"""What a model reads: named arrays of each post, with their axes, their type and the value that pads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from mner.errors import ConfigError, DataError

TOKENS = ("input_ids", "attention_mask", "shapes", "word_index", "lengths", "window_post")
"""The arrays that every model is given without declaring them; see ``Batch``."""

WORD_ARRAYS = {"characters": ("post", "word", "character"), "pieces": ("post", "word")}
"""What views make of a post's words, by name, with the axes: Unicode code points, and the number of sub-tokens."""

PACKED = ("segments", "positions")
"""What a packed batch has besides."""

NER = "ner"
"""The task of recognising entities, which every model is trained on."""


@dataclass(frozen=True, slots=True)
class Array:
    """An array that a model reads of each post besides its sub-tokens, such as the grid features of its picture.

    ``collate`` gives a model the array under its name, and under ``NAME_mask`` (post, region) which entries of the
    first inner axis are real: 1, and 0 for padding. A post without it, and every post in the T view, has padding alone.

    Args:
        name: A Python identifier; [vision] and [data] name what fills it by it.
        axes: "post" first. A name stands for any size, padded to the longest of a batch; a number for just that size.
        dtype: What the model gets, whatever the array is kept in.
        pad: Fills what a post lacks.
        of: "picture", or "words": one of ``WORD_ARRAYS``, which both views have. A model that reads from word to word,
            as an LSTM over words does, declares such an array, and then gets a long post whole.

    Raises:
        ConfigError: The name or the axes cannot be used.
    """

    name: str
    axes: tuple[str | int, ...] = ("post", "region", "width")
    dtype: str = "float32"
    pad: float = 0
    of: Literal["picture", "words"] = "picture"

    def __post_init__(self) -> None:
        if self.of == "words" and self.name not in WORD_ARRAYS:
            raise ConfigError(f'array "{self.name}": nothing makes it of words; there are {", ".join(WORD_ARRAYS)}')
        taken = (*TOKENS, *PACKED)
        if not self.name.isidentifier() or self.name in taken or self.name.endswith("_mask"):
            raise ConfigError(
                f'array "{self.name}": expected a Python identifier that does not end in "_mask", other than '
                f"{', '.join(taken)}"
            )
        if not self.axes or self.axes[0] != "post" or "post" in self.axes[1:]:
            raise ConfigError(f'array "{self.name}": expected axes that begin with "post", found {self.axes}')

    @property
    def mask(self) -> str | None:
        """The name of the array that says what is real; None where a post has one number."""
        return f"{self.name}_mask" if len(self.axes) > 1 else None

    def to_dict(self) -> dict[str, Any]:
        """The declaration as a JSON object; ``Array.from_dict`` reads it back."""
        table = asdict(self)
        if self.of == "picture":  # what models of earlier versions do not say
            del table["of"]
        return table

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Array:
        """The array that a JSON object declares.

        Raises:
            ConfigError: A value cannot be used.
            KeyError: One is missing.
            TypeError: One is of another type.
        """
        np.dtype(table["dtype"])
        of = table.get("of", "picture")
        return cls(str(table["name"]), tuple(table["axes"]), str(table["dtype"]), float(table["pad"]), of)

    def check(self, values: np.ndarray, where: str) -> None:
        """Nothing, if one post's array has the declared axes.

        Raises:
            DataError: It has others; ``where`` names the post or its picture.
        """
        inner = self.axes[1:]
        fits = values.ndim == len(inner) and all(
            isinstance(axis, str) or axis == size for axis, size in zip(inner, values.shape, strict=True)
        )
        if not fits:
            raise DataError(
                f'{where}: array "{self.name}" has the shape {values.shape}, but the model reads '
                f"({', '.join(map(str, inner))}). Fill it from another extractor ([vision.features]), "
                "or set the size in [model.options]"
            )

    def side_by_side(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """The array of several pictures of one post: their regions one after the other; of a fixed size, the first's.

        >>> Array("grid", ("post", "region", 2)).side_by_side([np.ones((1, 2)), np.ones((3, 2))]).shape
        (4, 2)
        """
        free = len(self.axes) > 1 and isinstance(self.axes[1], str)
        return np.concatenate(pictures) if free else pictures[0]

    def padded(self, posts: Sequence[np.ndarray | None]) -> dict[str, np.ndarray]:
        """The arrays of some posts as one, and its mask; None stands for a post without.

        >>> grid = Array("grid", ("post", "region", 2))
        >>> both = grid.padded([np.ones((1, 2)), None])
        >>> both["grid"].tolist(), both["grid_mask"].tolist()
        ([[[1.0, 1.0]], [[0.0, 0.0]]], [[1], [0]])
        """
        shapes = [values.shape for values in posts if values is not None]
        sizes = [
            axis if isinstance(axis, int) else max((shape[place] for shape in shapes), default=1) or 1
            for place, axis in enumerate(self.axes[1:])
        ]
        whole = np.full((len(posts), *sizes), self.pad, self.dtype)
        for number, values in enumerate(posts):
            if values is not None:
                corner: tuple[int | slice, ...] = (number, *(slice(size) for size in values.shape))
                whole[corner] = values
        if self.mask is None:
            return {self.name: whole}
        counts = np.array([0 if values is None else len(values) for values in posts])
        return {self.name: whole, self.mask: (np.arange(sizes[0]) < counts[:, None]).astype(np.int64)}


@dataclass(frozen=True, slots=True)
class Task:
    """A task that a model is trained on besides recognising entities, and the posts it is trained on.

    Its posts come from the file that [data.tasks] names under ``data``: one JSON object a line, with the post's
    ``text``, its ``image`` and the ``target``. They are encoded like the training posts, in the model's views.

    Args:
        name: What ``Model.losses`` gets as its ``task``.
        data: Key of [data.tasks]; tasks may share one.
        target: Key of each JSON object that holds what is to be learned; "" where the posts alone suffice.
        classes: The values that the target may have; ``Model.losses`` gets the position of each post's (post,).
        weight: Factor of the loss.
        passes: Times that training goes through the posts each time.
        once: Whether that happens once, before the first epoch; otherwise in every epoch, before the entities.

    Raises:
        ConfigError: A name is taken.
    """

    name: str
    data: str
    target: str = ""
    classes: tuple[bool | int | str, ...] = (False, True)
    weight: float = 1.0
    passes: int = 1
    once: bool = False

    def __post_init__(self) -> None:
        if self.name == NER or self.data in ("train", "dev", "test"):
            raise ConfigError(
                f'task "{self.name}" on the posts "{self.data}": expected a task not called "{NER}", on posts not '
                'called "train", "dev" or "test"'
            )

    @property
    def example(self) -> str:
        """A line of its file."""
        example = {"text": "Kevin Love is back", "image": "1.jpg"}
        return json.dumps({**example, self.target: self.classes[-1]} if self.target else example)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a model needs before it can be built and fed.

    Args:
        encoders: Encoders as ``model.encoder`` names them, in the order in which ``Model`` takes them; none, one or
            several. The sub-tokens are those of ``model.encoder``.
        arrays: What it reads of a post's picture besides text, and of its words besides sub-tokens.
        context: Whether its I+T view reads the picture's text.
        tasks: What it is trained on besides entities, in this order.
        start: Layers outside the encoders that start from arrays of an encoder's weights: the layer's name and the name
            under which the arrays stand there. A saved model has them of its own.

    Raises:
        ConfigError: Two arrays or two tasks have one name.
    """

    encoders: tuple[str, ...] = ()
    arrays: tuple[Array, ...] = ()
    context: bool = True
    tasks: tuple[Task, ...] = ()
    start: Mapping[str, str] = field(default_factory=dict)

    @property
    def pictured(self) -> tuple[Array, ...]:
        """The arrays that come of a picture."""
        return tuple(array for array in self.arrays if array.of == "picture")

    def __post_init__(self) -> None:
        names = [task.name for task in self.tasks]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ConfigError(f'task "{twice}" is declared twice; give each task a name of its own')
        by_name: dict[str, Array] = {}
        for array in self.arrays:
            if (other := by_name.setdefault(array.name, array)) is not array:
                raise ConfigError(
                    f'array "{array.name}" is declared twice, with axes {other.axes} and {array.axes}; '
                    "give each array a name of its own"
                )


NEEDS = Needs()
"""A picture's text and nothing else of it."""


def word_array(name: str, words: Sequence[str], pieces: np.ndarray) -> np.ndarray:
    """One of ``WORD_ARRAYS`` for the words of a post.

    >>> word_array("characters", ["ab", "c"], np.array([1, 1])).tolist()
    [[97, 98], [99, 0]]
    """
    if name == "pieces":
        return pieces
    longest = max((len(word) for word in words), default=0) or 1
    padded = "".join(word.ljust(longest, "\0") for word in words)
    points = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), "<u4")
    return points.reshape(len(words), longest).astype(np.int64)
