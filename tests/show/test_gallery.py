"""The gallery in a browser: stepping, filtering, addresses; and that nothing of what posts say becomes markup."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mner.evidence import Evidence, Explanation
from mner.show import gallery
from mner.show.gallery import write_gallery
from mner.types import Entity, Prediction
from tests.browser import Opened

Browse = Callable[..., Opened]
HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)><!--<script>'\"&amp;\u202e\x1b[31m\u2028{{ 7*7 }}"
)


def simple(number: int, words: str = "all quiet", *, gold: bool = True) -> Explanation:
    """A post with one entity, right."""
    text = f"Paris is {words}"
    entity = Entity(0, 5, "Paris", "LOC", 0.9)
    return Explanation(
        Prediction(str(number), text, (entity,)),
        (Evidence(entity, "no picture", 0.9),),
        gold=(replace(entity, score=1.0),) if gold else None,
    )


@pytest.fixture
def posts(explained: Explanation, fallen: Explanation) -> list[Explanation]:
    """Three with gold entities: two entities with a label wrong and one missed; one spurious; one right."""
    gold = (
        Entity(0, 4, "Love", "PER", 1.0),
        Entity(8, 12, "back", "LOC", 1.0),
        Entity(16, 25, "Cleveland", "ORG", 1.0),
    )
    return [replace(explained, gold=gold), replace(fallen, gold=()), simple(44)]


@pytest.fixture
def opened(browse: Browse, posts: list[Explanation], tmp_path: Path) -> Opened:
    """The gallery of these posts."""
    return browse(write_gallery(posts, tmp_path / "gallery.html", title="dev"))


def name(opened: Opened) -> str:
    """The post that is shown."""
    shown = opened.page.inner_text("#post h1")
    assert opened.page.inner_text("[role=option][aria-selected=true] .id") == shown
    return shown


def listed(opened: Opened) -> list[str]:
    return opened.page.locator("[role=option] .id").all_inner_texts()


def test_arrow_keys_step_through_posts_and_entities(opened: Opened) -> None:
    press = opened.page.keyboard.press
    assert name(opened) == "42"
    assert opened.page.inner_text("#at") == "1 of 3"
    press("ArrowDown")
    assert name(opened) == "43"
    press("ArrowUp")
    press("ArrowUp")
    assert name(opened) == "42"
    seen = []
    for _ in range(5):
        press("ArrowRight")
        seen.append((name(opened), opened.page.inner_text("tr.current .entity")))
    assert seen == [("42", "Love"), ("42", "back"), ("42", "Cleveland"), ("43", "Love"), ("44", "Paris")]
    assert opened.page.inner_text("mark.current").startswith("Paris")
    press("ArrowRight")
    assert name(opened) == "44", "the last entity of all"
    press("ArrowLeft")
    press("ArrowLeft")
    assert (name(opened), opened.page.inner_text("tr.current .entity")) == ("42", "Cleveland")
    press("End")
    assert name(opened) == "44"
    press("Home")
    assert name(opened) == "42"
    opened.page.click("#after")
    assert name(opened) == "43"
    assert opened.page.locator(".keys").first.is_visible()


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        ({"label": "PER (2)"}, ["42", "43"]),
        ({"outcome": "any error"}, ["42", "43"]),
        ({"outcome": "missed (1)"}, ["42"]),
        ({"outcome": "wrong type (1)"}, ["42"]),
        ({"outcome": "spurious (1)"}, ["43"]),
        ({"did": "picture: changed its label (1)"}, ["42"]),
        ({"did": "picture: lost it (1)"}, ["42"]),
        ({"did": "picture: was not used (2)"}, ["43", "44"]),
        ({"label": "PER (2)", "outcome": "wrong type (1)"}, []),
        ({"label": "LOC (3)", "did": "picture: changed its label (1)"}, ["42"]),
    ],
)
def test_filters_leave_posts_with_an_entity_that_fits_all_of_them(
    opened: Opened, chosen: dict[str, str], left: list[str]
) -> None:
    for which, option in chosen.items():
        opened.page.select_option(f"#{which}", label=option)
    assert listed(opened) == left
    assert opened.page.inner_text("#count") == f"{len(left)} of 3 posts"
    if not left:
        opened.page.click("text=Clear them")
    else:
        opened.page.keyboard.press("Escape")
    assert listed(opened) == ["42", "43", "44"]
    assert opened.page.inner_text("#count") == "3 posts"


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("cleveland", ["42", "43"]),
        ("  DOG city ", ["42"]),
        ("stray", ["42"]),
        ("4.jpg", ["43"]),
        ("44", ["44"]),
        ("quiet", ["44"]),
        ("dog quiet", []),
    ],
)
def test_words_are_searched_in_posts_and_in_what_was_read(opened: Opened, words: str, left: list[str]) -> None:
    opened.page.keyboard.press("/")
    opened.page.keyboard.type(words)
    assert listed(opened) == left


@pytest.mark.parametrize("leave", ["Escape", "Enter", "ArrowDown"])
def test_search_is_left_to_step_through_what_it_found(opened: Opened, leave: str) -> None:
    press = opened.page.keyboard.press
    press("/")
    opened.page.keyboard.type("cleveland")
    press("Home")
    assert opened.page.evaluate("document.activeElement.id") == "find", "keys of a text field stay with it"
    press(leave)
    assert opened.page.evaluate("document.activeElement.id") == "list"
    assert listed(opened) == ["42", "43"]
    press("ArrowDown")
    assert name(opened) == "43"
    press("Escape")
    assert listed(opened) == ["42", "43", "44"]
    assert opened.page.input_value("#find") == ""


def test_gallery_without_gold_offers_no_errors(browse: Browse, tmp_path: Path) -> None:
    opened = browse(write_gallery([simple(n, gold=False) for n in range(3)], tmp_path / "g.html"))
    assert opened.page.locator("#outcome").count() == 0
    opened.page.select_option("#label", label="LOC (3)")
    assert listed(opened) == ["0", "1", "2"]


def test_address_names_a_post(browse: Browse, posts: list[Explanation], tmp_path: Path) -> None:
    odd = replace(posts[1], prediction=replace(posts[1].prediction, id="a/b %é#"))
    path = write_gallery([posts[0], odd, odd, posts[2]], tmp_path / "g.html")
    opened = browse(path)
    opened.page.keyboard.press("ArrowDown")
    opened.page.wait_for_url("**/g.html#a*")
    address = opened.page.evaluate("location.href")
    assert name(browse(address)) == "a/b %é#"
    again = browse(f"{path.as_uri()}#a%2Fb%20%25%C3%A9%23%20(2)")
    assert again.page.inner_text("#at") == "3 of 4"
    again.page.select_option("#outcome", label="spurious (2)")
    again.page.evaluate("location.hash = '#42'")
    again.page.wait_for_selector("#post h1:text-is('42')")
    assert again.page.inner_text("#count") == "4 posts", "a filter that hides it is cleared"
    for wrong in ("#nobody", "#%E0%A4%A", "#"):
        assert name(browse(path.as_uri() + wrong)) == "42"


def test_only_the_rows_in_sight_are_drawn(browse: Browse, tmp_path: Path) -> None:
    opened = browse(write_gallery((simple(n, f"number {n}") for n in range(1200)), tmp_path / "g.html"))
    assert opened.page.inner_text("#count") == "1,200 posts"
    assert len(listed(opened)) < 30
    opened.page.keyboard.press("End")
    assert name(opened) == "1199"
    opened.page.evaluate("document.getElementById('list').scrollTop = 600 * 84")
    opened.page.click("text=Paris LOC is number 605 >> nth=0")
    assert name(opened) == "605"
    assert opened.page.inner_text("#at") == "606 of 1200"
    row = opened.page.locator("[aria-selected=true]")
    assert (row.get_attribute("aria-posinset"), row.get_attribute("aria-setsize")) == ("606", "1200")
    opened.page.fill("#find", "number 119")
    assert opened.page.inner_text("#count") == "12 of 1,200 posts"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious(
    browse: Browse, posts: list[Explanation], tmp_path: Path, width: int, dark: bool
) -> None:
    opened = browse(write_gallery(posts, tmp_path / "g.html", title="dev"), width=width, dark=dark)
    opened.page.keyboard.press("ArrowRight")
    assert opened.findings() == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width, "nothing is wider than the page"
    opened.page.fill("#find", "nothing has these words")
    assert "No post fits" in opened.page.inner_text("#post")
    assert opened.findings() == []


def test_phone_shows_the_post_that_was_tapped(browse: Browse, posts: list[Explanation], tmp_path: Path) -> None:
    opened = browse(write_gallery(posts[::-1], tmp_path / "g.html"), width=390)
    opened.page.tap("[role=option] >> nth=2")
    assert name(opened) == "42"
    assert opened.page.locator("#post h1").evaluate("(heading) => heading.getBoundingClientRect().top") < 200


def test_hostile_text_is_shown_and_runs_nothing(
    browse: Browse, evil: Callable[..., Explanation], picture: Image.Image, tmp_path: Path
) -> None:
    hostile = replace(evil(HOSTILE, picture), gold=(Entity(0, 4, HOSTILE, HOSTILE, 1.0),))
    path = write_gallery([hostile, hostile], tmp_path / "g.html", title=HOSTILE)
    source = path.read_text(encoding="utf-8")
    assert len(re.findall("<script", source)) == len(re.findall("</script>", source)) == 4, (
        "three of data, one that runs"
    )
    opened = browse(path)
    dialogs: list[Any] = []
    opened.page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    opened.page.keyboard.press("ArrowDown")
    opened.page.keyboard.press("ArrowRight")
    safe = HOSTILE.replace("\x1b", "\ufffd").replace("\u202e", "\ufffd")
    for place in ("#post h1", ".title", "tr.current .entity", "#post .chips bdi >> nth=0"):
        assert safe in opened.page.locator(place).first.text_content(), place
    assert opened.page.locator("#label option").nth(1).text_content() == f"{safe} (2)"
    assert opened.page.locator("#post img").count() == 1
    assert opened.page.locator("#post [onerror], #list [onerror], #post script").count() == 0
    assert dialogs == []


def test_page_itself_runs_only_its_own_script(browse: Browse, posts: list[Explanation], tmp_path: Path) -> None:
    opened = browse(write_gallery(posts, tmp_path / "g.html"))
    opened.page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "document.title = 'changed'";
        document.body.append(script);
    }""")
    assert opened.page.title() == "mner · mner"
    assert "Content Security Policy" in opened.errors.pop()


