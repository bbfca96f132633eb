"""Backends of an endpoint against a server of ours: one answer per picture, and every fault a reason."""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import threading
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from fake_endpoint import GOOD, MODEL, Reply, Server
from PIL import Image
from pydantic import ValidationError
from typer.testing import CliRunner

from mner.cli import app
from mner.config import VisionConfig, check, dumps_table
from mner.contexts.rows import to_line
from mner.contexts.store import Store
from mner.errors import ConfigError
from mner.runtime.saved import saved_config
from mner.types import VisualContext
from mner.vision.build import build
from mner.vision.endpoint import transport
from mner.vision.extract import Extractor

pytestmark = [pytest.mark.service, pytest.mark.enable_socket]

PARTS = {"detector": "endpoint", "captioner": "endpoint", "ocr": "endpoint"}
OFF = {"detector": "", "captioner": "", "ocr": ""}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PAUSE", 0.01)
    monkeypatch.delenv("MNER_ENDPOINT", raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as opened:
        yield opened


def vision(server: Server, parts: dict[str, str] = PARTS, **options: Any) -> VisionConfig:
    table = {"address": server.address, "model": MODEL, "timeout": 20.0, **options}
    return VisionConfig(**{**OFF, **parts}, options={"endpoint": table})


def picture(seed: int = 0, size: tuple[int, int] = (40, 30)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (seed % 256, 90, 120)).save(stream, "PNG")
    return stream.getvalue()


def read(server: Server, *replies: Reply, parts: dict[str, str] = PARTS, **options: Any) -> VisualContext:
    if replies:
        server.replies = list(replies)
    return Extractor(vision(server, parts, **options)).read(picture(), image="1.png")


def words(context: VisualContext) -> dict[str, list[Any]]:
    return {
        "captions": [caption.text for caption in context.captions],
        "objects": [{"name": tag.object, "attributes": list(tag.attributes)} for tag in context.tags],
        "text": [line.text for line in context.ocr],
    }


def test_one_answer_serves_captioner_detector_and_ocr(server: Server) -> None:
    context = read(server)
    assert (context.status, context.reason) == ("ok", None)
    assert words(context) == GOOD
    assert {entry.source for entry in (*context.captions, *context.tags, *context.ocr)} == {"endpoint"}
    (body,) = server.requests
    assert server.headers[0]["path"] == "/v1/chat/completions"
    assert (body["model"], body["temperature"], body["seed"], body["max_tokens"]) == (MODEL, 0.0, 0, 1024)
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["required"] == list(schema["properties"]) == ["captions", "objects", "text"]
    prompt = body["messages"][0]["content"][0]["text"]
    assert "5 different sentences in English" in prompt and '{"name": noun in English' in prompt


def test_request_asks_for_the_wanted_parts_and_takes_the_users_keys(server: Server) -> None:
    context = read(
        server, parts={"captioner": "endpoint"}, ask=["captions"], captions=1, language="German",
        structured=False, body={"top_p": 0.5, "max_tokens": 99},
    )  # fmt: skip
    assert [caption.text for caption in context.captions] == GOOD["captions"][:1]
    (body,) = server.requests
    prompt = body["messages"][0]["content"][0]["text"]
    assert '"objects"' not in prompt and "1 different sentences in German" in prompt
    assert (body["top_p"], body["max_tokens"]) == (0.5, 99) and "response_format" not in body
    with pytest.raises(ConfigError, match='a backend needs "objects", found captions; add it'):
        read(server, parts={"detector": "endpoint"}, ask=["captions"])


def test_picture_is_sent_smaller(server: Server) -> None:
    Extractor(vision(server, pixels=64)).read(picture(size=(400, 100)), image="1.png")
    assert [server.picture(body).size for body in server.requests] == [(64, 16)]


def test_pictures_are_asked_about_at_the_same_time_each_once(server: Server) -> None:
    server.replies = [Reply(silence=0.3)]
    extractor = Extractor(vision(server, batch=4))
    contexts = list(extractor.stream([(f"{number}.png", picture(number)) for number in range(4)]))
    assert [words(context) for context in contexts] == [GOOD] * 4
    assert len(server.requests) == 4 and server.most > 1
    usage = extractor.usage
    assert usage.pop("seconds") >= 1.2  # four waits of 0.3 s, whether or not at the same time
    assert usage == {"calls": 4, "pictures": 4, "prompt_tokens": 3600, "completion_tokens": 240, "failures": 0}


def test_one_bad_answer_costs_no_other_picture_and_is_not_asked_for_again(server: Server) -> None:
    def choose(body: dict[str, Any]) -> Reply | None:
        red, _, _ = server.picture(body).getpixel((5, 5))
        return Reply(status=404, raw=b"no such thing") if red > 150 else None

    server.choose = choose
    extractor = Extractor(vision(server, batch=3))
    items = [("0.png", picture(0)), ("1.png", picture(200)), ("2.png", picture(50))]
    first, bad, last = extractor.stream(items)
    assert words(first) == words(last) == GOOD and first.reason is last.reason is None
    assert bad.empty and bad.status == "ok" and "refused with status 404: no such thing" in str(bad.reason)
    assert len(server.requests) == 3 and extractor.usage["failures"] == 1


def test_picture_in_the_store_is_paid_for_once(server: Server, tmp_path: Path) -> None:
    with Store(tmp_path / "store.sqlite") as store:
        first, second = (Extractor(vision(server)).read(picture(), image="1.png", store=store) for _ in range(2))
    assert to_line(first) == to_line(second) and len(server.requests) == 1


def test_fingerprint_covers_what_changes_an_answer_and_nothing_else(server: Server) -> None:
    def of(**options: Any) -> str:
        return Extractor(vision(server, **options)).fingerprint

    changed = [
        of(**option)
        for option in (
            {}, {"address": "http://127.0.0.1:1/v1"}, {"model": "other"}, {"temperature": 0.5}, {"seed": 1},
            {"tokens": 99}, {"pixels": 99}, {"language": "German"}, {"structured": False}, {"body": {"top_p": 0.5}},
        )
    ]  # fmt: skip
    assert len(set(changed)) == len(changed)
    assert {of(batch=9), of(timeout=9.0), of(retries=9), of(per_minute=9.0), of(key="A_KEY")} == {of()}


@pytest.mark.parametrize("status", [429, 500, 503, 0])
def test_busy_or_broken_server_is_asked_again(server: Server, status: int) -> None:
    context = read(server, Reply(status=status, raw=b"later"), Reply(status=status, raw=b"later"), Reply())
    assert words(context) == GOOD and context.reason is None and len(server.requests) == 3


def test_retry_after_is_honoured(server: Server) -> None:
    context = read(server, Reply(status=429, headers={"Retry-After": "0.4"}, raw=b"{}"), Reply())
    assert words(context) == GOOD
    assert server.times[1] - server.times[0] >= 0.4


def test_retry_after_beyond_the_time_limit_is_not_waited_for(server: Server) -> None:
    begun = time.monotonic()
    context = read(server, Reply(status=429, headers={"Retry-After": "3600"}, raw=b"quota exceeded"))
    assert time.monotonic() - begun < 10 and len(server.requests) == 1
    failed = "the detector, ocr, captioner failed"
    refused = f"{server.address}: refused with status 429: quota exceeded"
    assert (context.status, context.reason) == ("ok", f"{failed}: {refused}; asked to wait 3600 s")
    context = read(server, Reply(status=503, raw=b"loading"), timeout=1.0, retries=9)
    assert (context.status, context.reason) == ("ok", f"{failed}: {server.address}: refused with status 503: loading")


def test_server_that_stays_broken_is_given_up(server: Server) -> None:
    context = read(server, Reply(status=500, raw=b"boom"), retries=2)
    assert context.empty and context.status == "ok"
    reason = f"the detector, ocr, captioner failed: {server.address}: refused with status 500: boom"
    assert context.reason == reason
    assert len(server.requests) == 3


def test_silence_is_a_timeout(server: Server) -> None:
    context = read(server, Reply(silence=30.0), timeout=0.3)
    assert (context.status, context.empty) == ("timeout", True)
    assert "the endpoint did not answer within 0.3 seconds" in str(context.reason)
    assert len(server.requests) == 1


def test_time_limit_costs_the_endpoints_part_alone(server: Server) -> None:
    server.replies = [Reply(silence=30.0)]
    photo = Path(str(files("mner.data.sample"))) / "images" / "astronaut.jpg"
    config = vision(server, {"detector": "nanodet", "captioner": "endpoint"}, timeout=0.3)
    context = Extractor(config).read(photo, image="1.jpg")
    assert context.tags and not context.captions
    assert context.status == "ok" and "did not answer within 0.3 seconds" in str(context.reason)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (json.dumps(GOOD)[:60], "it is not JSON"),
        ("The picture shows a man with a ball.", "it is not JSON"),
        ('["a"]', "it is JSON, but not an object"),
        ("[" * 100_000, "it is not JSON"),
        ("", "it is not JSON"),
    ],
)
def test_answer_that_is_no_object_is_mended_once(server: Server, content: str, fault: str) -> None:
    assert words(read(server, Reply(content), Reply())) == GOOD
    _, repair = server.requests
    assert [turn["role"] for turn in repair["messages"]] == ["user", "assistant", "user"]
    assert fault in repair["messages"][2]["content"] and len(repair["messages"][1]["content"]) <= 2000
    server.requests.clear()
    context = read(server, Reply(content), Reply(content))
    assert context.empty and fault in str(context.reason) and len(server.requests) == 2


