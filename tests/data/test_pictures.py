"""A name in a file of posts finds its own picture, never another one, and never leaves the folder."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mner.data import read
from mner.data.listing import pictures
from mner.data.pictures import place_of
from mner.errors import DataError, ImageError
from mner.picture_files import Inline, Refused
from mner.vision.images import open_image

JPEG = b"\xff\xd8\xff\xe0"


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


@pytest.mark.parametrize(
    ("named", "there"),
    [
        ("photos\\ok.jpg", "photos/ok.jpg"),
        ("C:\\Users\\me\\ok.jpg", "ok.jpg"),
        ("/home/me/ok.jpg", "ok.jpg"),
        ("../ok.jpg", "ok.jpg"),
        ("ok.jpg", "ok.JPG"),
        ("ok.JPG", "ok.jpg"),
        ("ok.JPEG", "ok.jpg"),
        ("ok.jpg", "ok.jfif"),
        ("123", "123.jpg"),
        ("ok.v2", "ok.v2.png"),
        (unicodedata.normalize("NFC", "caf\u00e9/\u00fc.jpg"), unicodedata.normalize("NFD", "caf\u00e9/\u00fc.jpg")),
        (unicodedata.normalize("NFD", "caf\u00e9.jpg"), unicodedata.normalize("NFC", "caf\u00e9.jpg")),
        (unicodedata.normalize("NFD", "d\\caf\u00e9.png"), unicodedata.normalize("NFC", "d/caf\u00e9.JPG")),
    ],
)
def test_picture_is_found_under_other_spellings_of_its_name(named: str, there: str, tmp_path: Path) -> None:
    touch(tmp_path, there)
    assert place_of(tmp_path, named) == tmp_path / there


def test_name_with_another_ending_is_not_a_picture_with_another_suffix(tmp_path: Path) -> None:
    touch(tmp_path, "ok.jpg", "photo.2016-05-01.jpg")
    assert place_of(tmp_path, "ok.v2") == tmp_path / "ok.v2"
    assert place_of(tmp_path, "photo.2016-06-01") == tmp_path / "photo.2016-06-01"
    assert place_of(tmp_path, "ok.v2.jpg") == tmp_path / "ok.v2.jpg"


def test_exact_name_goes_first_and_several_that_fit_are_no_answer(tmp_path: Path) -> None:
    touch(tmp_path, "ok.jpg", "ok.png", "a.JPG", "a.png", "b.png", "b.gif", "folder/x")
    (tmp_path / "folder.jpg").write_bytes(JPEG)
    assert place_of(tmp_path, "ok.png") == tmp_path / "ok.png"
    assert place_of(tmp_path, "a.jpg") == tmp_path / "a.JPG"  # its own suffix before another one
    assert place_of(tmp_path, "folder") == tmp_path / "folder.jpg"
    several = place_of(tmp_path, "b.jpg")
    assert isinstance(several, Refused) and several.status == "missing" and "b.png, b.gif" in several.reason
    os.link(tmp_path / "b.png", tmp_path / "b.webp")
    (tmp_path / "b.gif").unlink()
    assert place_of(tmp_path, "b.jpg") == tmp_path / "b.png"  # two names of one file


def test_picture_of_another_folder_is_not_taken_where_the_folder_is_there(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg", "2.png", "red/3.jpg")
    for name in ("red/1.jpg", "red\\1.jpg", "red/2.jpg", str(tmp_path / "red" / "1.jpg")):
        place = place_of(tmp_path, name)
        assert isinstance(place, Path) and not place.exists()
    assert place_of(tmp_path, "blue/1.jpg") == tmp_path / "1.jpg"
    assert place_of(tmp_path, "red/3.png") == tmp_path / "red" / "3.jpg"
    assert place_of(tmp_path, f"{'a' * 300}/1.jpg") == tmp_path / "1.jpg"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A folder of pictures beside one that nobody should reach from it."""
    touch(tmp_path, "pics/1.jpg", "secret/s.jpg")
    (tmp_path / "pics" / "link.jpg").symlink_to(tmp_path / "secret" / "s.jpg")
    (tmp_path / "pics" / "inner.jpg").symlink_to("1.jpg")
    (tmp_path / "pics" / "there").symlink_to(tmp_path / "secret")
    return tmp_path / "pics"


