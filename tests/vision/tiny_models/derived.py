"""The forward passes of the published networks once more, in numpy and plain loops, from the published keys."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def softmax(scores: Array, axis: int = -1) -> Array:
    powers = np.exp(scores - scores.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def conv(maps: Array, weight: Array, *, stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1) -> Array:
    maps = np.pad(maps, ((0, 0), (padding, padding), (padding, padding)))
    out, per_group, high, wide = weight.shape
    rows = (maps.shape[1] - dilation * (high - 1) - 1) // stride + 1
    columns = (maps.shape[2] - dilation * (wide - 1) - 1) // stride + 1
    result = np.zeros((out, rows, columns))
    for part in range(groups):
        own = slice(part * out // groups, (part + 1) * out // groups)
        given = maps[part * per_group : (part + 1) * per_group]
        for down in range(high):
            for across in range(wide):
                top, left = down * dilation, across * dilation
                seen = given[:, top : top + stride * rows : stride, left : left + stride * columns : stride]
                seen = seen[:, :rows, :columns]
                result[own] += np.tensordot(weight[own, :, down, across], seen, 1)
    return result


def max_pool(maps: Array, *, padded: bool) -> Array:
    """3 x 3, stride 2; padded on all sides, or filled up at the right and below."""
    _, rows, columns = maps.shape
    first = 1 if padded else 0
    high, wide = ((each + 2 * first - 3) / 2 for each in (rows, columns))
    high, wide = (math.floor(each) + 1 if padded else math.ceil(each) + 1 for each in (high, wide))
    result = np.zeros((len(maps), high, wide))
    for row in range(high):
        for column in range(wide):
            top, left = max(0, 2 * row - first), max(0, 2 * column - first)
            result[:, row, column] = maps[:, top : 2 * row - first + 3, left : 2 * column - first + 3].max((1, 2))
    return result


def iou(first: Array, second: Array, last: float) -> float:
    width = min(first[2], second[2]) - max(first[0], second[0]) + last
    height = min(first[3], second[3]) - max(first[1], second[1]) + last
    shared = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0] + last) * (box[3] - box[1] + last) for box in (first, second)]
    union = sum(areas) - shared
    return shared / union if union else 0.0


def nms(boxes: Array, scores: Array, threshold: float, last: float) -> list[int]:
    best: list[int] = []
    for place in sorted(range(len(boxes)), key=lambda each: -scores[each]):
        overlaps = [iou(boxes[place], boxes[other], last) for other in best]
        if all(overlap < threshold if last else overlap <= threshold for overlap in overlaps):
            best.append(place)
    return best


def roi_align(maps: Array, box: Array, cells: int, scale: float) -> Array:
    left, top, right, bottom = box * scale
    width, height = max(right - left, 1.0), max(bottom - top, 1.0)
    across, down = math.ceil(width / cells), math.ceil(height / cells)
    result = np.zeros((len(maps), cells, cells))
    for row in range(cells):
        for column in range(cells):
            for i in range(down):
                for j in range(across):
                    y = top + (row + (i + 0.5) / down) * height / cells
                    x = left + (column + (j + 0.5) / across) * width / cells
                    result[:, row, column] += bilinear(maps, y, x) / (across * down)
    return result


def bilinear(maps: Array, y: float, x: float) -> Array:
    _, rows, columns = maps.shape
    if y < -1 or y > rows or x < -1 or x > columns:
        return np.zeros(len(maps))
    y, x = min(max(y, 0.0), rows - 1), min(max(x, 0.0), columns - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
    down, across = y - top, x - left
    return (
        maps[:, top, left] * (1 - down) * (1 - across)
        + maps[:, top, right] * (1 - down) * across
        + maps[:, bottom, left] * down * (1 - across)
        + maps[:, bottom, right] * down * across
    )


def roi_pool(maps: Array, box: Array, cells: int, scale: float) -> Array:
    left, top, right, bottom = (math.floor(side * scale + 0.5) for side in box)
    width, height = max(right - left + 1, 1), max(bottom - top + 1, 1)
    result = np.zeros((len(maps), cells, cells))
    for row in range(cells):
        for column in range(cells):
            rows = top + row * height // cells, top - (-(row + 1) * height // cells)
            columns = left + column * width // cells, left - (-(column + 1) * width // cells)
            part = maps[:, rows[0] : min(rows[1], maps.shape[1]), columns[0] : min(columns[1], maps.shape[2])]
            if part.size:
                result[:, row, column] = part.max((1, 2))
    return result


def decoded(delta: Array, box: Array, weights: tuple[float, ...], last: float) -> list[float]:
    width, height = box[2] - box[0] + 1, box[3] - box[1] + 1
    x = delta[0] / weights[0] * width + box[0] + width / 2
    y = delta[1] / weights[1] * height + box[1] + height / 2
    width *= math.exp(min(delta[2] / weights[2], math.log(1000 / 16)))
    height *= math.exp(min(delta[3] / weights[3], math.log(1000 / 16)))
    return [x - width / 2, y - height / 2, x + width / 2 - last, y + height / 2 - last]


class C4:
    """One detector; ``vinvl`` says whose."""

    def __init__(self, state: dict[str, Array], *, vinvl: bool) -> None:
        self.state, self.vinvl, self.last = state, vinvl, 1 if vinvl else 0

    def norm(self, maps: Array, key: str) -> Array:
        weight, bias, mean, variance = (
            self.state[f"{key}.{name}"][:, None, None] for name in ("weight", "bias", "running_mean", "running_var")
        )
        return weight * (maps - mean) / np.sqrt(variance + (0 if self.vinvl else 1e-5)) + bias

    def block(self, maps: Array, at: str, stride: int, dilation: int) -> Array:
        def step(maps: Array, key: str, **settings: int) -> Array:
            if self.vinvl:
                of = f"{key[:-1]}1" if key.endswith("downsample.0") else key.replace("conv", "bn")
            else:
                of = f"{key}.norm"
            return self.norm(conv(maps, self.state[f"{key}.weight"], **settings), of)

        first, second = (1, stride) if self.vinvl else (stride, 1)
        hidden = np.maximum(step(maps, f"{at}.conv1", stride=first), 0)
        groups = 2 if self.vinvl else 1
        settings = {"stride": second, "padding": dilation, "dilation": dilation, "groups": groups}
        hidden = np.maximum(step(hidden, f"{at}.conv2", **settings), 0)
        hidden = step(hidden, f"{at}.conv3")
        shortcut = f"{at}.downsample.0" if self.vinvl else f"{at}.shortcut"
        if f"{shortcut}.weight" in self.state:
            maps = step(maps, shortcut, stride=stride)
        return np.maximum(hidden + maps, 0)

    def stage(self, maps: Array, at: str, blocks: int, stride: int, dilation: int = 1) -> Array:
        for number in range(blocks):
            maps = self.block(maps, f"{at}.{number}", 1 if number else stride, dilation)
        return maps

    def linear(self, inputs: Array, key: str) -> Array:
        return inputs @ self.state[f"{key}.weight"].T + self.state[f"{key}.bias"]

    def maps(self, pixels: Array) -> Array:
        stem = "backbone.body.stem" if self.vinvl else "backbone.stem"
        hidden = conv(pixels, self.state[f"{stem}.conv1.weight"], stride=2, padding=3)
        hidden = np.maximum(self.norm(hidden, f"{stem}.bn1" if self.vinvl else f"{stem}.conv1.norm"), 0)
        hidden = max_pool(hidden, padded=self.vinvl)
        for number, blocks in enumerate((1, 2, 1)):
            at = f"backbone.body.layer{number + 1}" if self.vinvl else f"backbone.res{number + 2}"
            hidden = self.stage(hidden, at, blocks, 2 if number else 1)
        return hidden

    def proposals(self, maps: Array, width: int, height: int, scale: float) -> Array:
        head = "rpn.head" if self.vinvl else "proposal_generator.rpn_head"
        objectness, deltas = ("cls_logits", "bbox_pred") if self.vinvl else ("objectness_logits", "anchor_deltas")
        bias = {part: self.state[f"{head}.{part}.bias"][:, None, None] for part in ("conv", objectness, deltas)}
        hidden = np.maximum(conv(maps, self.state[f"{head}.conv.weight"], padding=1) + bias["conv"], 0)
        logits = conv(hidden, self.state[f"{head}.{objectness}.weight"]) + bias[objectness]
        changes = conv(hidden, self.state[f"{head}.{deltas}.weight"]) + bias[deltas]
        anchors = self.anchors()
        boxes, scores = [], []
        for row in range(maps.shape[1]):
            for column in range(maps.shape[2]):
                for number, anchor in enumerate(anchors):
                    shifted = anchor + 16 * np.array([column, row, column, row])
                    delta = changes[4 * number : 4 * number + 4, row, column]
                    box = np.array(decoded(delta, shifted, (1, 1, 1, 1), self.last))
                    box = box.clip(0, np.array([width - 1, height - 1] * 2))
                    if not self.vinvl and min(box[2] - box[0], box[3] - box[1]) + 1 <= max(16 * scale, 1):
                        continue
                    boxes.append(box)
                    if self.vinvl:
                        scores.append(1 / (1 + math.exp(-logits[number, row, column])))
                    else:
                        pair = logits[[number, number + len(anchors)], row, column]
                        scores.append(softmax(pair)[1])
        best = nms(np.array(boxes), np.array(scores), 0.7, 0 if self.vinvl else 1)
        return np.array(boxes)[best[:300]]

    def anchors(self) -> Array:
        key = "proposal_generator.anchor_generator.cell_anchors.0"
        if key in self.state:
            return self.state[key]
        rows = []
        for ratio in (0.5, 1, 2):
            wide = round(math.sqrt(256 / ratio))
            for size in (32, 64, 128, 256, 512):
                width, height = wide * size / 16, round(wide * ratio) * size / 16
                rows.append(
                    [7.5 - (width - 1) / 2, 7.5 - (height - 1) / 2, 7.5 + (width - 1) / 2, 7.5 + (height - 1) / 2]
                )
        return np.array(rows)

    def features(self, maps: Array, boxes: Array) -> Array:
        pool = roi_align if self.vinvl else roi_pool
        at = "roi_heads.box.feature_extractor.head.layer4" if self.vinvl else "roi_heads.res5"
        stride, dilation = (2, 1) if self.vinvl else (1, 2)
        return np.array(
            [self.stage(pool(maps, box, 14, 1 / 16), at, 2, stride, dilation).mean((1, 2)) for box in boxes]
        )

    def regions(self, pixels: Array, scale: float, *, threshold: float, least: int, most: int, refine: bool) -> Any:
        height, width = pixels.shape[1:]
        maps = self.maps(pixels)
        boxes = self.proposals(maps, width, height, scale)
        features = self.features(maps, boxes)
        at = "roi_heads.box.predictor" if self.vinvl else "roi_heads.box_predictor"
        scores = softmax(self.linear(features, f"{at}.cls_score"))
        moved = np.repeat(boxes[:, None], 6, 1)
        if refine:
            deltas = self.linear(features, f"{at}.bbox_pred").reshape(-1, 6, 4)
            weights = (10, 10, 5, 5) if self.vinvl else (1, 1, 1, 1)
            for region in range(len(boxes)):
                for kind in range(6):
                    box = np.array(decoded(deltas[region, kind], boxes[region], weights, self.last))
                    moved[region, kind] = box.clip(0, np.array([width - 1, height - 1] * 2))
        alive = np.zeros_like(scores)
        for kind in range(1, 6):
            own = moved[:, kind] / (1 if self.vinvl else scale)
            alive[nms(own, scores[:, kind], 0.3, 0 if self.vinvl else 1), kind] = 1
        sure = (alive * scores).max(1)
        order = np.argsort(-sure)
        count = min(max((sure >= threshold).sum(), least), most, (sure > 0).sum())
        order = order[:count]
        labels = (alive * scores).argmax(1)[order] if self.vinvl else scores[order, 1:].argmax(1) + 1
        chosen = moved[order, labels]
        seen = self.features(maps, chosen) if refine and self.vinvl else features[order]
        kinds = labels if self.vinvl else scores[order].argmax(1)
        embedding = self.state["attribute.predictor.cls_embedding.weight" if self.vinvl else f"{at}.cls_embed.weight"]
        parts = ("attribute.predictor.fc_attr", "attribute.predictor.attr_score")
        hidden, last = parts if self.vinvl else (f"{at}.attr_linear1", f"{at}.attr_linear2")
        joined = np.concatenate([seen, embedding[kinds]], 1)
        shares = softmax(self.linear(np.maximum(self.linear(joined, hidden), 0), last))
        shares[:, 0] = 0
        if self.vinvl:
            shares[shares <= 0.05] = 0
        return chosen, labels, scores[order, labels], shares, features[order]


def oscar(state: dict[str, Array], words: list[int], labels: list[int], regions: Array) -> Array:
    """Logits at the last of the words, from one pass over words, object names and regions with one mask."""

    def norm(hidden: Array, key: str) -> Array:
        weight, bias = (state.get(f"{key}.{old}", state.get(f"{key}.{new}")) for old, new in NORMS)
        mean, variance = hidden.mean(-1, keepdims=True), hidden.var(-1, keepdims=True)
        return (hidden - mean) / np.sqrt(variance + 1e-12) * weight + bias

    def linear(hidden: Array, key: str) -> Array:
        return hidden @ state[f"{key}.weight"].T + state[f"{key}.bias"]

    def gelu(hidden: Array) -> Array:
        return hidden * (1 + np.vectorize(math.erf)(hidden / math.sqrt(2))) / 2

    word, position, kind = (
        state[f"bert.embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
    )
    places = [*range(len(words)), *range(40, 40 + len(labels))]
    kinds = [0] * len(words) + [1] * len(labels)
    text = norm(word[words + labels] + position[places] + kind[kinds], "bert.embeddings.LayerNorm")
    hidden = np.concatenate([text, norm(linear(regions, "bert.img_embedding"), "bert.LayerNorm")])
    count, mask = len(words), np.zeros((len(hidden), len(hidden)))
    mask[count:, :count] = -10000
    mask[:count, :count] = np.triu(np.full((count, count), -10000.0), 1)
    for layer in range(2):
        at = f"bert.encoder.layer.{layer}"
        query, key, value = (linear(hidden, f"{at}.attention.self.{part}") for part in ("query", "key", "value"))
        heads = []
        for part in (slice(0, 4), slice(4, 8)):
            heads.append(softmax(query[:, part] @ key[:, part].T / 2 + mask) @ value[:, part])
        mixed = linear(np.concatenate(heads, 1), f"{at}.attention.output.dense")
        hidden = norm(mixed + hidden, f"{at}.attention.output.LayerNorm")
        wide = gelu(linear(hidden, f"{at}.intermediate.dense"))
        hidden = norm(linear(wide, f"{at}.output.dense") + hidden, f"{at}.output.LayerNorm")
    last = gelu(linear(hidden[count - 1], "cls.predictions.transform.dense"))
    last = norm(last, "cls.predictions.transform.LayerNorm")
    return last @ state["cls.predictions.decoder.weight"].T + state["cls.predictions.bias"]


NORMS = (("gamma", "weight"), ("beta", "bias"))


def updown(state: dict[str, Array], words: list[int], features: Array) -> Array:
    """Logits after the words."""

    def linear(inputs: Array, key: str) -> Array:
        return inputs @ state[f"{key}.weight"].T + state[f"{key}.bias"]

    def sigmoid(scores: Array) -> Array:
        return 1 / (1 + np.exp(-scores))

    def lstm(inputs: Array, hidden: Array, cell: Array, key: str) -> tuple[Array, Array]:
        gates = state[f"{key}.weight_ih"] @ inputs + state[f"{key}.bias_ih"]
        gates = gates + state[f"{key}.weight_hh"] @ hidden + state[f"{key}.bias_hh"]
        enter, forget, new, leave = np.split(gates, 4)
        cell = sigmoid(forget) * cell + sigmoid(enter) * np.tanh(new)
        return sigmoid(leave) * np.tanh(cell), cell

    whole = np.maximum(linear(features.mean(0), "fc_embed.0"), 0)
    regions = np.maximum(linear(features, "att_embed.0"), 0)
    keys = linear(regions, "ctx2att")
    looking, writing = (np.zeros(6), np.zeros(6)), (np.zeros(6), np.zeros(6))
    for word in words:
        embedded = np.maximum(state["embed.0.weight"][word], 0)
        looking = lstm(np.concatenate([writing[0], whole, embedded]), *looking, "core.att_lstm")
        scores = linear(np.tanh(keys + linear(looking[0], "core.attention.h2att")), "core.attention.alpha_net")
        mixed = softmax(scores[:, 0]) @ regions
        writing = lstm(np.concatenate([mixed, looking[0]]), *writing, "core.lang_lstm")
    return linear(writing[0], "logit")