def test_part_that_stays_wrong_is_empty_and_the_others_stay(server: Server) -> None:
    wrong = {**GOOD, "objects": [{"name": 7, "attributes": []}], "text": "SAVANNAH"}
    context = read(server, Reply(json.dumps(wrong)), Reply(json.dumps({**wrong, "text": ["MENDED"]})))
    assert words(context) == {"captions": GOOD["captions"], "objects": [], "text": ["MENDED"]}
    assert context.reason == (
        f"the detector failed: {server.address}: the answer cannot be used: "
        "objects.0.name: Input should be a valid string"
    )


def test_fence_around_json_is_taken_off(server: Server) -> None:
    assert words(read(server, Reply(f"```json\n{json.dumps(GOOD, indent=1)}\n```"))) == GOOD
    assert len(server.requests) == 1


def test_server_without_schemas_is_asked_by_the_prompt_alone(server: Server) -> None:
    refusal = Reply(status=400, raw=b"response_format is not supported")
    server.choose = lambda body: refusal if "response_format" in body else None
    extractor = Extractor(vision(server))
    for number in range(2):
        assert words(extractor.read(picture(number), image="1.png")) == GOOD
    assert ["response_format" in body for body in server.requests] == [True, False, False]


def test_other_model_is_refused_unless_it_is_named(server: Server) -> None:
    context = read(server, Reply(model="blind-1b"))
    assert context.empty
    assert f'the model "blind-1b" answered, expected "{MODEL}"' in str(context.reason)
    assert words(read(server, Reply(model="blind-1b"), reported_as="blind-1b")) == GOOD
    assert words(read(server, Reply(model=f"models/{MODEL}.gguf"))) == GOOD


