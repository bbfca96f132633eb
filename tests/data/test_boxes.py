from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mner.data.box_files import LARGEST
from mner.data.boxes import NO_AREA, NO_ENTITY, NO_NUMBERS, OUTSIDE, UNLISTED, UNNAMED, UNREACHABLE, read_boxes
from mner.errors import DataError
from mner.types import Post, Span

TEXT = "Kevin Love is back in Cleveland"
ENTITIES = (Span(0, 2, "PER"), Span(5, 6, "LOC"))


def _post(image="1.jpg", spans=ENTITIES, where=""):
    return replace(Post(TEXT, spans=spans, image=image), id="7", where=where)


def _object(name, sides):
    names = ("xmin", "ymin", "xmax", "ymax")
    box = "".join(f"<{key}>{side}</{key}>" for key, side in zip(names, sides, strict=True))
    return f"\n<object>\n<name>{name}</name>\n<difficult>0</difficult>\n<bndbox>{box}</bndbox></object>"


def _annotation(*objects, size="<size><width>600</width><height>400</height><depth>3</depth></size>", head=""):
    return f"{head}<annotation>\n<filename>another_name.jpg</filename>{size}{''.join(objects)}\n</annotation>"


@pytest.fixture(params=["jsonl", "xml"])
def written(request, tmp_path):
    """Writes the (name, box) pairs of 1.jpg, 600 by 400 pixels, in one of the layouts; gives what to read."""

    def write(*boxes):
        if request.param == "jsonl":
            row = {"image": "1.jpg", "width": 600, "height": 400}
            row["boxes"] = [{"name": name, "box": list(box)} for name, box in boxes]
            path = tmp_path / "boxes.jsonl"
            path.write_text(json.dumps(row) + "\n", encoding="utf-8")
            return path
        (tmp_path / "1.xml").write_text(_annotation(*(_object(*box) for box in boxes)), encoding="utf-8")
        return tmp_path

    return write


def test_read_boxes_gives_each_entity_all_boxes_of_its_name(written):
    source = written(("Kevin Love", (1, 2, 30, 40)), ("Kevin Love", (300, 2, 600, 400)))
    gold = read_boxes(source, [_post()])
    assert gold.posts == ((((1, 2, 30, 40), (300, 2, 600, 400)), ()),)
    assert (gold.faults, gold.notes(), gold.sizes) == ({}, [], ((600, 400),))


def test_read_boxes_gives_each_mention_of_a_name_its_boxes(written):
    post = Post("Love loves Love", spans=(Span(0, 1, "PER"), Span(2, 3, "PER")), image="1.jpg")
    assert read_boxes(written(("Love", (0, 0, 9, 9))), [post]).posts == ((((0, 0, 9, 9),), ((0, 0, 9, 9),)),)


def test_read_boxes_counts_names_of_no_entity(written):
    gold = read_boxes(written(("Kevin", (0, 0, 9, 9)), ("Cleveland", (0, 0, 9, 9))), [_post()])
    assert gold.posts == (((), ((0, 0, 9, 9),)),)
    assert gold.faults == {NO_ENTITY: 1}
    (note,) = gold.notes()
    assert note.startswith("1 boxes with the name of no entity of their post; the first: ")
    assert note.endswith('("Kevin")')


def test_read_boxes_cuts_a_box_at_the_edges_and_counts_it(written):
    gold = read_boxes(written(("Kevin Love", (-5, 10, 700, 401)), ("Cleveland", (601, 0, 700, 9))), [_post()])
    assert gold.posts == ((((0, 10, 600, 400),), (UNREACHABLE,)),)
    assert gold.faults == {OUTSIDE: 2}


@pytest.mark.parametrize(
    ("box", "fault"),
    [
        ((30, 0, 30, 9), NO_AREA),
        ((0, 9, 9, 0), NO_AREA),
        ((0, 0, 9, "wide"), NO_NUMBERS),
        ((0, 0, 9, ""), NO_NUMBERS),
        ((0, 0, 9, "nan"), NO_NUMBERS),
        ((0, 0, 9, "1e999"), NO_NUMBERS),
    ],
)
def test_read_boxes_keeps_an_entity_in_the_picture_whose_box_is_faulty(written, box, fault):
    gold = read_boxes(written(("Kevin Love", box)), [_post()])
    assert gold.posts == (((UNREACHABLE,), ()),)
    assert gold.faults == {fault: 1}
    assert gold.first[fault].rpartition(":")[2].isdigit()


def test_read_boxes_counts_boxes_without_a_name(written):
    assert read_boxes(written(("", (0, 0, 9, 9))), [_post()]).faults == {UNNAMED: 1}


def test_read_boxes_needs_no_boxes_of_posts_without_entities_or_pictures(written):
    source = written(("Kevin Love", (1, 2, 30, 40)))
    assert read_boxes(source, [_post("2.jpg", ()), _post(None), _post("2.jpg", None)]).posts == ((), ((), ()), ())


def test_read_boxes_names_the_post_whose_picture_has_none(tmp_path):
    (tmp_path / "1.xml").write_text(_annotation(), encoding="utf-8")
    posts = [_post(), _post("2.jpg", where="test.txt:9")]
    with pytest.raises(DataError) as refused:
        read_boxes(tmp_path, posts)
    message = str(refused.value)
    assert message.startswith(
        f'test.txt:9: {tmp_path} has no boxes for the picture of post "7": expected 2.xml. Add it'
    )
    assert message.endswith("--unlisted no-box")
    (tmp_path / "boxes.jsonl").write_text('{"image": "1.jpg", "boxes": []}\n', encoding="utf-8")
    with pytest.raises(
        DataError, match=r'test\.txt:9: .*boxes\.jsonl has no boxes .*expected a line with "image": "2\.jpg"'
    ):
        read_boxes(tmp_path / "boxes.jsonl", posts)


