"""The interface: posts in, rows out, each fault in one shape."""

from __future__ import annotations

import base64
import io
import json
import random
import time
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from mner.data import sample

PICTURES = Path(str(sample.__file__)).parent / "images"

pytestmark = [pytest.mark.service, pytest.mark.enable_socket]

POST = "five stars for Phoenix this time"


def form(*more: bytes, **fields: str | bytes) -> tuple[bytes, str]:
    """A multipart body and its media type; bytes are a file, ``more`` further pictures."""
    parts = b""
    for name, value in [*fields.items(), *(("images", content) for content in more)]:
        file = '; filename="a.png"\r\nContent-Type: image/png' if isinstance(value, bytes) else ""
        content = value if isinstance(value, bytes) else value.encode()
        parts += f'--x\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    return parts + b"--x--\r\n", "multipart/form-data; boundary=x"


def test_one_post_gives_the_row_that_predict_writes(service, tagger) -> None:
    status, row, _ = service.ask({"id": "7", "text": "Kevin Love is back in Cleveland"})
    assert status == 200
    assert row == tagger({"id": "7", "text": "Kevin Love is back in Cleveland"}).to_dict()
    assert [entity["text"] for entity in row["entities"]] == ["Kevin Love", "Cleveland"]


def test_words_and_many_posts_come_back_in_order(service, tagger) -> None:
    posts = [{"id": str(number), "words": ["Real", "Madrid", "won", str(number)]} for number in range(5)]
    status, answer, _ = service.ask({"posts": posts})
    assert status == 200
    assert answer["posts"] == [prediction.to_dict() for prediction in tagger.batch(posts)]


def test_picture_gives_both_views_the_context_and_the_evidence(service, ticket, tagger) -> None:
    body = {"text": POST, "image": base64.b64encode(ticket).decode(), "views": ["T", "I+T"], "explain": True}
    status, row, _ = service.ask(body)
    assert (status, row["image_status"], row["view"]) == (200, "used", "I+T")
    alone, beside = row["views"]["T"], row["views"]["I+T"]
    assert alone == [entity.to_dict() for entity in tagger(POST).entities]
    assert beside == row["entities"]
    assert alone != beside
    assert row["context"]["ocr"][-1]["text"] == "PHOENIX"
    assert len(row["context"]["ocr"][-1]["box"]) == 4
    (region,) = beside[0]["regions"]
    assert (region["box"], region["match"]) == (row["context"]["ocr"][-1]["box"], "case")
    assert "regions" not in alone[0]
    expected = tagger.explain(POST, image=ticket).to_dict()
    assert row["evidence"] == expected["evidence"]
    assert row["pieces"] == expected["context"]


def test_context_of_an_answer_can_be_edited_and_sent_back(service, ticket) -> None:
    _, row, _ = service.ask({"text": POST, "image": base64.b64encode(ticket).decode()})
    status, again, _ = service.ask({"text": POST, "context": row["context"], "views": ["I+T"]})
    assert (status, again["entities"], again["views"]["I+T"]) == (200, row["entities"], row["entities"])
    status, without, _ = service.ask({"text": POST, "context": {**row["context"], "ocr": []}})
    assert (status, without["image_status"], without["view"]) == (200, "empty", "T")


def test_views_without_a_picture_have_no_second_one(service) -> None:
    _, row, _ = service.ask({"text": POST, "views": ["T", "I+T"]})
    assert row["views"] == {"T": row["entities"], "I+T": None}


def test_form_with_a_file_says_the_same_as_json(service, ticket) -> None:
    body, kind = form(text=POST, image=ticket, views="T, I+T", min_score="0.1")
    status, row, _ = service.ask(body, Content_Type=kind)
    fields = {"text": POST, "image": base64.b64encode(ticket).decode(), "views": ["T", "I+T"], "min_score": 0.1}
    assert (status, row) == (200, service.ask(fields)[1])


def noisy(seed: int) -> bytes:
    pixels = random.Random(seed).randbytes(3 * 400 * 300)
    Image.frombytes("RGB", (400, 300), pixels).save(stream := io.BytesIO(), "PNG")
    return stream.getvalue()