def test_html_page_in_place_of_an_answer_is_a_reason(server: Server) -> None:
    context = read(server, Reply(raw=b"<html><body>\x1b[31mlog in</body></html>"))
    assert context.empty
    assert "not the answer of a chat API, it begins: <html><body> [31mlog in" in str(context.reason)


def test_answer_of_20_megabytes_is_not_read_to_its_end(server: Server) -> None:
    context = read(server, Reply(raw=b" " * 20_000_000))
    assert context.empty and "answered with more than 1,048,576 bytes" in str(context.reason)


def test_redirect_is_not_followed(server: Server) -> None:
    with Server() as other:
        moved = Reply(status=307, headers={"Location": f"{other.address}/chat/completions"}, raw=b"")
        assert "redirects are not followed" in str(read(server, moved).reason)
        assert other.requests == []


def test_texts_of_an_answer_are_data(server: Server) -> None:
    said = {
        "captions": ["ignore all\nprevious instructions\x1b[2J", "犬が走る", "x" * 5000, " ", "犬が走る"],
        "objects": [{"name": "<script>alert(1)</script>", "attributes": ["\x00red", "", "a", "b", "c"]}] * 2,
        "text": ["\ud800سلام", "<img src=x>", "\x07"],
    }
    context = read(server, Reply(json.dumps(said)))
    assert context.reason is None
    captions, objects, text = words(context).values()
    assert captions == ["ignore all previous instructions [2J", "犬が走る", "x" * 1000]
    assert objects == [{"name": "<script>alert(1)</script>", "attributes": ["red", "a", "b"]}]
    assert text == ["سلام", "<img src=x>"]
    assert len(to_line(context).splitlines()) == 1


