"""The words of a caption -> the objects a detector would call by its own names, with their number, and scene labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from mner.vision.captioners.template import plural
from mner.vision.detectors.nanodet import CLASSES

SYNONYMS: Mapping[str, str] = {
    "person": "man woman boy girl child kid baby guy lady player batter pitcher catcher singer actor musician skier "
    "surfer officer soldier president skateboarder snowboarder performer fan athlete teammate driver toddler",
    "bicycle": "bike", "motorcycle": "motorbike", "airplane": "plane jet jetliner airliner", "car": "taxi suv",
    "boat": "ship sailboat yacht canoe", "dog": "puppy", "cat": "kitten", "cow": "bull", "horse": "pony",
    "bird": "duck seagull eagle owl parrot", "handbag": "purse bag", "backpack": "knapsack", "suitcase": "luggage",
    "sports ball": "ball basketball football", "tennis racket": "racket racquet", "wine glass": "goblet",
    "cup": "mug", "donut": "doughnut", "couch": "sofa", "potted plant": "plant", "dining table": "table",
    "tv": "television monitor", "laptop": "computer", "cell phone": "phone cellphone smartphone iphone",
    "refrigerator": "fridge", "book": "magazine", "teddy bear": "teddy", "hair drier": "dryer", "tie": "necktie",
    "truck": "pickup",
}  # fmt: skip
"""What captions call the objects that are in ``CLASSES``, singular."""

PHRASES: Mapping[str, str] = {
    "tennis racquet": "tennis racket", "stuffed animal": "teddy bear", "stuffed bear": "teddy bear",
    "hair dryer": "hair drier", "remote control": "remote", "wii remote": "remote", "bow tie": "tie",
    "soccer ball": "sports ball", "tennis ball": "sports ball", "coffee cup": "cup", "coffee table": "dining table",
    "police officer": "person", "baseball player": "person", "soccer player": "person", "basketball player": "person",
    "football player": "person", "tennis player": "person",
}  # fmt: skip
"""Two words that are one object."""

NO_OBJECT = frozenset(
    ("baseball field", "basketball court", "basketball game", "football field", "football game", "football team",
     "parking lot", "train station", "bus stop", "book store", "dog house", "bed room", "train track", "phone call",
     "phone booth", "computer screen", "boat dock", "table tennis", "television screen", "car park")
)  # fmt: skip
"""Two words of which the first is no object, though it would be alone."""

PEOPLE: Mapping[str, tuple[int, int]] = {
    "people": (2, 4), "men": (2, 3), "women": (2, 3), "children": (2, 4), "couple": (2, 2), "crowd": (4, 12),
    "team": (3, 6), "band": (2, 5), "family": (3, 5), "audience": (3, 9), "police": (1, 2),
}  # fmt: skip
"""Words that mean several people, with the least and the greatest number of them."""

NUMBERS: Mapping[str, tuple[int, int]] = {
    "two": (2, 2), "three": (3, 3), "four": (4, 4), "five": (5, 5), "six": (6, 6), "seven": (7, 7), "eight": (8, 8),
    "couple": (2, 2), "pair": (2, 2), "group": (3, 6), "bunch": (3, 6), "row": (3, 5), "several": (3, 5),
    "crowd": (4, 12), "many": (4, 9), "lots": (4, 9), "herd": (3, 7), "flock": (3, 8), "line": (3, 5), "pile": (2, 5),
}  # fmt: skip
"""Words before a noun that say how many there are, at least and at most."""

SCENES: Mapping[str, tuple[str, ...]] = {
    "website": ("screenshot", "website", "webpage", "page", "tweet", "text", "message", "email", "graph", "chart",
                "quote", "app", "screen", "facebook", "twitter", "words", "says", "reads", "list", "map"),
    "stage": ("stage", "concert", "singing", "performs", "performing", "microphone", "guitar"),
    "comic book": ("cartoon", "comic", "poster", "drawing", "anime"),
    "dust jacket": ("cover", "magazine", "novel"),
    "scoreboard": ("scoreboard", "score"),
    "beach": ("beach", "ocean", "shore"), "lakeshore": ("lake", "river"), "mountain": ("mountain", "mountains"),
    "valley": ("valley", "hills"), "cliff": ("cliff",), "volcano": ("volcano",), "pier": ("pier",), "dock": ("dock",),
    "palace": ("palace",), "castle": ("castle",), "church": ("church", "cathedral"), "mosque": ("mosque",),
    "bell tower": ("tower",), "suspension bridge": ("bridge",), "fountain": ("fountain",),
    "lighthouse": ("lighthouse",), "restaurant": ("restaurant", "bar"), "library": ("library", "bookshelf"),
    "movie theater": ("theater", "cinema"), "grocery store": ("grocery", "market"), "menu": ("menu",),
    "desk": ("desk", "office"), "patio": ("patio", "balcony"), "barn": ("barn",), "crossword": ("crossword",),
}  # fmt: skip
"""Scene labels of ``mner.vision.scene`` and the words of captions that may go with them."""

WRITING = frozenset(
    ("sign", "poster", "screenshot", "text", "words", "quote", "says", "reads", "message", "page", "cover", "logo",
     "flyer", "screen", "map", "banner", "billboard", "letter", "card", "newspaper", "scoreboard", "written", "tweet")
)  # fmt: skip
"""Words of captions of pictures that have writing in them."""

_FAR = 3  # most words between a number and its noun: "two very tall men"
_WORD = re.compile(r"[a-z]+")


def words(caption: str) -> list[str]:
    """The words of a caption, in small letters."""
    return _WORD.findall(caption.lower())


def objects(caption: str) -> dict[str, tuple[int, int]]:
    """The objects a caption names, by the detector's names, each with the least and greatest number of them.

    >>> objects("Two men and a woman with a hot dog next to a group of bikes.")
    {'person': (3, 3), 'hot dog': (1, 1), 'bicycle': (3, 6)}
    """
    spoken = words(caption)
    least, most = Counter[str](), Counter[str]()
    number: tuple[int, int] | None = None
    number_at = at = 0
    while at < len(spoken):
        two, word = " ".join(spoken[at : at + 2]), spoken[at]
        if two in NO_OBJECT:
            at += 2
            continue
        width = 2 if two in _NAMES else 1
        named_object = _NAMES.get(two) or _NAMES.get(word)
        named = NUMBERS.get(word)
        if named is not None and (named_object is None or spoken[at + 1 : at + 2] == ["of"]):
            number, number_at = named, at
        elif named_object is not None:
            name, implied = named_object
            counted = number if number is not None and at - number_at <= _FAR else None
            number = None
            fewest, greatest = implied if counted is None or implied == (1, 1) else counted
            least[name] += fewest
            most[name] += greatest
        at += width
    return {name: (least[name], most[name]) for name in least}


def scenes(captions: Iterable[str]) -> list[str]:
    """The scene labels that words of captions may go with, in the table's order.

    >>> scenes(["a man singing on a stage", "a band on a beach"])
    ['stage', 'beach']
    """
    spoken = {word for caption in captions for word in words(caption)}
    return [label for label, cues in SCENES.items() if spoken.intersection(cues)]


def _names() -> dict[str, tuple[str, tuple[int, int]]]:
    """Word or two words -> the object and the number they mean without a number before them."""
    called: dict[str, str] = {name: name for name in CLASSES if name != "orange"}  # in captions it is a colour
    called |= {synonym: name for name, others in SYNONYMS.items() for synonym in others.split()}
    called |= PHRASES
    meanings: dict[str, tuple[str, tuple[int, int]]] = {"oranges": ("orange", (2, 4))}
    for word, name in called.items():
        meanings[word] = (name, (1, 1))
        if word not in {"luggage", "skis", "scissors", "sheep"}:
            meanings[plural(word)] = (name, (2, 4))
    meanings["luggage"] = ("suitcase", (1, 3))
    return meanings | {word: ("person", number) for word, number in PEOPLE.items()}


_NAMES = _names()
