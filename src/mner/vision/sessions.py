"""Packaged model files, checked, and the sessions that run them."""

from __future__ import annotations

import hashlib
from functools import partial
from importlib.resources import files
from pathlib import Path

from mner.errors import ModelError
from mner.sessions import Session

ASSETS = Path(str(files("mner.vision.assets")))

SHA256 = {
    "efficientnet-lite0-imagenet1k.fp16.onnx": "facf0c3a3c366dfd7e1272a56892184b1d2300c02f3e7356ba346ac0661d9c1e",
    "imagenet1k-labels.json": "e46cf90316006d7a615d0ae06860b7f438ee44e69558cb129a959c63c026d77b",
    "nanodet-g-416-coco80.fp16.onnx": "5dd08de474c0c87112a4543827ad1c3437911ba93e48984688159e45a687fb3f",
}
"""SHA-256 of each packaged model file."""


def read_asset(path: Path) -> bytes:
    """The content of a model file; that of a packaged one has the hash that it was packaged with.

    Raises:
        ModelError: The file is missing or is not the one that was packaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error}); install mner again") from error
    expected = SHA256.get(path.name, "") if path.parent == ASSETS else ""
    actual = hashlib.sha256(content).hexdigest()
    if expected and actual != expected:
        raise ModelError(f"{path}: damaged: expected SHA-256 {expected[:12]}, found {actual[:12]}; install mner again")
    return content


def open_session(path: Path, *, threads: int = 0) -> Session:
    """An onnxruntime session on the CPU; ``threads`` is the most that one run takes, 0: all cores.

    Raises:
        ModelError: The file is missing or damaged.
    """
    return Session(path, partial(read_asset, path), threads=threads, remedy="install mner again")