def base64_of(*contents: bytes) -> list[str]:
    return [base64.b64encode(content).decode() for content in contents]


def test_several_pictures_are_read_each_by_itself(service, ticket, tagger) -> None:
    concert = (PICTURES / "dev-007.png").read_bytes()
    damaged = [b"", b"<html>404</html>", ticket[:100], bytes(1000)]
    images = [concert, *damaged, ticket]
    options = {"views": ["T", "I+T"], "explain": True}
    status, row, _ = service.ask({"text": POST, "images": base64_of(*images), **options})
    assert (status, row["image_status"], row["view"]) == (200, "used", "I+T")
    assert [picture["status"] for picture in row["pictures"]] == ["used", *["unreadable"] * 4, "used"]
    assert all(picture["reason"] for picture in row["pictures"][1:5])
    expected = tagger.explain(POST, image=images).to_dict()
    assert row["evidence"] == expected["evidence"]
    assert row["pieces"] == expected["context"]
    assert {piece.get("picture", 0) for piece in row["pieces"]} == {0, 5}
    assert len(row["evidence"][0]["score_without_picture"]) == 6
    assert row["views"]["T"] == [entity.to_dict() for entity in tagger(POST).entities]
    fault_alone = service.ask({"text": POST, "images": base64_of(*damaged)})[1]
    assert (fault_alone["view"], fault_alone["image_status"]) == ("T", "unreadable")
    again = service.ask({"text": POST, "context": row["context"], "explain": True})[1]
    assert again["entities"] == row["entities"]
    assert again["pieces"] == row["pieces"]


def test_a_list_of_one_picture_is_that_picture(service, ticket) -> None:
    alone = service.ask({"text": POST, "image": base64_of(ticket)[0]})[1]
    assert service.ask({"text": POST, "images": base64_of(ticket)})[1] == alone
    assert service.ask({"text": POST, "images": []})[1]["image_status"] == "none"


def test_form_with_several_files_says_the_same_as_json(service, ticket) -> None:
    concert = (PICTURES / "dev-007.png").read_bytes()
    body, kind = form(concert, b"no picture", text=POST, image=ticket)
    status, row, _ = service.ask(body, Content_Type=kind)
    assert (status, row) == (200, service.ask({"text": POST, "images": base64_of(ticket, concert, b"no picture")})[1])
    for (body, kind), code in (
        (form(*[b"x"] * 17, text=POST), "too_many_pictures"),
        (form(ticket, text=POST, images="QUJD"), "invalid_request"),
    ):
        status, fault, _ = service.ask(body, Content_Type=kind)
        assert (status, fault["error"]["code"]) == (422, code)


def test_time_of_a_request_is_that_of_all_its_pictures(service) -> None:
    noise = [noisy(seed) for seed in range(16)]
    begun = time.monotonic()
    status, row, _ = service.ask({"text": POST, "images": base64_of(*noise), "picture_ms": 50})
    assert status == 200
    assert time.monotonic() - begun < 10
    assert len(row["pictures"]) == 16
    late = [picture["status"] for picture in row["pictures"]].count("timeout")
    assert late >= 8
    assert (row["image_status"] == "used") == any(picture["status"] == "used" for picture in row["pictures"])


def test_posts_to_explain_that_are_more_words_than_may_wait_are_answered(serve) -> None:
    service = serve(waiting_words=100)
    posts = [{"id": str(number), "text": "Kevin Love is back in Cleveland"} for number in range(4)]
    status, answer, _ = service.ask({"explain": True, "posts": posts})
    assert status == 200
    assert [row["id"] for row in answer["posts"]] == ["0", "1", "2", "3"]
    assert all(row["evidence"] for row in answer["posts"])


def test_least_probability_is_kept_to(service) -> None:
    _, row, _ = service.ask({"text": POST, "min_score": 1.0})
    assert row["entities"] == []


def test_model_says_labels_and_limits(service, tagger) -> None:
    status, model, _ = service.ask(path="/v1/model")
    assert (status, model["labels"], model["views"]) == (200, list(tagger.labels), ["T", "I+T"])
    assert model["limits"]["max_words"] == 2000


