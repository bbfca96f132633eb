"""Boxes of a region detector: anchors, decoding, suppression of overlaps, and what lies in a box of a feature map.

Boxes are (box, 4): left, top, right, bottom in pixels, the last row and column included, as in the detectors' code.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional

LARGEST = math.log(1000 / 16)
"""Most that a side is stretched by, as a logarithm."""

_CHUNK = 64  # classes whose overlaps are held in memory at a time


def cell_anchors(sizes: Sequence[float], *, stride: int = 16, ratios: Sequence[float] = (0.5, 1.0, 2.0)) -> Tensor:
    """The anchors of the first cell (ratio * size, 4), as Faster R-CNN rounds them.

    >>> cell_anchors([128, 256]).tolist()[0]
    [-84.0, -40.0, 99.0, 55.0]
    """
    centre = (stride - 1) / 2
    anchors = []
    for ratio in ratios:
        width = round(math.sqrt(stride * stride / ratio))
        height = round(width * ratio)
        for size in sizes:
            across, down = (width * size / stride - 1) / 2, (height * size / stride - 1) / 2
            anchors.append([centre - across, centre - down, centre + across, centre + down])
    return torch.tensor(anchors, device="cpu")  # also where a network is laid out without memory


def spread(anchors: Tensor, rows: int, columns: int, *, stride: int = 16) -> Tensor:
    """The anchors of every cell (row * column * anchor, 4), cells row by row."""
    down, across = torch.meshgrid(
        torch.arange(rows, device=anchors.device) * stride,
        torch.arange(columns, device=anchors.device) * stride,
        indexing="ij",
    )
    shifts = torch.stack([across, down, across, down], -1).to(anchors.dtype)  # (row, column, 4)
    return (shifts[:, :, None] + anchors).reshape(-1, 4)


def decode(deltas: Tensor, boxes: Tensor, weights: Sequence[float], *, last: float) -> Tensor:
    """Boxes moved and stretched by what a network predicts (..., 4).

    Args:
        deltas: Shifts as shares of the sides, and logarithms of the stretch (..., 4), each times its weight.
        boxes: The boxes to move (..., 4).
        weights: Of shift across, shift down, width and height.
        last: 1 where the last row and column belong to the result, as they do to ``boxes``; Bottom-Up forgets it: 0.
    """
    sides = boxes[..., 2:] - boxes[..., :2] + 1
    centres = boxes[..., :2] + sides / 2
    scale = deltas.new_tensor(weights)
    centres = centres + deltas[..., :2] / scale[:2] * sides
    sides = sides * (deltas[..., 2:] / scale[2:]).clamp(max=LARGEST).exp()
    return torch.cat([centres - sides / 2, centres + sides / 2 - last], -1)


def clip(boxes: Tensor, width: float, height: float) -> Tensor:
    """Boxes (..., 4) cut to a picture's pixels."""
    return boxes.clamp(min=0).minimum(boxes.new_tensor([width, height, width, height]) - 1)


def overlapping(boxes: Tensor, others: Tensor, threshold: float, *, last: float) -> Tensor:
    """Whether boxes (..., box, 4) and others (..., other, 4) overlap too much, (..., box, other).

    Args:
        boxes: The boxes.
        others: The boxes to compare them with.
        threshold: Of intersection over union.
        last: 1 counts the last row and column, and the threshold itself is too much; 0 does neither, as torchvision.
    """
    inner = torch.minimum(boxes[..., :, None, 2:], others[..., None, :, 2:])
    inner = (inner - torch.maximum(boxes[..., :, None, :2], others[..., None, :, :2]) + last).clamp(min=0)
    shared = inner.prod(-1)
    areas, areas_of_others = ((each[..., 2:] - each[..., :2] + last).prod(-1) for each in (boxes, others))
    union = areas[..., :, None] + areas_of_others[..., None, :] - shared
    ratio = shared / union  # where decoding turned a box inside out, 0 divided by something, which is too little
    return ratio >= threshold if last else ratio > threshold


def suppress(boxes: Tensor, threshold: float, most: int, *, last: float) -> Tensor:
    """The places (box,) of at most ``most`` boxes that no better one overlaps too much; boxes come best first."""
    left = torch.arange(len(boxes), device=boxes.device)
    best: list[Tensor] = []
    while len(left) and len(best) < most:
        best.append(left[0])
        left = left[1:][~overlapping(boxes[left[:1]], boxes[left[1:]], threshold, last=last)[0]]
    return torch.stack(best) if best else left


