"""What two artefacts say otherwise of the same pictures."""

from __future__ import annotations

from mner.contexts.artefact import Contexts
from mner.contexts.compare import Difference, Summary, differences
from mner.contexts.rows import from_row
from mner.types import Caption, OcrText, Tag, VisualContext


def between(first: list[VisualContext], second: list[VisualContext]) -> tuple[list[Difference], Summary]:
    summary = Summary()
    return list(differences(Contexts(first), Contexts(second), summary)), summary


def test_words_are_compared_and_nothing_else() -> None:
    first = VisualContext("1.jpg", tags=(Tag("dog", ("brown",), 0.9, (0, 0, 1, 1), source="a"), Tag(text="cat")))
    second = VisualContext("1.jpg", tags=(Tag("cat", confidence=0.1), Tag(text="brown dog", source="b")), sha256="x")
    differing, summary = between([first], [second])
    assert (differing, summary.equal, summary.same) == ([], True, 1)
    assert summary.kinds["tags"] == [0, 2, 0]


def test_entries_are_counted_as_often_as_they_occur() -> None:
    first = VisualContext("1.jpg", ocr=(OcrText("A"), OcrText("A"), OcrText("B")))
    second = VisualContext("1.jpg", ocr=(OcrText("A"), OcrText("C")), captions=(Caption("a dog"),))
    (differing,), summary = between([first], [second])
    assert differing.first == {"ocr": ("A", "B")}
    assert differing.second == {"captions": ("a dog",), "ocr": ("C",)}
    assert summary.kinds["ocr"] == [2, 1, 1]
    assert (summary.differing, summary.equal) == (1, False)


def test_tag_with_an_empty_text_is_its_object() -> None:
    first = from_row({"image": "1.jpg", "tags": [{"object": "dog", "attributes": ["brown"], "text": ""}]})
    _, summary = between([first], [VisualContext("1.jpg", tags=(Tag("dog", ("brown",)),))])
    assert summary.equal


def test_status_alone_is_a_difference() -> None:
    (differing,), _ = between([VisualContext("1.jpg")], [VisualContext("1.jpg", status="placeholder")])
    assert (differing.status, differing.first, differing.second) == (("ok", "placeholder"), {}, {})


def test_pictures_of_one_side_are_told_in_order() -> None:
    rows = [VisualContext(f"{name}.jpg", captions=(Caption(name),)) for name in "abcd"]
    differing, summary = between([rows[0], rows[1]], [rows[1], rows[2], rows[3]])
    assert [(picture.image, picture.status) for picture in differing] == [
        ("a.jpg", ("ok", None)),
        ("c.jpg", (None, "ok")),
        ("d.jpg", (None, "ok")),
    ]
    assert (summary.only_first, summary.only_second, summary.same) == (1, 2, 1)
    assert summary.kinds["captions"] == [1, 1, 2]


def test_two_empty_artefacts_are_equal() -> None:
    differing, summary = between([], [])
    assert (differing, summary.equal) == ([], True)


def test_pictures_of_one_name_in_several_folders_stay_apart() -> None:
    both = [VisualContext(f"{folder}/1.jpg", captions=(Caption("a dog"),)) for folder in "ab"]
    for first, second in ((both, both[:1]), (both[:1], both)):
        (differing,), summary = between(first, second)
        assert differing.image == "b/1.jpg"
        assert (summary.same, summary.only_first + summary.only_second) == (1, 1)
    differing, summary = between(both, [VisualContext("1.jpg")])
    assert [picture.image for picture in differing] == ["a/1.jpg", "b/1.jpg", "1.jpg"], "it could be either"
    assert (summary.only_first, summary.only_second) == (2, 1)


def test_picture_is_the_same_under_a_longer_path() -> None:
    short, long = (VisualContext(name, captions=(Caption("a dog"),)) for name in ("1.jpg", "pics/1.jpg"))
    for first, second in ((short, long), (long, short)):
        differing, summary = between([first], [second])
        assert (differing, summary.same) == ([], 1)