def test_health_readiness_and_counters(service) -> None:
    service.ask({"text": "Kevin Love"})
    assert service.ask(path="/healthz")[:2] == (200, {"status": "ok"})
    assert service.ask(path="/readyz")[:2] == (200, {"status": "ready"})
    status, text, _ = service.ask(path="/metrics")
    assert status == 200
    assert b'mner_requests_total{route="/v1/entities",status="200"}' in text
    assert b"mner_pictures_read_total" in text


def test_document_has_examples_that_work_and_no_page_with_scripts_of_others(service) -> None:
    status, document, _ = service.ask(path="/openapi.json")
    content = document["paths"]["/v1/entities"]["post"]["requestBody"]["content"]["application/json"]
    assert status == 200
    for example in content["examples"].values():
        assert service.ask(example["value"])[0] == 200
    assert service.ask(path="/docs")[0] == 404
    assert service.ask(path="/redoc")[0] == 404


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"text": "a", "colour": 1}, 422, "invalid_request", "colour"),
        ({"posts": [{"text": "a"}, {"text": "b", "colour": 1}]}, 422, "invalid_request", "posts[1].colour"),
        ({"posts": []}, 422, "invalid_request", "posts"),
        ({}, 422, "invalid_request", None),
        ({"text": "a", "words": ["a"]}, 422, "invalid_request", None),
        ({"text": 1}, 422, "invalid_request", "text"),
        ({"text": "a", "explain": "yes"}, 422, "invalid_request", "explain"),
        ({"words": ["a", ""]}, 422, "invalid_request", "words[1]"),
        ({"text": "a", "views": ["I"]}, 422, "invalid_request", "views[0]"),
        ({"text": "a", "min_score": 2}, 422, "invalid_request", "min_score"),
        ({"text": "a", "picture_ms": 10**9}, 422, "invalid_request", "picture_ms"),
        ({"text": "a", "images": ["QUJD", "%%%"]}, 422, "invalid_image", "images[1]"),
        ({"text": "a", "images": "QUJD"}, 422, "invalid_request", "images"),
        ({"text": "a", "images": ["QUJD"], "image": "QUJD"}, 422, "invalid_request", "images"),
        ({"posts": [{"text": "a", "images": ["QUJD"] * 17}]}, 422, "too_many_pictures", "posts[0].images"),
        ({"text": "a", "image": "%%%"}, 422, "invalid_image", "image"),
        ({"text": "a", "image": "http://x/1.jpg"}, 422, "invalid_image", "image"),
        ({"text": "a", "image_url": "http://x/1.jpg"}, 422, "url_refused", "image_url"),
        ({"text": "a", "context": {"tags": 3}}, 422, "invalid_context", "context"),
        ({"text": "a", "context": 3}, 422, "invalid_context", "context"),
        ({"text": None, "words": None}, 422, "invalid_request", None),
        ({"text": "a", "colour": None}, 422, "invalid_request", "colour"),
        ({"posts": None}, 422, "invalid_request", "posts"),
        ({"text": "a " * 10_000}, 422, "too_long", "text"),
        ({"text": "a " * 5_000}, 422, "too_long", "text"),
        ({"words": ["a"] * 10_000}, 422, "too_long", "words"),
        ({"posts": [{"text": "a"}] * 257}, 422, "too_many_posts", "posts"),
        ({"posts": [1] * 1000}, 422, "too_many_posts", "posts"),
        ({"posts": [{"text": "a"}, {"words": [""] * 2001}]}, 422, "too_long", "posts[1].words"),
        ({"text": "a", **{f"f{number}": 1 for number in range(64)}}, 422, "invalid_request", None),
        (b'{"text": "a", "context": {"own": 1e400}}', 422, "invalid_context", "context"),
        (
            b'{"posts": [{"text": "a", "context": {"tags": [{"object": "b", "c": [-1e400]}]}}]}',
            422,
            "invalid_context",
            "posts[0].context",
        ),
        (b'{"text": "a", "min_score": 1e400}', 422, "invalid_request", "min_score"),
        (b'{"text": "a", "picture_ms": 1e400}', 422, "invalid_request", "picture_ms"),
        (b"[1]", 422, "invalid_request", None),
        (b"{", 400, "invalid_json", None),
        (b'{"text": "\xff"}', 400, "invalid_json", None),
        (b'{"text": "\\ud800"}', 400, "invalid_json", None),
        (b'{"text": NaN}', 400, "invalid_json", None),
    ],
)
def test_faults_have_one_shape(service, body, status, code, field) -> None:
    answered, answer, _ = service.ask(body)
    assert (answered, answer["error"]["code"], answer["error"]["field"]) == (status, code, field)
    assert set(answer) == {"error"}
    assert answer["error"]["message"].isprintable()