def suppress_by_class(boxes: Tensor, scores: Tensor, threshold: float, *, last: float) -> Tensor:
    """Whether each box survives in each class (class, box).

    Args:
        boxes: (1, box, 4) where all classes have the same boxes, else (class, box, 4).
        scores: (class, box).
        threshold: Of intersection over union.
        last: As for ``overlapping``.
    """
    size = _CHUNK if len(boxes) > 1 else max(1, len(scores))
    parts = []
    for start in range(0, len(scores), size):
        chunk, places = scores[start : start + size], slice(start, start + size)
        own = boxes[places] if len(boxes) > 1 else boxes
        close = overlapping(own, own, threshold, last=last)  # (class or 1, box, box)
        close.diagonal(dim1=-2, dim2=-1).fill_(False)
        classes = torch.arange(len(chunk), device=chunk.device)
        of = classes if len(own) > 1 else torch.zeros_like(classes)
        alive = torch.ones_like(chunk, dtype=torch.bool)
        for current in chunk.argsort(
            stable=True, dim=1, descending=True
        ).T:  # the best box of each class, then the next
            # No better box that is alive overlaps one that is, so only worse ones fall.
            alive &= ~(close[of, current] & alive[classes, current][:, None])
        parts.append(alive)
    return torch.cat(parts) if parts else torch.ones_like(scores, dtype=torch.bool)


def roi_align(maps: Tensor, boxes: Tensor, *, cells: int, scale: float) -> Tensor:
    """The means of bilinear samples in the cells of each box (box, channel, cell, cell), as in Mask R-CNN.

    Each side of a cell has as many samples as the box has pixels of the map per cell, rounded up. Rows and columns
    are sampled apart: the mean over a cell's samples is a product of two matrices.

    Args:
        maps: One picture's feature map (channel, row, column).
        boxes: In pixels of the picture.
        cells: Of a row and of a column.
        scale: Pixels of the map for one of the picture.
    """
    sides = boxes * scale
    rows = _samples(sides[:, 1], sides[:, 3], maps.shape[1], cells)
    columns = _samples(sides[:, 0], sides[:, 2], maps.shape[2], cells)
    return torch.einsum("bir,crs,bjs->bcij", rows, maps, columns)


def _samples(start: Tensor, end: Tensor, length: int, cells: int) -> Tensor:
    """How much each row (or column) of a map counts in each cell of a box (box, cell, row)."""
    extent = (end - start).clamp(min=1)
    counts = (extent / cells).ceil()  # (box,)
    most = int(counts.max()) if len(counts) else 1
    offsets = torch.arange(most, device=start.device)[None, None] + 0.5
    cell = torch.arange(cells, device=start.device)[None, :, None]
    points = start[:, None, None] + (cell + offsets / counts[:, None, None]) * (extent / cells)[:, None, None]
    inside = (points >= -1) & (points <= length) & (offsets < counts[:, None, None])
    points = points.clamp(min=0, max=length - 1)
    low = points.floor()
    share = points - low
    weights = start.new_zeros(len(start), cells, length)
    for place, weight in ((low, 1 - share), (low + 1, share)):
        weights.scatter_add_(2, place.long().clamp(max=length - 1), weight * inside)
    return weights / counts[:, None, None]


def roi_pool(maps: Tensor, boxes: Tensor, *, cells: int, scale: float) -> Tensor:
    """The largest values in the cells of each box (box, channel, cell, cell), as in Fast R-CNN.

    Cells may share rows and columns; one that lies outside of the map is 0. Arguments are those of ``roi_align``.
    """
    places = (boxes * scale + 0.5).floor().long()
    return (
        torch.stack(list(_pooled(maps, places, cells))) if len(places) else maps.new_zeros(0, len(maps), cells, cells)
    )


def _pooled(maps: Tensor, places: Tensor, cells: int) -> Iterator[Tensor]:
    lowest = torch.finfo(maps.dtype).min
    for left, top, right, bottom in places.tolist():
        beyond = max(0, right + 1 - maps.shape[2]), max(0, bottom + 1 - maps.shape[1])
        crop = maps[:, top : bottom + 1, left : right + 1]
        crop = functional.pad(crop, (0, beyond[0], 0, beyond[1]), value=lowest)
        largest = functional.adaptive_max_pool2d(crop, cells)
        yield largest.masked_fill(largest == lowest, 0)
