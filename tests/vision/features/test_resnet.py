"""The grid of a small random ResNet, saved as the hub keeps it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mner.errors import ModelError
from mner.vision.features.resnet import FeatureExtractor, Options
from mner.vision.images import Picture


def test_grid_is_the_last_map_row_by_row(tiny_vision: Callable[[str], Path]) -> None:
    import torch
    from transformers import AutoModel

    folder = tiny_vision("resnet")
    pixels = Image.effect_noise((224, 224), 90).convert("RGB")
    (arrays,) = FeatureExtractor(Options(model=str(folder), device="cpu"))(
        [Picture(pixels, "", 224, 224)], images=["a"]
    )
    scaled = (np.asarray(pixels, dtype=np.float32) / 255 - 0.5) / 0.5
    with torch.inference_mode():
        model = AutoModel.from_pretrained(folder).eval()
        expected = model(pixel_values=torch.from_numpy(scaled).permute(2, 0, 1)[None]).last_hidden_state[0]
    assert arrays["grid"].shape == (49, 24)
    np.testing.assert_allclose(arrays["grid"][7 * 2 + 3], expected[:, 2, 3], rtol=1e-4, atol=1e-5)


def test_edges_of_a_wide_picture_are_seen(tiny_vision: Callable[[str], Path]) -> None:
    extract = FeatureExtractor(Options(model=str(tiny_vision("resnet")), device="cpu", side=64))
    plain = Image.new("RGB", (900, 100), "gray")
    edged = plain.copy()
    edged.paste("red", (0, 0, 40, 100))
    first, second = extract([Picture(each, "", 900, 100) for each in (plain, edged)], images=["a", "b"])
    assert first["grid"].shape == (4, 24) and (first["grid"] != second["grid"]).any()


def test_model_of_another_kind_is_refused(tiny_vision: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match=r'model: .* the architecture "clip"; this backend runs resnet'):
        FeatureExtractor(Options(model=str(tiny_vision("clip"))))


def test_weights_of_more_layers_than_the_configuration_are_refused(
    tiny_vision: Callable[[str], Path], tmp_path: Path
) -> None:
    from transformers import ResNetConfig, ResNetForImageClassification

    folder = Path(shutil.copytree(tiny_vision("resnet"), tmp_path / "model"))
    deeper = ResNetConfig(embedding_size=8, hidden_sizes=[8, 12, 16, 24], depths=[1, 1, 2, 1])
    ResNetForImageClassification(deeper).save_pretrained(folder)
    options = Options(model=str(folder), device="cpu")
    FeatureExtractor(options)  # the classes are left out, as no feature depends on them
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "depths": [1] * 4}))
    with pytest.raises(ModelError, match=r"hold 15 arrays \(resnet\.encoder.*\) that the network .* does not have"):
        FeatureExtractor(options)


def test_model_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(ModelError, match=r"hf download microsoft/resnet-152"):
        FeatureExtractor(Options())
