"""Tiny random vision models, saved as the hub keeps them: config, image processor, tokenizer, safetensors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vision.paddle import PaddleModule


@pytest.fixture(scope="session")
def tiny_vision(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the folder of a tiny random model of an architecture; each is made once."""
    built: dict[str, Path] = {}

    def folder(architecture: str) -> Path:
        if architecture not in built:
            import torch
            from tiny_models import finders, published, writers

            torch.manual_seed(0)
            built[architecture] = tmp_path_factory.mktemp(architecture)
            {**finders.MAKERS, **writers.MAKERS, **published.MAKERS}[architecture](built[architecture])
        return built[architecture]

    return folder


@pytest.fixture
def paddleocr(monkeypatch: pytest.MonkeyPatch) -> PaddleModule:
    """What stands for the package paddleocr, installed or not."""
    module = PaddleModule()
    monkeypatch.setitem(sys.modules, "paddleocr", module)
    return module
