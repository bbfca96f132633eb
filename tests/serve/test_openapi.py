"""The document and the service agree: requests made from the document find no fault."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.service, pytest.mark.enable_socket]

EXAMPLES = int(os.environ.get("MNER_SCHEMATHESIS", "10"))
"""Requests for each operation and kind of check; more find more."""


@pytest.mark.slow
def test_schemathesis_finds_nothing(service, tmp_path) -> None:
    command = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [
            command,
            "run",
            f"{service.address}/openapi.json",
            "--max-examples",
            str(EXAMPLES),
            "--seed",
            "1",
            "--phases",
            "examples,coverage,fuzzing",
            "--no-color",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert service.ask({"text": "Kevin Love"})[0] == 200