def test_read_boxes_may_take_a_missing_file_for_no_box(tmp_path):
    (tmp_path / "1.xml").write_text(_annotation(_object("Cleveland", (0, 0, 9, 9))), encoding="utf-8")
    gold = read_boxes(tmp_path, [_post("2.jpg", where="test.txt:9"), _post()], unlisted="no-box")
    assert gold.posts == (((), ()), ((), ((0, 0, 9, 9),)))
    assert gold.notes() == [f"1 {UNLISTED}; the first: test.txt:9 (2.jpg)"]


def test_read_boxes_refuses_boxes_of_other_posts(written):
    with pytest.raises(DataError, match=r"no boxes for the picture of post .*, nor any other post's"):
        read_boxes(written(), [_post("7.jpg")], unlisted="no-box")


def test_read_boxes_knows_a_picture_by_the_last_part_of_its_name(written):
    source = written(("Kevin Love", (1, 2, 30, 40)))
    assert read_boxes(source, [_post("photos/1.jpg")]).posts[0][0] == ((1, 2, 30, 40),)


def test_read_boxes_reads_escaped_names_and_keeps_the_edges_of_no_size(tmp_path):
    post = Post("Hansel & Gretel", spans=(Span(0, 3, "MISC"),), image="1.png")
    text = _annotation(_object("Hansel &amp; Gretel", (-1, 0, 9000, 9)), size="")
    (tmp_path / "1.xml").write_text(text, encoding="utf-8")
    gold = read_boxes(tmp_path, [post])
    assert gold.posts == ((((0, 0, 9000, 9),),),)
    assert gold.faults == {OUTSIDE: 1}


def test_read_boxes_gives_an_object_without_a_box_none_of_another(tmp_path):
    text = _annotation(_object("Kevin Love", (0, 0, 9, 9)), "\n<object><name>Cleveland</name></object>")
    (tmp_path / "1.xml").write_text(text, encoding="utf-8")
    gold = read_boxes(tmp_path, [_post()])
    assert gold.posts == ((((0, 0, 9, 9),), (UNREACHABLE,)),)
    assert gold.first[NO_NUMBERS] == f"{tmp_path / '1.xml'}:7"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<annotation><object>", r"1\.xml:1: not XML: no element found"),
        ("<annotation>\n<object></annotation>", r"1\.xml:2: not XML: mismatched tag"),
        ("", r"1\.xml:1: not XML"),
        ("<html>no</html>", r"1\.xml:1: expected <annotation> of Pascal VOC, found <html>"),
        (
            '<?xml version="1.0"?>\n<!DOCTYPE annotation [<!ENTITY a "b">]>\n<annotation>&a;</annotation>',
            r"1\.xml:2: declares a document type",
        ),
        ('<!DOCTYPE annotation SYSTEM "file:///etc/passwd">\n<annotation/>', r"1\.xml:1: declares a document type"),
        ("<annotation>" + " " * LARGEST, r"1\.xml: over 1,048,576 bytes"),
    ],
)
def test_read_boxes_refuses_damaged_xml(tmp_path, content, message):
    (tmp_path / "1.xml").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_boxes(tmp_path, [_post()])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[]", "expected {"),
        ('{"image": "2.jpg"}', "expected {"),
        ('{"image": 2, "boxes": []}', "expected {"),
        ('{"image": "2.jpg", "boxes": [[0, 0, 9, 9]]}', '"boxes": expected {"name"'),
        ('{"image": "1.jpg", "boxes": []}', r'a second line for "1\.jpg"; the first is .*boxes\.jsonl:1'),
    ],
)
def test_read_boxes_refuses_damaged_lines(tmp_path, line, message):
    path = tmp_path / "boxes.jsonl"
    path.write_text(f'{{"image": "1.jpg", "boxes": []}}\n\n{line}\n', encoding="utf-8")
    with pytest.raises(DataError, match=rf"boxes\.jsonl:3: {message}"):
        read_boxes(path, [_post()])


def test_read_boxes_refuses_what_is_no_source(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: no such file\. Name a file of JSON lines"):
        read_boxes(tmp_path / "nowhere", [_post()])
    with pytest.raises(DataError, match=r"holds no XML files\. Expected one for each picture"):
        read_boxes(tmp_path, [_post()])
    (tmp_path / "1.xml").mkdir()
    with pytest.raises(DataError, match=r"1\.xml: cannot be read"):
        read_boxes(tmp_path, [_post()])


def test_picture_whose_name_holds_a_dot_has_its_own_file(tmp_path):
    for name, side in (("v1", 9), ("v1.2", 90)):
        (tmp_path / f"{name}.xml").write_text(_annotation(_object("Kevin Love", (0, 0, side, side))), encoding="utf-8")
    for image, side in (("v1.2", 90), ("a/v1.2.jpg", 90), ("v1.PNG", 9)):
        gold = read_boxes(tmp_path, [replace(_post(), image=image)])
        assert gold.posts[0][0] == ((0, 0, side, side),), image