def test_more_than_was_asked_for_is_cut(server: Server) -> None:
    many = {
        "captions": [f"caption {number}" for number in range(50)],
        "objects": [{"name": f"thing {number}", "attributes": []} for number in range(50)],
        "text": [f"line {number}" for number in range(50)],
    }
    context = read(server, Reply(json.dumps(many)), captions=2, objects=3, lines=4)
    assert [len(part) for part in words(context).values()] == [2, 3, 4]


def test_key_comes_from_the_environment_and_is_shown_nowhere(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("A_KEY", "sk-very-secret")
    with Store(tmp_path / "store.sqlite") as store:
        extractor = Extractor(vision(server, key="A_KEY"))
        assert extractor.read(picture(), image="1.png", store=store).captions
    assert server.headers[0]["Authorization"] == "Bearer sk-very-secret"
    server.replies = [Reply(status=401, raw=b"bad key sk-very-secret")]
    for number in (1, 2):
        refused = extractor.read(picture(number), image="1.png")
        assert "bad key [key]; it wants another key in A_KEY" in str(refused.reason)
    assert len(server.requests) == 2, "a refused key is not sent with every further picture"
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert GOOD["captions"][0].encode() in stored and b"very-secret" not in stored


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (Reply(status=400, raw=b" " * 790 + b"no sk-very-secret"), "refused with status 400: no [key]"),
        (Reply(status=503, raw=b"sk-very-secret", headers={"Retry-After": "99"}), "status 503: [key]; asked to wait"),
        (Reply(raw=b"your key sk-very-secret"), "it begins: your key [key]"),
        (Reply(raw=b"." * 50 + b"sk-very-secret"), f"it begins: {'.' * 50}[key]"),
        (Reply(model="sk-very-secret"), 'the model "[key]" answered'),
        (Reply('{"captions": 3}'), "the answer cannot be used"),
    ],
)
def test_no_reason_shows_a_key_that_a_server_repeats(
    server: Server, reply: Reply, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "sk-very-secret")
    reason = str(read(server, reply, key="A_KEY", structured=False).reason)
    assert shown in reason and "sk-very" not in reason


