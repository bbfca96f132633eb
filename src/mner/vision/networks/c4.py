"""A region detector of the C4 kind (Faster R-CNN over the fourth stage of a ResNet), with attributes of each object.

One network for VinVL's detector and for Bottom-Up's: ``Traits`` are what differs between them, ``Sizes`` the widths.
Sources: Ren et al. 2015; Anderson et al. 2018, section 3.1; Zhang et al. 2021 (VinVL), section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional

from mner.vision.networks import rois

STRIDE = 16
"""Pixels of the picture for one of the map."""

_CELLS = 14  # of a region, in each direction
_PROPOSALS, _CANDIDATES = 300, 6000  # that are classified; that are compared for overlap
_OVERLAP_OF_PROPOSALS, _OVERLAP_OF_OBJECTS = 0.7, 0.3
_CHUNK = 50  # regions in memory at a time


class Sizes(BaseModel):
    """Channels and counts of a network; ``config.json`` beside the weights may say others than the published."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stem: int = 64
    blocks: tuple[int, int, int, int] = (3, 8, 36, 3)
    groups: int = 32
    inner: int = 256  # channels of the first stage's 3 x 3 convolutions
    outer: int = 256  # channels that the first stage gives; each further stage doubles both
    proposals: int = 1024
    objects: int = 1594
    attributes: int = 524
    embedding: int = 256
    hidden: int = 512


@dataclass(frozen=True, slots=True)
class Traits:
    """How a detector's published code computes, apart from its sizes.

    Attributes:
        eps: Added to the variances of norms.
        stride_in_3x3: Whether a block's 3 x 3 convolution skips pixels, or its first one.
        dilated: Whether the last stage widens its view instead of skipping pixels.
        padded_stem: Whether the first pooling is padded on all sides, or only fills up at the right and below.
        two_logits: Whether an anchor has a logit for "object" and for "none", or one for "object".
        anchors: Sizes of anchors in pixels.
        least_side: Pixels of the picture's own that a proposal's sides must be over; 0: any.
        last: Whether decoded boxes (and overlaps) count their last row and column, as ``rois.decode`` says.
        delta_weights: Of the predicted changes to a region's box.
        aligned: Whether regions are sampled (RoIAlign), or pooled by their largest values (RoIPool).
        inclusive: ``last`` of ``rois.overlapping``.
        own_pixels: Whether objects' overlaps are measured in the picture's own pixels.
        raw_label: Whether an object's class is the likeliest at all, or the likeliest in which it survived.
        attribute_least: Confidence that attributes must be over.
        most_attributes: Of a picture; 0: any number.
    """

    eps: float
    stride_in_3x3: bool
    dilated: bool
    padded_stem: bool
    two_logits: bool
    anchors: tuple[int, ...]
    least_side: int
    last: float
    delta_weights: tuple[float, float, float, float]
    aligned: bool
    inclusive: float
    own_pixels: bool
    raw_label: bool
    attribute_least: float
    most_attributes: int


class Regions(NamedTuple):
    """Objects of one picture, by confidence, descending.

    Attributes:
        boxes: (region, 4) in pixels of the network's input.
        labels: (region,) from 1; 0 is the background, which no region has.
        confidences: (region,).
        attributes: Probabilities (region, attribute); column 0 stands for "none" and is 0.
        features: (region, width).
    """

    boxes: Tensor
    labels: Tensor
    confidences: Tensor
    attributes: Tensor
    features: Tensor