def test_null_stands_for_an_optional_field_that_is_absent(service) -> None:
    nulls = dict.fromkeys(("id", "words", "image", "images", "image_url", "context"))
    options = dict.fromkeys(("views", "explain", "min_score", "picture_ms"))
    plain = service.ask({"text": POST})
    assert service.ask({"text": POST, **nulls, **options})[:2] == plain[:2] == (200, plain[1])
    assert service.ask({"posts": [{"text": POST, **nulls}], **options})[1] == {"posts": [plain[1]]}


def test_post_has_no_more_pictures_than_its_tagger_takes(serve, tagger, monkeypatch) -> None:
    monkeypatch.setattr(tagger, "_request", partial(tagger._request, max_pictures=1))
    few = serve(picture_ms=1)
    status, answer, _ = few.ask({"text": POST, "images": ["", ""]})
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (422, "too_many_pictures", "images")
    assert few.ask(path="/v1/model")[1]["limits"]["max_pictures"] == 1


def test_unknown_fields_are_named_beside_the_known_ones(service) -> None:
    _, answer, _ = service.ask({"text": "a", "colour": 1})
    assert answer["error"]["message"].startswith("colour: unknown field; known here: ")
    assert "words" in answer["error"]["message"]


def test_what_could_steer_a_terminal_is_escaped_in_messages(service) -> None:
    _, answer, _ = service.ask({"text": "a", "\x1b[31m\u202e\u200f": 1})
    assert answer["error"]["field"] == "\\x1b[31m\\u202e\\u200f"
    assert answer["error"]["message"].isprintable()


def test_other_media_types_methods_and_addresses_are_refused(service) -> None:
    assert service.ask(b"text=a", Content_Type="application/x-www-form-urlencoded")[0] == 415
    assert service.ask(b"{}", Content_Encoding="gzip")[0] == 415
    status, answer, headers = service.ask(path="/v1/entities")
    assert (status, answer["error"]["code"], headers["allow"]) == (405, "method_not_allowed", "POST")
    assert service.ask(path="/nothing")[1]["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x\r\n",
        b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="explain"\r\n\r\n{\r\n--x--\r\n',
        b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n",
    ],
)
def test_damaged_forms_are_refused(service, body) -> None:
    status, answer, _ = service.ask(body, Content_Type="multipart/form-data; boundary=x")
    assert status in {400, 422}
    assert answer["error"]["message"]


def test_form_takes_one_picture(service, ticket) -> None:
    body, kind = form(text="a", file=ticket)
    assert service.ask(body, Content_Type=kind)[1]["error"]["field"] == "file"


def test_every_answer_carries_an_id_and_the_client_may_give_it(service) -> None:
    assert len(service.ask({"text": "a"})[2]["x-request-id"]) == 32
    assert service.ask({"text": "a"}, X_Request_Id="mine-1")[2]["x-request-id"] == "mine-1"
    assert len(service.ask({"text": "a"}, X_Request_Id="not mine")[2]["x-request-id"]) == 32


def test_markup_in_a_post_comes_back_as_it_is_and_as_json(service) -> None:
    text = "<script>alert(1)</script> Kevin Love \u202e in Cleveland"
    status, row, headers = service.ask({"text": text, "id": "</script>"})
    assert (status, row["text"], row["id"]) == (200, text, "</script>")
    assert headers["content-type"] == "application/json"
    assert headers["x-content-type-options"] == "nosniff"
    assert json.dumps(row)
