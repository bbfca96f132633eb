"""The page in a browser, against a service with the packaged model: drop, type, edit, copy; and what goes wrong."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

import mner
from mner.serve import Settings, page
from mner.show.display import colour
from tests.browser import Opened
from tests.serve.conftest import PICTURES, Running, running

pytestmark = [pytest.mark.service, pytest.mark.enable_socket, pytest.mark.slow]

Browse = Callable[..., Opened]
POST = "Dallas was worth the wait"
SCOREBOARD, POSTER = PICTURES / "train-002.png", PICTURES / "train-088.png"
HOSTILE = (
    '<img src=x onerror=hit()> </p><script>hit()</script> \u202egnorw \x1b[31m it\'s `$(x)` \\n "q" & \xa0\U0001f525'
)


def show(opened: Opened, picture: Path = SCOREBOARD, text: str = POST) -> Page:
    """The page with a picture, and a post that was tagged with it."""
    opened.page.set_input_files("#file", picture)
    opened.page.fill("#text", text)
    expect(opened.page.locator("#views.both")).to_be_visible(timeout=30_000)
    return opened.page


def show_alone(shown: Page) -> Page:
    """The page, once a single picture is left and the post was tagged with it."""
    expect(shown.locator("#views.both mark").last).to_contain_text("ORG")
    expect(shown.locator("#work")).to_be_hidden()
    return shown


def marks(shown: Page, view: int) -> list[str]:
    return [re.sub(r"\s+", " ", each) for each in shown.locator(".view").nth(view).locator("mark").all_inner_texts()]


def test_files_are_given_under_a_policy_that_lets_nothing_else_run(service: Running) -> None:
    addresses = list(page.files())
    html = (page.FOLDER / "index.html").read_text(encoding="utf-8")
    scripts = "".join(path.read_text(encoding="utf-8") for path in page.FOLDER.glob("*.js"))
    wanted = set(re.findall(r'(?:src|href|data-sample)="(page/[^"]+)"', html))
    wanted |= {f"page/{name}" for name in re.findall(r'from "\./([^"]+)"', scripts)}
    assert {f"/{name}" for name in wanted} | {"/"} == set(addresses)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", scripts)
    assert not re.search(r"<script>|<style|\son\w+=|\sstyle=", html)
    for address in addresses:
        status, _, headers = service.ask(path=address)
        assert status == 200
        assert headers["content-type"].partition(";")[0] == page.TYPES[Path(address).suffix or ".html"]
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in policy
        assert headers["referrer-policy"] == "no-referrer"


def test_page_shows_what_the_picture_changes_and_lights_up_its_text(browse: Browse, service: Running) -> None:
    opened = browse(service.address)
    shown = show(opened)
    (alone,), (pictured,) = marks(shown, 0), marks(shown, 1)
    assert re.fullmatch(r"DallasLOC0\.\d\d", alone)
    assert re.fullmatch(r"DallasORG0\.\d\dwas LOC", pictured)
    assert shown.inner_text("#picture-status") == "The picture was read."
    assert shown.locator("rect.lit").count() == 0
    shown.focus("#evidence button")
    assert shown.locator("rect.lit title").all_text_contents() == ["DALLAS"]
    assert shown.locator("#entries li.lit input").input_value() == "DALLAS"
    assert "The picture changed its label: LOC → ORG." in shown.inner_text("#evidence")
    shown.focus("#text")
    assert shown.locator("rect.lit").count() == 0
    shown.hover(".view:nth-child(2) mark")
    assert shown.locator("rect.lit").count() == 1
    assert opened.findings() == []


def test_entity_lights_the_lines_that_its_region_joins(browse: Browse, service: Running) -> None:
    shown = show(browse(service.address))

    def joined(route: Any) -> None:
        row = route.fetch().json()
        (line,) = row["evidence"]
        line["regions"] = [{**line["regions"][0], "box": [0, 0, 500, 400], "text": "GO DALLAS", "match": "case"}]
        route.fulfill(json=row)

    shown.route("**/v1/entities", joined)
    shown.fill("#text", "Dallas was worth waiting")
    expect(shown.locator("#evidence")).to_contain_text("“GO DALLAS” (case, 1.00)".replace("“", "").replace("”", ""))
    shown.focus("#evidence button")
    assert shown.locator("rect.lit").count() == shown.locator("rect.joined").count() == 1
    assert shown.locator("#entries li.lit input").input_value() == "DALLAS"
    shown.focus("#text")
    assert shown.locator("rect.joined").count() == 0


def test_words_alone_are_tagged_as_they_are_typed(browse: Browse, service: Running) -> None:
    opened = browse(service.address)
    sent: list[str] = []
    opened.page.on(
        "request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None
    )
    opened.page.locator("#text").press_sequentially("Kevin Love is back in Cleveland", delay=20)
    expect(opened.page.locator("mark")).to_have_count(2)
    assert marks(opened.page, 0)[0].startswith("Kevin LovePER")
    assert json.loads(sent[-1])["text"] == "Kevin Love is back in Cleveland"
    assert len(sent) < 10
    opened.page.fill("#text", "")
    expect(opened.page.locator("mark")).to_have_count(0)


def test_labels_are_coloured_as_on_the_pages_of_explanations(browse: Browse, service: Running) -> None:
    labels = ["PER", "loc", "GPE", "product", "corporation", "creative-work", "Gruppe", "人名"]
    coloured = "labels => import('/page/elements.js').then(elements => labels.map(elements.colour))"
    assert browse(service.address).page.evaluate(coloured, labels) == [f"c{colour(label)}" for label in labels]


def test_late_answer_is_not_shown(browse: Browse, service: Running) -> None:
    opened = browse(service.address)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route) if route.request.post_data_json["text"] == "Paris" else route.continue_()

    opened.page.route("**/v1/entities", hold)
    opened.page.fill("#text", "Paris")
    opened.page.wait_for_timeout(400)
    opened.page.fill("#text", "Kevin Love")
    expect(opened.page.locator("mark")).to_have_count(1)
    held[0].continue_()
    opened.page.wait_for_timeout(400)
    assert marks(opened.page, 0)[0].startswith("Kevin Love")
    assert "Paris" not in opened.page.inner_text("#result")


def test_edits_of_what_was_read_change_the_entities(browse: Browse, service: Running) -> None:
    opened = browse(service.address)
    shown = show(opened)
    second = shown.locator(".view:nth-child(2) mark")
    whole = second.inner_text()
    shown.click("[aria-label='Remove the line VS RIVALS']")
    expect(second).not_to_have_text(whole, use_inner_text=True)
    assert shown.evaluate("document.activeElement.ariaLabel") == "Remove the line DALLAS"
    assert shown.locator("rect.box").count() == 2
    shown.click("[aria-label='Remove the line DALLAS']")
    shown.click("[aria-label='Remove the line PLAYOFFS']")
    expect(shown.locator("#views.both")).to_have_count(0)  # nothing is left of the picture
    shown.click("#restore")
    expect(second).to_have_text(whole, use_inner_text=True)
    assert not shown.is_visible("#restore")
    shown.fill("#caption", "a portrait of Dallas the singer")
    shown.press("#caption", "Enter")
    expect(second).not_to_have_text(whole, use_inner_text=True)
    before = second.inner_text()
    shown.fill("[aria-label='Change this caption']", "the logo of the company Dallas")
    expect(second).not_to_have_text(before)
    shown.check("text=JSON")
    assert json.loads(shown.inner_text("#snippet"))["context"]["captions"] == [
        {"text": "the logo of the company Dallas", "source": "template"}
    ]
    assert opened.findings() == []


def test_caption_stands_for_a_picture(browse: Browse, service: Running) -> None:
    shown = browse(service.address).page
    shown.fill("#text", POST)
    shown.fill("#caption", "the football club of Dallas")
    shown.press("#caption", "Enter")
    expect(shown.locator("#views.both mark")).to_have_count(2)


def test_picture_is_dropped_and_pasted(browse: Browse, service: Running) -> None:
    shown = browse(service.address).page
    shown.fill("#text", POST)
    event = """([kind, bytes]) => {
      const files = new DataTransfer();
      files.items.add(new File([new Uint8Array(bytes)], "a b;c.png", {type: "image/png"}));
      const target = document.querySelector("#drop");
      if (kind === "drop") target.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true}));
      else target.dispatchEvent(new ClipboardEvent("paste", {clipboardData: files, bubbles: true}));
    }"""
    for kind, path, label in (("drop", SCOREBOARD, "ORG"), ("paste", POSTER, "LOC")):
        shown.evaluate(event, [kind, list(path.read_bytes())])
        expect(shown.locator(".view:nth-child(2) mark")).to_contain_text(label, timeout=30_000)
        shown.check("text=curl")
        assert "image=@a_b_c.png" in shown.inner_text("#snippet")
        shown.click("#clear")
        expect(shown.locator(".view")).to_have_count(1)


def test_several_pictures_are_read_shown_and_removed_one_by_one(browse: Browse, service: Running) -> None:
    opened = browse(service.address)
    shown = opened.page
    shown.fill("#text", POST)
    damaged: Any = {"name": "bad.png", "mimeType": "image/png", "buffer": b"not a picture"}
    poster: Any = {"name": "poster.png", "mimeType": "image/png", "buffer": POSTER.read_bytes()}
    shown.set_input_files("#file", [poster, damaged])
    expect(shown.locator(".thumb")).to_have_count(2)
    shown.set_input_files("#file", SCOREBOARD)
    expect(shown.locator(".thumb")).to_have_count(3)
    expect(shown.locator("#picture-status")).to_have_text("Picture 3 of 3: The picture was read.", timeout=30_000)
    shown.click("[aria-label='Show picture 2, bad.png']")
    expect(shown.locator("#picture-status")).to_contain_text("Picture 2 of 3: This file cannot be read as a picture.")
    expect(shown.locator("#entries li")).to_have_count(0)
    expect(shown.locator("#evidence .which")).to_contain_text("without picture 1", timeout=30_000)
    expect(shown.locator("#work")).to_be_hidden()
    shown.click("#evidence button")  # the picture with its best region comes up
    expect(shown.locator(".thumb[aria-pressed=true]")).to_have_attribute(
        "aria-label", f"Show picture 3, {SCOREBOARD.name}"
    )
    expect(shown.locator("rect.lit")).to_have_count(1)
    expect(shown.locator(".thumbs li.lit")).to_have_count(2)
    shown.check("text=Python, mner.load")
    assert f'image=["poster.png", "bad.png", "{SCOREBOARD.name}"]' in shown.inner_text("#snippet")
    shown.check("text=curl")
    assert "-F 'images=@poster.png' -F 'images=@bad.png'" in shown.inner_text("#snippet")
    together = marks(shown, 1)
    assert opened.findings() == []
    shown.click("[aria-label='Remove picture 2, bad.png']")
    expect(shown.locator(".thumb")).to_have_count(2)
    expect(shown.locator("#work")).to_be_hidden()
    assert marks(shown, 1) == together, "what could not be read took no part"
    shown.click("[aria-label='Remove picture 1, poster.png']")
    expect(shown.locator(".thumb")).to_have_count(0)
    assert marks(show_alone(shown), 1) == marks(shown, 1)
    shown.click("#clear")
    expect(shown.locator(".view")).to_have_count(1)
    assert shown.is_visible("#drop")
    shown.set_input_files("#file", [damaged] * 17)
    expect(shown.locator("#picture-status")).to_contain_text("at most 16 pictures", timeout=30_000)
    expect(shown.locator(".thumb")).to_have_count(16)
    opened.errors.clear()  # Chromium writes down pictures that it cannot show


@pytest.mark.parametrize("dark", [False, True])
def test_phone_has_the_picture_above_and_nothing_out_of_sight(browse: Browse, service: Running, dark: bool) -> None:
    opened = browse(service.address, width=390, height=844, dark=dark)
    opened.page.tap("[data-sample='page/first.png']")
    expect(opened.page.locator("#views.both")).to_be_visible(timeout=30_000)
    opened.page.tap(".view:nth-child(2) mark")
    expect(opened.page.locator("rect.lit")).to_have_count(1)
    tops = [opened.page.locator(f"#{name}").bounding_box()["y"] for name in ("picture", "post", "result", "reading")]
    assert tops == sorted(tops)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 390
    assert opened.findings() == []


def test_page_works_by_keyboard(browse: Browse, service: Running) -> None:
    shown = show(browse(service.address))
    shown.focus("#text")
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.parentElement.dataset.span") == "0-6"
    outline = shown.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    shown.keyboard.press("Enter")
    assert shown.get_attribute("#evidence button", "aria-pressed") == "true"
    shown.focus("#caption")
    assert shown.locator("rect.lit").count() == 1  # it stays
    shown.keyboard.press("Escape")
    assert shown.locator("rect.lit").count() == 0


def test_hostile_text_is_shown_as_text(browse: Browse, service: Running) -> None:
    opened = browse(service.address)
    shown = opened.page
    answer = {
        "id": "", "text": HOSTILE, "view": "I+T", "image_status": "used", "reason": HOSTILE,
        "entities": [{"start": 0, "end": 25, "text": HOSTILE, "label": HOSTILE, "score": 0.5}],
        "context": {"image": HOSTILE, **{kind: [{"text": HOSTILE}] for kind in ("captions", "tags", "ocr", "texts")}},
    }  # fmt: skip
    answer["views"] = {"T": [{**answer["entities"][0], "label": "PER"}], "I+T": answer["entities"]}
    answer["evidence"] = [
        {**answer["entities"][0], "verdict": HOSTILE, "score_without_image": 0.1, "score_with_image": 0.5,
         "score_without": {HOSTILE: 0.2, "ocr": 0.1}, "ocr": [{"text": HOSTILE, "whole": True}],
         "regions": [{"box": [1, 1, 9, 9], "source": HOSTILE, "score": 0.5, "match": HOSTILE, "text": HOSTILE,
                      "picture": 0}]}
    ]  # fmt: skip
    shown.route("**/v1/entities", lambda route: route.fulfill(json=answer))
    shown.evaluate("window.hits = 0; window.hit = () => { hits += 1 }; 0")
    shown.set_input_files("#file", {"name": HOSTILE, "mimeType": "image/png", "buffer": SCOREBOARD.read_bytes()})
    shown.fill("#text", HOSTILE)
    expect(shown.locator("#views.both mark")).to_have_count(2)
    shown.wait_for_timeout(200)
    assert shown.evaluate("hits") == 0
    assert shown.locator("main script, main img").count() == 1  # the picture
    safe = HOSTILE.replace("\u202e", "\ufffd").replace("\x1b", "\ufffd")
    words = "".join(shown.locator(".view").first.locator(".said").all_text_contents())
    assert words == safe[:25] + "PER0.50" + safe[25:]
    assert "\x1b" not in shown.inner_text("body")
    assert "\u202e" not in shown.inner_text("body")
    assert json.loads(shown.inner_text("#snippet")) == answer


def test_copied_code_gives_what_the_page_shows(
    browse: Browse, service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PICTURES)
    opened = browse(service.address)
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown = show(opened, text=f"Kevin Love\n{HOSTILE}")

    def copied(kind: str) -> str:
        shown.check(f"text={kind}")
        shown.click("#copy")
        return str(shown.evaluate("navigator.clipboard.readText()"))

    def printed(code: str) -> list[list[str]]:
        with redirect_stdout(io.StringIO()) as stream:
            exec(compile(code, "snippet", "exec"), {})
        return [line.split()[-2:] for line in stream.getvalue().splitlines()]

    for edited in (False, True):
        if edited:
            shown.fill("#entries li >> nth=0 >> input", HOSTILE)
            shown.wait_for_timeout(600)
            expect(shown.locator("#work")).to_be_hidden()
        row = json.loads(copied("JSON"))
        wanted = [[entity["label"], entity["score"]] for entity in row["entities"]]
        assert row["text"] == f"Kevin Love\n{HOSTILE}"
        assert wanted
        codes = [copied(kind) for kind in ("Python client", "mner.load", "curl")]
        assert not any(char in code for code in codes for char in "\x1b\u202e")
        for code in codes[:2]:
            assert [[label, pytest.approx(float(score), abs=1e-4)] for label, score in printed(code)] == wanted
        answer = subprocess.run(["bash", "-c", codes[2]], capture_output=True, check=True, timeout=60).stdout
        again: dict[str, Any] = json.loads(answer)
        assert {**again, "context": None} == {**row, "context": None}  # its keys are ordered otherwise


def test_busy_service_is_asked_again_and_faults_are_readable(browse: Browse, service: Running) -> None:
    opened = browse(service.address)
    shown = opened.page
    busy = {"error": {"code": "busy", "message": "busy", "field": None}}
    answers = [
        {"status": 429, "headers": {"Retry-After": "1"}, "json": busy},
        {"status": 502, "body": "<h1>proxy</h1>"},
    ]

    def refuse(route: Route) -> None:
        route.fulfill(**answers.pop(0)) if answers else route.continue_()

    shown.route("**/v1/entities", refuse)
    shown.fill("#text", "Kevin Love")
    expect(shown.locator("#message")).to_have_text("The service is busy. Asking again in 1 s.")
    expect(shown.locator("#message")).to_contain_text("status 502")
    shown.click("#message button")
    expect(shown.locator("mark")).to_have_count(1)
    assert not shown.is_visible("#message")
    shown.fill("#text", "a " * 2001)
    expect(shown.locator("#message")).to_contain_text("the limit is 2,000")
    opened.errors.clear()  # Chromium writes down each such status


def test_picture_that_is_late_is_asked_for_again(browse: Browse, service: Running) -> None:
    shown = browse(service.address).page
    late = [{"id": "", "text": "", "entities": [], "view": "T", "image_status": "timeout", "reason": "late"}]

    def answer(route: Route) -> None:
        reads = route.request.post_data_json["text"] == ""
        route.fulfill(json=late.pop()) if reads and late else route.continue_()

    shown.route("**/v1/entities", answer)
    shown.fill("#text", POST)
    shown.set_input_files("#file", SCOREBOARD)
    expect(shown.locator("#picture-status")).to_contain_text("not read in time")
    expect(shown.locator("mark")).to_contain_text("LOC")
    expect(shown.locator("#views.both")).to_be_visible(timeout=30_000)


def test_file_that_is_no_picture_is_said_so(browse: Browse, service: Running) -> None:
    shown = browse(service.address).page
    shown.fill("#text", POST)
    shown.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": b"not a picture"})
    expect(shown.locator("#picture-status")).to_contain_text("This file cannot be read as a picture.", timeout=30_000)
    expect(shown.locator("mark")).to_have_count(1)


def test_model_of_words_alone_says_so(browse: Browse) -> None:
    with running(mner.load(threads=1, use_images=False), Settings()) as service:
        shown = browse(service.address).page
        shown.set_input_files("#file", SCOREBOARD)
        shown.fill("#text", POST)
        expect(shown.locator("#picture-status")).to_contain_text("This model reads words alone")
        expect(shown.locator(".view")).to_have_count(1)


def test_large_picture_is_made_smaller_and_a_key_is_asked_for(
    browse: Browse, serve: Callable[..., Running], tmp_path: Path
) -> None:
    locked = serve(key="k" * 20, max_bytes=300_000, picture_ms=60_000)
    Image.effect_noise((1200, 900), 80).save(tmp_path / "noise.png")
    assert (tmp_path / "noise.png").stat().st_size > 300_000
    opened = browse(locked.address)
    shown = opened.page
    for wrong in ("x" * 20, "“quoted”"):  # no header can hold the second one
        shown.fill("#key", wrong)
        shown.press("#key", "Enter")
        expect(shown.locator("#key-hint")).to_have_text("That was not the key.")
        expect(shown.locator("#message")).to_be_hidden()
    shown.fill("#key", " " + "k" * 20)
    shown.press("#key", "Enter")
    expect(shown.locator("#model")).to_contain_text("social-en")
    assert not shown.is_visible("#key-form")
    shown.fill("#text", POST)
    shown.set_input_files("#file", tmp_path / "noise.png")
    expect(shown.locator("#picture-status")).to_contain_text("Made smaller before it was sent", timeout=30_000)
    expect(shown.locator("#picture-status.busy")).to_have_count(0, timeout=30_000)
    expect(shown.locator("mark")).to_have_count(1)
    shown.check("text=Python client")
    assert "MNER_SERVE_KEY" in shown.inner_text("#snippet")
    assert "kkkk" not in shown.inner_text("body")
    opened.errors.clear()  # Chromium writes down each 401


@pytest.mark.parametrize(("kind", "smaller"), [("png", True), ("jpeg", False)])
def test_picture_that_is_no_jpeg_has_a_limit_of_its_own(
    browse: Browse, serve: Callable[..., Running], tmp_path: Path, kind: str, smaller: bool
) -> None:
    service = serve(picture_ms=60_000)
    service.service.model["limits"]["max_pixels_other"] = 90_000
    Image.effect_noise((400, 300), 80).save(tmp_path / f"noise.{kind}")
    shown = browse(service.address).page
    expect(shown.locator("#model")).to_contain_text("social-en")
    shown.set_input_files("#file", tmp_path / f"noise.{kind}")
    expect(shown.locator("#picture-status")).not_to_be_empty()
    expect(shown.locator("#picture-status.busy")).to_have_count(0, timeout=30_000)
    said = shown.inner_text("#picture-status")
    assert ("400 × 300 became 346 × 259 pixels" in said) is smaller
