"""A tiny ResNet in torchvision's layout against its forward pass in numpy; other files are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tiny_models import derived, published

from mner.errors import ModelError
from mner.vision.features import crops, resnet
from mner.vision.images import Picture

PUBLISHED = r"published in download\.pytorch\.org/models"


def grid(folder: Path, pixels: Image.Image) -> NDArray[np.float32]:
    """The cells (cell, width) of a picture of 64 x 64 pixels."""
    extract = resnet.FeatureExtractor(resnet.Options(model=str(folder), side=64, device="cpu"))
    (arrays,) = extract([Picture(pixels, "", 64, 64)], images=["a"])
    return arrays["grid"]


def expected(state: published.State, pixels: Image.Image) -> NDArray[np.float64]:
    """The same from the published keys, in numpy and plain loops."""

    def step(maps: NDArray[np.float64], of: str, norm: str, **settings: int) -> NDArray[np.float64]:
        maps = derived.conv(maps, state[f"{of}.weight"], **settings)
        names = ("weight", "bias", "running_mean", "running_var")
        weight, bias, mean, variance = (state[f"{norm}.{name}"][:, None, None] for name in names)
        normed: NDArray[np.float64] = weight * (maps - mean) / np.sqrt(variance + 1e-5) + bias
        return normed

    red_green_blue = np.asarray(pixels, np.float64).transpose(2, 0, 1) / 255
    scaled = (red_green_blue - np.reshape([0.485, 0.456, 0.406], (3, 1, 1))) / np.reshape(
        [0.229, 0.224, 0.225], (3, 1, 1)
    )
    maps = derived.max_pool(np.maximum(step(scaled, "conv1", "bn1", stride=2, padding=3), 0), padded=True)
    for stage in range(1, 5):
        block = 0
        while f"layer{stage}.{block}.conv1.weight" in state:
            at, stride = f"layer{stage}.{block}", 2 if stage > 1 and not block else 1
            if f"{at}.conv3.weight" in state:
                hidden = np.maximum(step(maps, f"{at}.conv1", f"{at}.bn1"), 0)
                hidden = np.maximum(step(hidden, f"{at}.conv2", f"{at}.bn2", stride=stride, padding=1), 0)
                hidden = step(hidden, f"{at}.conv3", f"{at}.bn3")
            else:
                hidden = np.maximum(step(maps, f"{at}.conv1", f"{at}.bn1", stride=stride, padding=1), 0)
                hidden = step(hidden, f"{at}.conv2", f"{at}.bn2", padding=1)
            if f"{at}.downsample.0.weight" in state:
                maps = step(maps, f"{at}.downsample.0", f"{at}.downsample.1", stride=stride)
            maps, block = np.maximum(hidden + maps, 0), block + 1
    return maps.reshape(len(maps), -1).T


@pytest.fixture
def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8))


@pytest.mark.parametrize(("depths", "bottleneck"), [((3, 4, 6, 3), True), ((2, 2, 2, 2), False)])
def test_grid_is_what_numpy_computes(
    depths: tuple[int, ...], bottleneck: bool, noise: Image.Image, tmp_path: Path
) -> None:
    state = published.resnet_state(depths, bottleneck=bottleneck)
    published.save(tmp_path, state)
    cells = expected(state, noise)
    assert cells.shape == (4, 20) and (cells > 0.01).mean() > 0.3
    np.testing.assert_allclose(grid(tmp_path, noise), cells, rtol=1e-4, atol=1e-4)


def test_counters_of_newer_files_change_nothing(noise: Image.Image, tmp_path: Path) -> None:
    state = published.resnet_state()
    counters = {key.replace("running_mean", "num_batches_tracked"): np.array(7) for key in state if "_mean" in key}
    for name, arrays in (("older", state), ("newer", {**state, **counters})):
        (tmp_path / name).mkdir()
        published.save(tmp_path / name, arrays)
    np.testing.assert_array_equal(grid(tmp_path / "older", noise), grid(tmp_path / "newer", noise))


def test_crops_take_torchvisions_weights_too(tiny_vision: Callable[[str], Path], noise: Image.Image) -> None:
    options = crops.Options(
        names=("person",), detector=str(tiny_vision("owlv2")), threshold=1.0, model=str(tiny_vision("torchvision")),
        side=64, device="cpu",
    )  # fmt: skip
    (arrays,) = crops.FeatureExtractor(options)([Picture(noise, "", 64, 64)], images=["a"])
    assert arrays is not None
    np.testing.assert_allclose(arrays["crops"][0], expected(published.resnet_state(), noise).mean(0), atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layer3.2.bn2.running_var": None}, rf"1 missing array, such as layer3\.2\.bn2\.running_var\. .*{PUBLISHED}"),
        ({"layer5.0.conv1.weight": np.ones(3)}, r"1 unknown array, such as layer5\.0\.conv1\.weight"),
        ({"fc.scale": np.ones(3)}, r"1 unknown array, such as fc\.scale"),
        ({"layer2.1.conv2.weight": np.ones((3, 1, 3, 3))}, r"shape \(3, 1, 3, 3\), the network's \(3, 3, 3, 3\)"),
        ({"layer4.2.conv1.weight": None}, r"3-4-6-2 blocks, a whole ResNet of this kind has 3-4-6-3 or 3-4-23-3"),
        ({"conv1.weight": None}, rf"neither a config\.json nor conv1\.weight, .*{PUBLISHED}"),
        ({"layer1.0.bn1.bias": np.full(2, np.nan)}, r"layer1\.0\.bn1\.bias holds NaN"),
    ],
)
def test_file_of_another_network_or_half_of_one_is_refused(
    changes: dict[str, NDArray[np.float64] | None], message: str, tmp_path: Path
) -> None:
    state = {**published.resnet_state(), **changes}
    published.save(tmp_path, {key: array for key, array in state.items() if array is not None})
    with pytest.raises(ModelError, match=message):
        resnet.FeatureExtractor(resnet.Options(model=str(tmp_path)))


def test_pickle_is_refused_with_the_line_that_converts_it(tmp_path: Path) -> None:
    (tmp_path / "resnet152-394f9c45.pth").write_bytes(b"a pickle")
    with pytest.raises(ModelError, match=r"(?s)resnet152-394f9c45\.pth is a pickle, .*convert it:\npython -c"):
        resnet.FeatureExtractor(resnet.Options(model=str(tmp_path)))


def test_folder_without_weights_says_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=rf"model\.safetensors: missing\. .*{PUBLISHED}"):
        resnet.FeatureExtractor(resnet.Options(model=str(tmp_path)))