@pytest.mark.parametrize(
    "name", ["../secret/s.jpg", "{}/secret/s.jpg", "link.jpg", "there/s.jpg", "x/../../secret/s", "..\\secret\\s.jpg"]
)
def test_name_that_leads_out_of_the_folder_is_refused_unless_allowed(name: str, secret: Path) -> None:
    name = name.format(secret.parent)
    place = place_of(secret, name)
    outside = secret.parent / "secret" / "s.jpg"
    if "\\" in name:  # a file may be called so here; that it is not read is what counts
        assert not isinstance(place, Path) or not place.exists()
    else:
        assert isinstance(place, Refused) and place.status == "skipped"
        assert "--allow-outside-images" in place.reason
        with pytest.raises(ImageError, match="lies outside"):
            open_image(place)
    allowed = place_of(secret, name, allow_outside=True)
    assert isinstance(allowed, Path) and (allowed.samefile(outside) if "x/.." not in name else True)


def test_link_inside_the_folder_is_followed(secret: Path) -> None:
    assert place_of(secret, "inner.jpg") == secret / "inner.jpg"


PARTS = st.sampled_from(
    ["..", ".", "pics", "secret", "s.jpg", "1.jpg", "link", "there", "link.jpg", "/", "\\", "", "a\0"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(PARTS, max_size=7), absolute=st.booleans(), back=st.booleans())
def test_no_name_reads_what_lies_outside(parts: list[str], absolute: bool, back: bool, secret: Path) -> None:
    name = ("\\" if back else "/").join([str(secret.parent)] * absolute + parts)
    place = place_of(secret, name)
    try:
        content = open_content(place)
    except (ImageError, OSError, ValueError):
        return
    assert content == b"pics/1.jpg"


def open_content(place: Path | Inline | Refused) -> bytes:
    return place.read_bytes() if isinstance(place, Path) else place.read()


def test_read_refuses_a_picture_outside_the_folder(secret: Path, tmp_path: Path) -> None:
    uri = "data:image/png;base64,AAAA"
    lines = [f'{{"id": "{n}", "text": "Hi", "image": "{image}"}}\n' for n, image in enumerate(["1.jpg", uri])]
    posts = tmp_path / "posts.jsonl"
    posts.write_text("".join(lines))
    assert [post.image for post in read(posts, images=secret)] == [str(secret / "1.jpg"), uri]
    posts.write_text('{"id": "1", "text": "Hi", "image": "../secret/s.jpg"}\n')
    with pytest.raises(DataError, match=r"posts\.jsonl:1: \.\./secret/s\.jpg lies outside the folder of the pictures"):
        list(read(posts, images=secret))


def test_folder_is_listed_by_suffix_and_else_by_content(tmp_path: Path) -> None:
    taken = {"1.jpg", "2.JFIF", "3.jpe", "4.heic", "5", "6.jpg_large", "deep/7"}
    for name in [*taken, "8.json", "9.txt"]:
        touch(tmp_path, name)
        (tmp_path / name).write_bytes(JPEG)
    touch(tmp_path, "README", "10.bin", ".hidden")
    os.mkfifo(tmp_path / "pipe")
    assert {name for name, _ in pictures(tmp_path)} == taken
    assert list(pictures(tmp_path / "5")) == [("5", tmp_path / "5")]


def test_posts_name_data_uris_by_their_digest_and_addresses_in_full(tmp_path: Path) -> None:
    lines = ["data:image/png;base64,AAAA", "https://example.org/a.jpg"]
    posts = tmp_path / "posts.jsonl"
    posts.write_text("".join(f'{{"id": "{n}", "text": "Hi", "image": "{image}"}}\n' for n, image in enumerate(lines)))
    (inline, first), (address, second) = pictures(posts)
    assert (inline, first) == ("data:image/png;sha256=709e80c88487", Inline(lines[0]))
    assert address == lines[1] and isinstance(second, Refused) and "not fetched" in second.reason
    with pytest.raises(DataError, match="addresses are not fetched"):
        pictures(Path("https://example.org/a.jpg"))


def test_posts_name_each_of_several_pictures_once(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    rows = [{"text": "Hi", "images": ["a", "none.png", "b.png"]}, {"text": "Ho", "images": ["b.png", "a"]}]
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    listed = pictures(tmp_path / "posts.jsonl")
    assert [name for name, _ in listed] == ["a", "none.png", "b.png"]
    first, second = read(tmp_path / "posts.jsonl", images=tmp_path)
    assert first.images == tuple(str(tmp_path / name) for name in ("a.png", "none.png", "b.png"))
    assert second.images == (first.images[2], first.images[0])
    (tmp_path / "out.jsonl").write_text(json.dumps({"text": "Hi", "images": ["a", "../../secret.png"]}) + "\n")
    with pytest.raises(DataError, match=r"secret\.png lies outside the folder"):
        list(read(tmp_path / "out.jsonl", images=tmp_path))