def test_pictures_are_small_and_stop_at_a_limit_that_is_said(
    browse: Browse, explained: Explanation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = browse(write_gallery([explained] * 4, tmp_path / "g.html"))
    image = opened.page.locator("#post img")
    assert image.evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [256, 128]
    assert "left out" not in opened.page.content()
    size = len(opened.page.locator("#post img").get_attribute("src") or "")
    monkeypatch.setattr(gallery, "PICTURES", 2 * size)
    opened = browse(write_gallery([explained] * 4, tmp_path / "g.html"))
    assert "those of 2 posts were left out" in opened.page.inner_text(".posts-pane")
    assert opened.page.locator("[role=option] img").count() == 2


def test_one_post_is_a_page_without_a_script(explained: Explanation, tmp_path: Path) -> None:
    source = write_gallery([explained], tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in source
    assert "a dog in the city" in source


def test_no_posts_are_said(browse: Browse, tmp_path: Path) -> None:
    opened = browse(write_gallery([], tmp_path / "g.html"))
    assert opened.page.inner_text("#count") == "0 posts"
    for key in ("ArrowDown", "ArrowRight", "End", "Escape"):
        opened.page.keyboard.press(key)


def test_posts_are_written_as_they_come(explained: Explanation, tmp_path: Path) -> None:
    def coming() -> Iterator[Explanation]:
        yield from [explained] * 40
        (part,) = tmp_path.iterdir()
        assert part.stat().st_size > 40_000, "the first ones are on the disk"
        yield explained
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_gallery(coming(), tmp_path / "g.html")
    assert list(tmp_path.iterdir()) == []


def test_posts_are_kept_as_json(posts: list[Explanation], tmp_path: Path) -> None:
    source = write_gallery(posts, tmp_path / "g.html").read_text(encoding="utf-8")
    rows = [json.loads(shown) for shown in re.findall(r'json" id="p\d+">(.*)</script>', source)]
    assert [set(post) for post in rows] == [{"row", "post", "pictures"}] * 3
    assert not re.search(r"https?:|src=\"(?!data:)|url\(|@import|<link", source)


def test_gallery_keeps_every_picture_of_a_post(explained: Explanation, several: Explanation, tmp_path: Path) -> None:
    source = write_gallery([explained, several], tmp_path / "g.html").read_text(encoding="utf-8")
    rows = [json.loads(shown) for shown in re.findall(r'json" id="p\d+">(.*)</script>', source)]
    assert [len(post["pictures"]) for post in rows] == [1, 2]
    assert [post["post"].count("<img") for post in rows] == [1, 2]
    assert [post["row"].count("<img") for post in rows] == [1, 1]
    index = json.loads(re.findall(r'id="index">(.*)</script>', source)[0])
    assert all(name in index[1]["find"] for name in ("3.jpg", "5.jpg", "a bus at night"))


def test_each_post_has_an_address_of_its_own() -> None:
    index = gallery.Index()
    for name in ("a", "a", "a (2)", "b (2)", "b", "b", "c\x07", "c\x08"):
        index.add(simple(1), name)
    keys = [post["key"] for post in index.posts]
    assert keys == ["a", "a (2)", "a (2) (2)", "b (2)", "b", "b (3)", "c\ufffd", "c\ufffd (2)"]
