"""The page on the service: its requests are answered as it says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docs import ROOT, blocks, unrounded

pytestmark = [pytest.mark.service, pytest.mark.enable_socket]

PAGE = ROOT / "docs/serve.md"
MOST = 0.05
"""What a score of the page may differ by on another processor."""


def test_page_says_what_the_service_answers(service, ticket: bytes, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the program curl is not installed")
    (tmp_path / "photo.png").write_bytes(ticket)
    form, posts, client = blocks(PAGE, by="tests/serve/test_documented.py")

    def run(command: list[str]) -> str:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def there(code: str) -> str:
        return code.replace("http://127.0.0.1:8000", service.address)

    row = json.loads(run(["bash", "-c", there(form.code)]))
    said = PAGE.read_text(encoding="utf-8").partition("```json")[2]
    (entity,) = row["entities"]
    shown = [float(score) for score in re.findall(r'"label": "(?:LOC|ORG)", "score": ([\d.]+)', said)[:3]]
    scores = [entity["score"], *(row["views"][view][0]["score"] for view in ("T", "I+T"))]
    assert scores == pytest.approx(shown, abs=MOST)
    assert f'"label": "{entity["label"]}"' in said and (row["view"], row["image_status"]) == ("I+T", "used")
    assert [line["text"] for line in row["context"]["ocr"]] == ["BUS TICKET", "ONE WAY TO", "PHOENIX"]
    answer = json.loads(run(["bash", "-c", there(posts.code)]))
    assert json.dumps(answer).count('"Kevin Love"') and "Real Madrid" in json.dumps(answer)
    printed = run([sys.executable, "-W", "error", "-c", there(client.code)])
    assert client.output is not None and unrounded(printed) == unrounded(client.output)
