"""The page's policy: its own scripts and styles run, and nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib

import pytest

from mner.serve import page


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_policy_names_each_inline_script_and_style_by_its_hash() -> None:
    html = "<style>a < b {}</style><script>if (a < b) { x('é'); }</script><script>2</script>"
    policy = page.policy(html)
    assert (
        f"script-src {digest(chr(105) + 'f (a < b) { x(' + chr(39) + 'é' + chr(39) + '); }')} {digest('2')}" in policy
    )
    assert f"style-src {digest('a < b {}')}" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_page_without_scripts_may_run_none() -> None:
    assert "script-src 'none'" in page.policy("<p>a</p>")


def test_page_is_given_with_its_policy_and_only_where_there_is_one(tmp_path) -> None:
    assert page.of(tmp_path / "index.html") is None
    (tmp_path / "index.html").write_text("<script>1</script>", encoding="utf-8")
    start = page.of(tmp_path / "index.html")
    assert start is not None
    response = start()
    assert response.body == b"<script>1</script>"
    assert digest("1") in response.headers["content-security-policy"]
    assert response.headers["content-type"].startswith("text/html")


@pytest.mark.service
@pytest.mark.enable_socket
def test_page_stands_at_the_root_of_the_service(serve, tmp_path, monkeypatch) -> None:
    (tmp_path / "index.html").write_text("<p>a</p>", encoding="utf-8")
    monkeypatch.setattr(page, "FILE", tmp_path / "index.html")
    status, text, headers = serve(key="a-key-of-many-letters").ask(path="/")
    assert (status, text) == (200, b"<p>a</p>")
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["referrer-policy"] == "no-referrer"