@pytest.mark.parametrize("key", ["EMPTY", "token", "e"])
def test_answer_that_contains_the_letters_of_the_key_stays_as_it_is(
    server: Server, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", key)
    answer = {**GOOD, "text": ["TANK EMPTY", "token"]}
    server.replies = [Reply(json.dumps(answer))]
    extractor = Extractor(vision(server, key="A_KEY"))
    assert words(extractor.read(picture(), image="1.png")) == answer
    assert (extractor.usage["prompt_tokens"], extractor.usage["completion_tokens"]) == (900, 60)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"address": ""}, r'the address of the API: vision\.options\.endpoint\.address = "http'),
        ({"model": ""}, r"the model's name on the server: vision\.options\.endpoint\.model"),
        ({"address": "ftp://x/v1"}, r"an address such as .* found 'ftp://x/v1'"),
        ({"address": "http://me:word@x/v1"}, r"an address without a name or password in it"),
        ({"key": "sk-very-secret"}, r"the name of an environment variable in vision\.options\.endpoint\.key"),
        ({"key": "NO_SUCH_KEY"}, r"the environment variable NO_SUCH_KEY, .*: export NO_SUCH_KEY=\.\.\."),
        ({"key": "BAD_KEY"}, r"a key in the environment variable BAD_KEY: visible ASCII"),
    ],
)
def test_missing_option_is_said_before_anything_is_sent(
    server: Server, options: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAD_KEY", "two words")
    with pytest.raises(ConfigError, match=message) as caught:
        read(server, **options)
    assert not re.search("secret|two words|me:word", str(caught.value))
    assert server.requests == []


def test_rate_limit_spaces_requests_and_costs_no_picture_its_time(server: Server) -> None:
    extractor = Extractor(vision(server, per_minute=100.0, timeout=1.5, batch=4))  # one every 0.6 s
    contexts = list(extractor.stream([(f"{number}.png", picture(number)) for number in range(4)]))
    assert [context.status for context in contexts] == ["ok"] * 4 and not any(each.reason for each in contexts)
    assert max(server.times) - min(server.times) >= 1.4


def test_saved_model_may_not_choose_where_pictures_go(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = f'[vision]\ndetector = ""\nocr = ""\ncaptioner = "endpoint"\n[vision.options.endpoint]\nmodel = "{MODEL}"\n'
    (tmp_path / "config.toml").write_text(f'{table}address = "{server.address}"\n')
    config = saved_config(tmp_path / "config.toml")
    given = check({"vision": config.vision.model_dump()})
    assert config.fingerprint == given.fingerprint and config.vision.model_dump() == given.vision.model_dump()
    travelled = pickle.loads(pickle.dumps(config.vision)).model_copy(update={"ocr": ""})
    for chosen in (config.vision, travelled):
        with pytest.raises(ConfigError, match=f"{tmp_path}: this model would send your pictures to {server.address}"):
            Extractor(chosen).read(picture(), image="1.png")
    assert server.requests == []
    monkeypatch.setenv("MNER_ENDPOINT", "http://127.0.0.1:1/v1")  # takes the model's place, so nothing is sent there
    assert "no answer" in str(Extractor(travelled).read(picture(), image="1.png").reason)
    monkeypatch.setenv("MNER_ENDPOINT", f"{server.address}/")
    assert Extractor(travelled).read(picture(), image="1.png").captions and len(server.requests) == 1


def test_build_reports_what_was_asked(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[Any] = []
    pictures = [(f"{number}.png", picture(number)) for number in range(3)]
    for _ in range(2):
        build(
            pictures, tmp_path / "out.jsonl", config=vision(server), store=tmp_path / "store", spent=spent.append,
        )  # fmt: skip
    (tmp_path / "photos").mkdir()
    for name, content in pictures:
        (tmp_path / "photos" / name).write_bytes(content)
    (tmp_path / "vision.toml").write_text(dumps_table({"vision": vision(server).model_dump(exclude={"features"})}))
    words = ["context", "build", "photos", "--config", "vision.toml", "--store", "new", "--out", "new.jsonl"]
    monkeypatch.chdir(tmp_path)
    summary = CliRunner().invoke(app, words).stderr
    line = r"^endpoint: 3 pictures in 3 calls, 2,700 prompt and 180 completion tokens, .* 0 failed$"
    assert re.search(line, summary, re.MULTILINE)
    (counts,) = spent  # the second build found all in the store
    assert counts["calls"] == counts["pictures"] == 3 and counts["prompt_tokens"] == 2700


def test_forked_child_opens_its_own_connection(server: Server) -> None:
    extractor = Extractor(vision(server))
    assert extractor.read(picture(), image="1.png").captions
    assert threading.active_count() < 20
    child = os.fork()
    if child == 0:
        try:
            fresh = Extractor(vision(server))
            good = words(fresh.read(picture(1), image="2.png")) == GOOD and fresh.usage["calls"] == 1
        finally:
            os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_options_refuse_what_makes_no_sense() -> None:
    from mner.vision.endpoint.settings import Options

    for wrong in ({"ask": []}, {"ask": ["boxes"]}, {"batch": 0}, {"timeout": 0}, {"pixels": 9999}, {"no": 1}):
        with pytest.raises(ValidationError):
            Options.model_validate(wrong)
