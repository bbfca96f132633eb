"""A tiny detector of each layout against its forward pass in numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import derived, published

from mner.vision.networks.c4 import Detector, Sizes
from mner.vision.networks.c4_layouts import BOTTOMUP, VINVL
from mner.vision.networks.checkpoint import fill


@pytest.mark.parametrize("refine", [False, True])
@pytest.mark.parametrize("vinvl", [True, False])
def test_detector_computes_what_numpy_computes(vinvl: bool, refine: bool) -> None:
    layout = VINVL if vinvl else BOTTOMUP
    state = published.vinvl_state(0) if vinvl else published.bottomup_state(4)
    sizes = Sizes.model_validate({**published.C4, "groups": 2 if vinvl else 1})
    network = Detector(sizes, layout.traits).double()
    fill(network, state, layout.table, where=Path("x"), published="", unused=layout.unused, optional=("rpn.anchors",))
    pixels = np.random.default_rng(8).uniform(-120, 130, (3, 64, 50))
    request = {"threshold": 0.3, "least": 4, "most": 20, "refine": refine}
    result = network(torch.from_numpy(pixels)[None], 0.7, **request)
    boxes, labels, confidences, shares, features = derived.C4(state, vinvl=vinvl).regions(pixels, 0.7, **request)
    assert 4 <= len(labels) <= 20 and len(set(labels.tolist())) > 1 and (shares > 0).any()
    np.testing.assert_allclose(result.boxes.numpy(), boxes, atol=1e-8)
    assert result.labels.tolist() == labels.tolist()
    for array, expected in (
        (result.confidences, confidences),
        (result.attributes, shares),
        (result.features, features),
    ):
        np.testing.assert_allclose(array.numpy(), expected, atol=1e-8)


def test_attributes_of_a_picture_are_the_surest_hundred() -> None:
    network = Detector(Sizes.model_validate({**published.C4, "attributes": 9}), VINVL.traits)
    torch.nn.init.zeros_(network.attributes.weight)
    torch.nn.init.constant_(network.attributes.bias, 0.0)
    random = torch.Generator().manual_seed(1)
    torch.nn.init.normal_(network.attributes.weight, 0, 0.3, generator=random)
    with torch.inference_mode():
        shares = network._attributes(torch.randn(60, 64, generator=random), torch.ones(60, dtype=torch.long))
    assert (shares > 0).sum() == 100 and shares[:, 0].eq(0).all() and shares[shares > 0].min() > 0.05
