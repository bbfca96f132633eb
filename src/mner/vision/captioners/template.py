"""One plain sentence over the objects and the scene label: no captioning model, and it does not pretend to be one.

It says what the detector counted ("a photo of two people and a dog") and what the classifier is sure of ("it looks
like a palace"). Where neither is certain there is no caption. It cannot tell actions, relations or names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from PIL.Image import Image
from pydantic import Field

from mner.types import Caption, OcrText, Tag
from mner.vision.protocols import About, PluginOptions, Scene

_NUMBERS = ("no", "a", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_UNCHANGED = ("sheep", "skis", "scissors")
_PLURALS = {"person": "people", "knife": "knives", "mouse": "mice", **{name: name for name in _UNCHANGED}}


class Options(PluginOptions):
    """[vision.options.template]."""

    threshold: float = Field(default=0.5, gt=0, le=1)  # least confidence of an object that is named
    kinds: int = Field(default=4, ge=1)  # most kinds of object in the sentence, the surest first


ABOUT = About(
    downloads="nothing.",
    licence="mner's own.",
    speed="no time at all, once tags and scene label are there.",
)


class Captioner:
    """One sentence about a picture, or none."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._options = options

    def __call__(
        self, picture: Image, tags: Sequence[Tag], *, scenes: Sequence[Scene], ocr: Sequence[OcrText]
    ) -> list[Caption]:
        """The sentence; an empty list where nothing is certain."""
        sure = [tag for tag in tags if tag.object and (tag.confidence or 0) >= self._options.threshold]
        text = sentence([tag.object for tag in sure], [scene.label for scene in scenes[:1]], kinds=self._options.kinds)
        return [Caption(text, source="template")] if text else []


def sentence(objects: Sequence[str], scenes: Sequence[str], *, kinds: int = 4) -> str:
    """A sentence over objects, surest first, and scene labels; "" where there are neither.

    >>> sentence(["person", "dog", "person"], ["palace"])
    'a photo of two people and a dog; it looks like a palace'
    """
    counts = list(Counter(objects).items())[:kinds]
    labels = [label.split(" (")[0] for label in scenes]  # "kite (bird of prey)": the rest is for the reader
    scene = " or ".join(with_article(label) for label in labels if label not in dict(counts))
    if not counts:
        return f"a picture that looks like {scene}" if scene else ""
    seen = "a photo of " + _listed([counted(name, number) for name, number in counts])
    return f"{seen}; it looks like {scene}" if scene else seen


def counted(name: str, number: int) -> str:
    """A noun with its number: ten at most are counted, more are "many".

    >>> counted("person", 3), counted("orange", 1), counted("bus", 20)
    ('three people', 'an orange', 'many buses')
    """
    if number == 1:
        return with_article(name)
    return f"{_NUMBERS[number] if number < len(_NUMBERS) else 'many'} {plural(name)}"


def plural(name: str) -> str:
    """The plural of an English noun as the detectors' vocabularies have them.

    >>> plural("wine glass"), plural("couch"), plural("traffic light"), plural("berry")
    ('wine glasses', 'couches', 'traffic lights', 'berries')
    """
    head, gap, last = name.rpartition(" ")
    if last in _PLURALS:
        return f"{head}{gap}{_PLURALS[last]}"
    if last.endswith(("s", "x", "z", "ch", "sh")):
        return f"{name}es"
    if last.endswith("y") and last[-2:-1] not in set("aeiou"):
        return f"{name[:-1]}ies"
    return f"{name}s"


def with_article(name: str) -> str:
    """A noun with "a" or "an"; a plural, such as skis, stays bare.

    >>> with_article("umbrella"), with_article("unicycle"), with_article("skis")
    ('an umbrella', 'a unicycle', 'skis')
    """
    if name in {"skis", "scissors"}:
        return name
    vowel = name[:1].lower() in set("aeiou") and not name.lower().startswith(("uni", "use", "eu", "one"))
    return f"{'an' if vowel else 'a'} {name}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
