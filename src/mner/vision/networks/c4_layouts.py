"""The published checkpoints that ``c4`` runs: keys, sizes and vocabularies, and how pictures are prepared."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mner.contexts.published.bottomup import ATTRIBUTES, OBJECTS, vocabulary
from mner.errors import DataError, ModelError
from mner.vision.networks.c4 import Sizes, Traits
from mner.vision.networks.checkpoint import Table

SHORT, LONG = 600, 1000
"""Pixels of the network's input: of its shorter side, unless its longer one would be over the second number."""

LABELS = "VG-SGG-dicts-vgoi6-clipped.json"
"""VinVL's vocabulary, as it is published."""

_LEAST = 16  # pixels of a side of the input


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of published checkpoint.

    Attributes:
        name: Whose it is.
        published: Where checkpoint and vocabulary are.
        mark: How some of its keys begin, and no other layout's.
        sizes: Of the published checkpoint.
        traits: How its code computes.
        table: From the names of ``c4.Detector`` to its keys.
        unused: Keys that are left out: copies of other arrays, and counters.
        mean: Blue, green and red that are subtracted.
        prepare: From a picture and the mean to the network's input and its pixels for one of the picture's, across
            and down.
        files: Of the vocabulary: which names the objects, and which the attributes.
        names: From the folder to the objects and the attributes from 1 on.
    """

    name: str
    published: str
    mark: str
    sizes: Sizes
    traits: Traits
    table: Table
    unused: tuple[str, ...]
    mean: tuple[float, float, float]
    prepare: Callable[[Image.Image, Tensor], tuple[Tensor, tuple[float, float]]]
    files: tuple[str, str]
    names: Callable[[Path], tuple[tuple[str, ...], tuple[str, ...]]]


def _resized(picture: Image.Image, mean: Tensor) -> tuple[Tensor, tuple[float, float]]:
    """As torchvision resizes a picture: by Pillow, averaging where it shrinks."""
    width, height = picture.size
    short, long = sorted(picture.size)
    side = round(LONG * short / long) if long / short * SHORT > LONG else SHORT
    sides = [max(_LEAST, side if each == short else int(side * each / short)) for each in (width, height)]
    pixels = _bgr(picture.resize((sides[0], sides[1]), Image.Resampling.BILINEAR), mean)
    return pixels, (sides[0] / width, sides[1] / height)


def _sampled(picture: Image.Image, mean: Tensor) -> tuple[Tensor, tuple[float, float]]:
    """As OpenCV resizes a picture: between the four nearest pixels, also where it shrinks."""
    short, long = sorted(picture.size)
    scale = SHORT / short
    if round(scale * long) > LONG:
        scale = LONG / long
    pixels = _bgr(picture, mean)
    for axis in (2, 3):
        length = pixels.shape[axis]
        count = max(_LEAST, round(scale * length))
        points = ((torch.arange(count) + 0.5) / scale - 0.5).clamp(0, length - 1)
        low = points.long()
        share = (points - low).unsqueeze(-1) if axis == 2 else points - low
        high = (low + 1).clamp(max=length - 1)
        pixels = torch.lerp(pixels.index_select(axis, low), pixels.index_select(axis, high), share)
    return pixels, (scale, scale)


def _bgr(picture: Image.Image, mean: Tensor) -> Tensor:
    pixels = torch.from_numpy(np.array(picture)).flip(-1).float() - mean
    return pixels.permute(2, 0, 1)[None].contiguous()


def _labels(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    path = folder / LABELS
    try:
        tables = json.loads(path.read_text(encoding="utf-8"))
        places = [
            {int(number): str(name) for name, number in tables[key].items() if int(number)}
            for key in ("label_to_idx", "attribute_to_idx")
        ]
        objects, attributes = (tuple(names[place] for place in range(1, len(names) + 1)) for names in places)
    except FileNotFoundError:
        raise ModelError(f"{path}: missing. It is published in {VINVL.published}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f'{path}: damaged ({error!r}); expected {{"label_to_idx": {{NAME: 1, ...}}, "attribute_to_idx": ...}}'
        ) from None
    return objects, attributes


def _lines(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        return vocabulary(folder / OBJECTS), vocabulary(folder / ATTRIBUTES)
    except DataError as error:
        raise ModelError(f"{error} It is published in {BOTTOMUP.published}") from None


_COUNTERS = r".*\.num_batches_tracked"

VINVL = Layout(
    name="VinVL",
    published="github.com/microsoft/scene_graph_benchmark (vinvl_vg_x152c4.pth, VG-SGG-dicts-vgoi6-clipped.json)",
    mark="backbone.body.",
    sizes=Sizes(),
    traits=Traits(
        eps=0.0, stride_in_3x3=True, dilated=False, padded_stem=True, two_logits=False,
        anchors=(32, 64, 128, 256, 512), least_side=0, last=1, delta_weights=(10, 10, 5, 5), aligned=True,
        inclusive=0, own_pixels=False, raw_label=False, attribute_least=0.05, most_attributes=100,
    ),
    table=(
        (r"^stem\.conv\.", "backbone.body.stem.conv1."),
        (r"^stem\.norm\.", "backbone.body.stem.bn1."),
        (r"^stages\.0\.", "backbone.body.layer1."),
        (r"^stages\.1\.", "backbone.body.layer2."),
        (r"^stages\.2\.", "backbone.body.layer3."),
        (r"^head\.", "roi_heads.box.feature_extractor.head.layer4."),
        (r"\.norm([123])\.", r".bn\1."),
        (r"\.shortcut\.", ".downsample.0."),
        (r"\.shortcut_norm\.", ".downsample.1."),
        (r"^rpn\.conv\.", "rpn.head.conv."),
        (r"^rpn\.objectness\.", "rpn.head.cls_logits."),
        (r"^rpn\.deltas\.", "rpn.head.bbox_pred."),
        (r"^rpn\.anchors$", "rpn.anchor_generator.cell_anchors.0"),
        (r"^classes\.", "roi_heads.box.predictor.cls_score."),
        (r"^boxes\.", "roi_heads.box.predictor.bbox_pred."),
        (r"^embedding\.", "attribute.predictor.cls_embedding."),
        (r"^attribute_hidden\.", "attribute.predictor.fc_attr."),
        (r"^attributes\.", "attribute.predictor.attr_score."),
    ),
    # The attributes share the last stage of the boxes, which the checkpoint holds twice.
    unused=(r"attribute\.feature_extractor\..*", _COUNTERS),
    mean=(103.530, 116.280, 123.675),
    prepare=_resized,
    files=(LABELS, LABELS),
    names=_labels,
)  # fmt: skip
"""X152-C4: ResNeXt-152 32x8d, 1,594 objects and 524 attributes."""

BOTTOMUP = Layout(
    name="Bottom-Up",
    published="github.com/MILVLG/bottom-up-attention.pytorch (R101-k10-100 of the caffe mode, evaluation/*_vocab.txt)",
    mark="roi_heads.box_predictor.",
    sizes=Sizes(blocks=(3, 4, 23, 3), groups=1, inner=64, proposals=512, objects=1600, attributes=400),
    traits=Traits(
        eps=1e-5, stride_in_3x3=False, dilated=True, padded_stem=False, two_logits=True,
        anchors=(64, 128, 256, 512), least_side=16, last=0, delta_weights=(1, 1, 1, 1), aligned=False,
        inclusive=1, own_pixels=True, raw_label=True, attribute_least=0.0, most_attributes=0,
    ),
    table=(
        (r"^stem\.norm\.", "backbone.stem.conv1.norm."),
        (r"^stem\.conv\.", "backbone.stem.conv1."),
        (r"^stages\.0\.", "backbone.res2."),
        (r"^stages\.1\.", "backbone.res3."),
        (r"^stages\.2\.", "backbone.res4."),
        (r"^head\.", "roi_heads.res5."),
        (r"\.norm([123])\.", r".conv\1.norm."),
        (r"\.shortcut_norm\.", ".shortcut.norm."),
        (r"^rpn\.conv\.", "proposal_generator.rpn_head.conv."),
        (r"^rpn\.objectness\.", "proposal_generator.rpn_head.objectness_logits."),
        (r"^rpn\.deltas\.", "proposal_generator.rpn_head.anchor_deltas."),
        (r"^rpn\.anchors$", "proposal_generator.anchor_generator.cell_anchors.0"),
        (r"^classes\.", "roi_heads.box_predictor.cls_score."),
        (r"^boxes\.", "roi_heads.box_predictor.bbox_pred."),
        (r"^embedding\.", "roi_heads.box_predictor.cls_embed."),
        (r"^attribute_hidden\.", "roi_heads.box_predictor.attr_linear1."),
        (r"^attributes\.", "roi_heads.box_predictor.attr_linear2."),
    ),
    unused=(_COUNTERS,),
    mean=(102.9801, 115.9465, 122.7717),
    prepare=_sampled,
    files=(OBJECTS, ATTRIBUTES),
    names=_lines,
)  # fmt: skip
"""Anderson et al.'s detector as converted from Caffe: ResNet-101, 1,600 objects and 400 attributes."""

LAYOUTS = (VINVL, BOTTOMUP)