class Norm(nn.Module):
    """A batch norm whose statistics are fixed."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, torch.ones(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """The maps (picture, channel, row, column), each channel scaled and shifted."""
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        return maps * scale[:, None, None] + (self.bias - self.running_mean * scale)[:, None, None]


class Bottleneck(nn.Module):
    """A residual block: 1 x 1, 3 x 3 in groups, 1 x 1."""

    def __init__(
        self, width: int, inner: int, outer: int, stride: int, sizes: Sizes, traits: Traits, spread: int
    ) -> None:
        super().__init__()
        first, second = (1, stride) if traits.stride_in_3x3 else (stride, 1)
        self.conv1 = nn.Conv2d(width, inner, 1, first, bias=False)
        self.norm1 = Norm(inner, traits.eps)
        self.conv2 = nn.Conv2d(inner, inner, 3, second, spread, spread, sizes.groups, bias=False)
        self.norm2 = Norm(inner, traits.eps)
        self.conv3 = nn.Conv2d(inner, outer, 1, bias=False)
        self.norm3 = Norm(outer, traits.eps)
        self.shortcut = nn.Conv2d(width, outer, 1, stride, bias=False) if width != outer else nn.Identity()
        self.shortcut_norm = Norm(outer, traits.eps) if width != outer else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """The maps after the block."""
        hidden = functional.relu(self.norm1(self.conv1(maps)))
        hidden = functional.relu(self.norm2(self.conv2(hidden)))
        return functional.relu(self.norm3(self.conv3(hidden)) + self.shortcut_norm(self.shortcut(maps)))


class Stem(nn.Module):
    """The first convolution and pooling: a quarter of the pixels in each direction."""

    def __init__(self, sizes: Sizes, traits: Traits) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, sizes.stem, 7, 2, 3, bias=False)
        self.norm = Norm(sizes.stem, traits.eps)
        padding = 1 if traits.padded_stem else 0
        self.pool = nn.MaxPool2d(3, 2, padding, ceil_mode=not traits.padded_stem)

    def forward(self, pixels: Tensor) -> Tensor:
        """The maps of pictures (picture, 3, row, column)."""
        maps: Tensor = self.pool(functional.relu(self.norm(self.conv(pixels))))
        return maps


class Proposer(nn.Module):
    """Where objects may be: a score and a change for each anchor of each cell."""

    anchors: Tensor

    def __init__(self, width: int, sizes: Sizes, traits: Traits) -> None:
        super().__init__()
        self._traits = traits
        self.register_buffer("anchors", rois.cell_anchors(traits.anchors, stride=STRIDE))
        count = len(self.anchors)
        self.conv = nn.Conv2d(width, sizes.proposals, 3, padding=1)
        self.objectness = nn.Conv2d(sizes.proposals, count * (2 if traits.two_logits else 1), 1)
        self.deltas = nn.Conv2d(sizes.proposals, count * 4, 1)

    def forward(self, maps: Tensor, size: tuple[int, int], least_side: float) -> Tensor:
        """Boxes (box, 4), best first, of one picture (1, channel, row, column) of a width and height in pixels."""
        count, (rows, columns) = len(self.anchors), maps.shape[-2:]
        hidden = functional.relu(self.conv(maps))
        logits = self.objectness(hidden)[0]
        kinds = logits.view(2, count, rows, columns).softmax(0)[1] if self._traits.two_logits else logits.sigmoid()
        scores = kinds.permute(1, 2, 0).flatten()
        deltas = self.deltas(hidden)[0].view(count, 4, rows, columns).permute(2, 3, 0, 1).reshape(-1, 4)
        boxes = rois.spread(self.anchors, rows, columns, stride=STRIDE)
        boxes = rois.clip(rois.decode(deltas, boxes, (1, 1, 1, 1), last=self._traits.last), *size)
        if least_side:
            sides = boxes[:, 2:] - boxes[:, :2]
            large = ((sides > 0) & (sides + 1 > least_side)).all(1)
            boxes, scores = boxes[large], scores[large]
        boxes = boxes[scores.argsort(descending=True, stable=True)[:_CANDIDATES]]
        best = rois.suppress(boxes, _OVERLAP_OF_PROPOSALS, _PROPOSALS, last=self._traits.inclusive)
        # A picture in which nothing is large enough is one region.
        return boxes[best] if len(best) else boxes.new_tensor([[0, 0, size[0] - 1, size[1] - 1]])


class Detector(nn.Module):
    """The whole network."""

    def __init__(self, sizes: Sizes, traits: Traits) -> None:
        super().__init__()
        self._traits = traits
        self.stem = Stem(sizes, traits)
        stages, width = [], sizes.stem
        for number, blocks in enumerate(sizes.blocks):
            inner, outer = sizes.inner * 2**number, sizes.outer * 2**number
            spread = 2 if traits.dilated and number == 3 else 1
            stride = 2 if number and spread == 1 else 1
            stage = [Bottleneck(width, inner, outer, stride, sizes, traits, spread)]
            stage += [Bottleneck(outer, inner, outer, 1, sizes, traits, spread) for _ in range(blocks - 1)]
            stages.append(nn.Sequential(*stage))
            width = outer
        self.stages, self.head = nn.Sequential(*stages[:3]), stages[3]
        self.rpn = Proposer(width // 2, sizes, traits)
        self.classes = nn.Linear(width, sizes.objects + 1)
        self.boxes = nn.Linear(width, 4 * (sizes.objects + 1))
        self.embedding = nn.Embedding(sizes.objects + 1, sizes.embedding)
        self.attribute_hidden = nn.Linear(width + sizes.embedding, sizes.hidden)
        self.attributes = nn.Linear(sizes.hidden, sizes.attributes + 1)

    def forward(
        self, pixels: Tensor, scale: float, *, threshold: float, least: int, most: int, refine: bool
    ) -> Regions:
        """The regions of one picture.

        Args:
            pixels: The prepared picture (1, 3, row, column).
            scale: Its pixels for one of the picture's own.
            threshold: Least confidence of an object.
            least: Regions that are kept even so, the surest.
            most: Regions that are kept.
            refine: Whether a region's box is moved as its class predicts; features stay those of the proposal.
        """
        size = pixels.shape[3], pixels.shape[2]
        maps = self.stages(self.stem(pixels))
        proposals = self.rpn(maps, size, self._traits.least_side * scale)
        features = self.pooled(maps, proposals)
        scores = self.classes(features).softmax(-1)  # (region, class)
        boxes = proposals[None]
        if refine:
            deltas = self.boxes(features).view(len(features), -1, 4)
            moved = rois.decode(deltas, proposals[:, None], self._traits.delta_weights, last=self._traits.last)
            boxes = rois.clip(moved, *size).transpose(0, 1)  # (class, region, 4)
        chosen, labels, confidences = self._chosen(
            boxes / (scale if self._traits.own_pixels else 1), scores, threshold, least, most
        )
        boxes = boxes[labels if refine else 0, chosen]
        features = features[chosen]
        seen = self.pooled(maps, boxes) if refine and not self._traits.raw_label else features
        named = scores[chosen].argmax(-1) if self._traits.raw_label else labels
        return Regions(boxes, labels, confidences, self._attributes(seen, named), features)

    def pooled(self, maps: Tensor, boxes: Tensor) -> Tensor:
        """The features (region, width) of boxes (region, 4) in one picture's maps."""
        pool = rois.roi_align if self._traits.aligned else rois.roi_pool
        parts = [pool(maps[0], part, cells=_CELLS, scale=1 / STRIDE) for part in torch.split(boxes, _CHUNK)]
        return torch.cat([self.head(part).mean((2, 3)) for part in parts])

    def _chosen(
        self, boxes: Tensor, scores: Tensor, threshold: float, least: int, most: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Places, labels and confidences (region,) of the objects, the surest first."""
        own = boxes[1:] if len(boxes) > 1 else boxes
        objects = scores[:, 1:]  # without the background
        alive = rois.suppress_by_class(own, objects.T, _OVERLAP_OF_OBJECTS, last=self._traits.inclusive).T
        sure, labels = (objects * alive).max(1)
        order = sure.argsort(descending=True, stable=True)
        count = max(int((sure >= threshold).sum()), least)
        order = order[: min(count, most, int((sure > 0).sum()))]
        if self._traits.raw_label:
            raw, labels = objects.max(1)
            return order, labels[order] + 1, raw[order]
        return order, labels[order] + 1, sure[order]

    def _attributes(self, features: Tensor, labels: Tensor) -> Tensor:
        hidden = functional.relu(self.attribute_hidden(torch.cat([features, self.embedding(labels)], -1)))
        shares: Tensor = self.attributes(hidden).softmax(-1)
        shares[:, 0] = 0
        shares = shares * (shares > self._traits.attribute_least)
        most, count = self._traits.most_attributes, int((shares > 0).sum())
        if most and count > most:
            shares = shares * (shares >= shares.flatten().topk(most).values[-1])
        return shares


def names_of(shares: Tensor, names: Sequence[str]) -> list[list[tuple[str, float]]]:
    """For each region its attributes with their probabilities; ``names`` belong to the columns from 1."""
    return [[(names[column - 1], float(row[column])) for column in row.nonzero().flatten().tolist()] for row in shares]
