"""Tiny random checkpoints in published layouts, keys written out as the published files have them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

State = dict[str, NDArray[Any]]

C4 = {
    "stem": 4, "blocks": [1, 2, 1, 2], "groups": 2, "inner": 4, "outer": 8, "proposals": 6, "objects": 5,
    "attributes": 4, "embedding": 3, "hidden": 6,
}  # fmt: skip
OBJECTS = ["man", "dog", "red ball", "tree", "street sign"]
ATTRIBUTES = ["tall", "red", "wet", "old"]


def _c4(anchors: int, names: Callable[[str], str], norm: Callable[[str], str], seed: int, groups: int) -> State:
    """The arrays of a detector; ``names`` gives a part's published prefix, ``norm`` that of a convolution's norm."""
    random = np.random.default_rng(seed)
    state: State = {}

    def conv(key: str, *shape: int, bias: bool = False, scale: float = 1.5) -> None:
        spread = scale / np.sqrt(np.prod(shape[1:]))
        state[f"{key}.weight"] = random.normal(0, spread, shape)
        if bias:
            state[f"{key}.bias"] = random.normal(0, 0.1, shape[0])

    def normed(key: str, channels: int) -> None:
        state[f"{key}.weight"] = random.uniform(0.5, 1.5, channels)
        state[f"{key}.bias"] = random.normal(0, 0.1, channels)
        state[f"{key}.running_mean"] = random.normal(0, 0.1, channels)
        state[f"{key}.running_var"] = random.uniform(0.5, 1.5, channels)

    conv(names("stem"), 4, 3, 7, 7, scale=0.02)
    normed(norm(names("stem")), 4)
    width = 4
    for stage, blocks in enumerate([1, 2, 1, 2]):
        inner, outer = 4 * 2**stage, 8 * 2**stage
        for block in range(blocks):
            at = f"{names(f'stage{stage}')}.{block}"
            for number, shape in enumerate(
                [(inner, width, 1, 1), (inner, inner // groups, 3, 3), (outer, inner, 1, 1)], 1
            ):
                conv(f"{at}.conv{number}", *shape)
                normed(norm(f"{at}.conv{number}"), shape[0])
            if not block:
                conv(f"{at}{names('shortcut')}", outer, width, 1, 1)
                normed(norm(f"{at}{names('shortcut')}"), outer)
            width = outer
    conv(names("rpn"), 6, 32, 3, 3, bias=True)
    conv(names("objectness"), anchors, 6, 1, 1, bias=True)
    conv(names("deltas"), 4 * (anchors if anchors == 15 else anchors // 2), 6, 1, 1, bias=True, scale=0.3)
    conv(names("classes"), 6, 64, bias=True, scale=0.3)
    conv(names("boxes"), 24, 64, bias=True, scale=0.3)
    state[f"{names('embedding')}.weight"] = random.normal(size=(6, 3))
    conv(names("hidden"), 6, 67, bias=True)
    conv(names("attributes"), 5, 6, bias=True)
    return state


_VINVL = {
    "stem": "backbone.body.stem.conv1", "stage0": "backbone.body.layer1", "stage1": "backbone.body.layer2",
    "stage2": "backbone.body.layer3", "stage3": "roi_heads.box.feature_extractor.head.layer4",
    "shortcut": ".downsample.0", "rpn": "rpn.head.conv", "objectness": "rpn.head.cls_logits",
    "deltas": "rpn.head.bbox_pred", "classes": "roi_heads.box.predictor.cls_score",
    "boxes": "roi_heads.box.predictor.bbox_pred", "embedding": "attribute.predictor.cls_embedding",
    "hidden": "attribute.predictor.fc_attr", "attributes": "attribute.predictor.attr_score",
}  # fmt: skip
_BOTTOMUP = {
    "stem": "backbone.stem.conv1", "stage0": "backbone.res2", "stage1": "backbone.res3", "stage2": "backbone.res4",
    "stage3": "roi_heads.res5", "shortcut": ".shortcut", "rpn": "proposal_generator.rpn_head.conv",
    "objectness": "proposal_generator.rpn_head.objectness_logits",
    "deltas": "proposal_generator.rpn_head.anchor_deltas", "classes": "roi_heads.box_predictor.cls_score",
    "boxes": "roi_heads.box_predictor.bbox_pred", "embedding": "roi_heads.box_predictor.cls_embed",
    "hidden": "roi_heads.box_predictor.attr_linear1", "attributes": "roi_heads.box_predictor.attr_linear2",
}  # fmt: skip


def vinvl_state(seed: int = 0) -> State:
    """As maskrcnn-benchmark saves it: the last stage stands there twice, and the anchors with it."""

    def norm(key: str) -> str:
        return f"{key[:-1]}1" if key.endswith(".downsample.0") else key.replace(".conv", ".bn")

    state = _c4(15, _VINVL.__getitem__, norm, seed, groups=2)
    head = "roi_heads.box.feature_extractor"
    copies = {key.replace(head, "attribute.feature_extractor"): array for key, array in state.items() if head in key}
    return {**state, **copies}


def bottomup_state(seed: int = 0) -> State:
    """As detectron2 saves what was converted from Caffe, with a counter beside each norm that was not frozen."""
    state = _c4(24, _BOTTOMUP.__getitem__, "{}.norm".format, seed, groups=1)
    random = np.random.default_rng(seed)
    anchors = random.uniform(-40, 0, (12, 2)), random.uniform(10, 60, (12, 2))
    state["proposal_generator.anchor_generator.cell_anchors.0"] = np.concatenate(anchors, 1)
    state["roi_heads.res5.0.conv1.norm.num_batches_tracked"] = np.array(7)
    return state


def save(folder: Path, state: State) -> None:
    """Write ``model.safetensors``, floats in single precision."""
    from safetensors.numpy import save_file

    single = {key: array.astype(np.float32) if array.dtype.kind == "f" else array for key, array in state.items()}
    save_file(single, folder / "model.safetensors")


def write(folder: Path, name: str, content: Any) -> None:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def vinvl(folder: Path) -> None:
    save(folder, vinvl_state())
    write(folder, "config.json", C4)
    tables = {"label_to_idx": OBJECTS, "attribute_to_idx": ATTRIBUTES}
    labels = {key: {name: place for place, name in enumerate(names, 1)} for key, names in tables.items()}
    write(folder, "VG-SGG-dicts-vgoi6-clipped.json", labels)


def bottomup(folder: Path) -> None:
    save(folder, bottomup_state())
    write(folder, "config.json", {**C4, "groups": 1})
    write(folder, "objects_vocab.txt", "\n".join(OBJECTS) + "\n")
    write(folder, "attributes_vocab.txt", "\n".join(ATTRIBUTES) + "\n")


WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "a",
    "man",
    "dog",
    "red",
    "##s",
    "ball",
    "tree",
    "street",
    "sign",
]
OSCAR = {
    "vocab_size": len(WORDS), "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 12, "max_position_embeddings": 80, "img_feature_dim": 70,
    "use_img_layernorm": True, "hidden_act": "gelu",
}  # fmt: skip
UPDOWN = {
    "vocab_size": 5, "input_encoding_size": 4, "rnn_size": 6, "att_hid_size": 3, "att_feat_size": 64,
    "fc_feat_size": 64,
}  # fmt: skip


def oscar_state(seed: int = 0) -> State:
    """As Oscar saves a captioner: norms with gamma and beta, the word vectors once more as the last layer."""
    random = np.random.default_rng(seed)
    state: State = {}

    def linear(key: str, out: int, width: int) -> None:
        state[f"{key}.weight"] = random.normal(0, 1.5 / np.sqrt(width), (out, width))
        state[f"{key}.bias"] = random.normal(0, 0.2, out)

    def norm(key: str, names: tuple[str, str] = ("gamma", "beta")) -> None:
        state[f"{key}.{names[0]}"], state[f"{key}.{names[1]}"] = random.uniform(0.5, 1.5, 8), random.normal(0, 0.2, 8)

    for name, rows in (("word", len(WORDS)), ("position", 80), ("token_type", 2)):
        state[f"bert.embeddings.{name}_embeddings.weight"] = random.normal(size=(rows, 8))
    norm("bert.embeddings.LayerNorm")
    linear("bert.img_embedding", 8, 70)
    norm("bert.LayerNorm", ("weight", "bias"))
    for layer in range(2):
        at = f"bert.encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            linear(f"{at}.attention.{part}", 8, 8)
        norm(f"{at}.attention.output.LayerNorm")
        linear(f"{at}.intermediate.dense", 12, 8)
        linear(f"{at}.output.dense", 8, 12)
        norm(f"{at}.output.LayerNorm")
    linear("bert.pooler.dense", 8, 8)
    linear("cls.predictions.transform.dense", 8, 8)
    norm("cls.predictions.transform.LayerNorm")
    state["cls.predictions.decoder.weight"] = state["bert.embeddings.word_embeddings.weight"].copy()
    state["cls.predictions.bias"] = random.normal(size=len(WORDS))
    state["cls.predictions.bias"][:5] -= 9  # a sentence has words, and few special tokens
    return state


def updown_state(seed: int = 0) -> State:
    random = np.random.default_rng(seed)
    shapes = {
        "embed.0.weight": (6, 4), "fc_embed.0.weight": (6, 64), "fc_embed.0.bias": (6,), "att_embed.0.weight": (6, 64),
        "att_embed.0.bias": (6,), "ctx2att.weight": (3, 6), "ctx2att.bias": (3,), "logit.weight": (6, 6),
        "logit.bias": (6,), "core.attention.h2att.weight": (3, 6), "core.attention.h2att.bias": (3,),
        "core.attention.alpha_net.weight": (1, 3), "core.attention.alpha_net.bias": (1,),
        "core.att_lstm.weight_ih": (24, 16), "core.lang_lstm.weight_ih": (24, 12),
        **{f"core.{kind}_lstm.weight_hh": (24, 6) for kind in ("att", "lang")},
        **{f"core.{kind}_lstm.bias_{of}": (24,) for kind in ("att", "lang") for of in ("ih", "hh")},
    }  # fmt: skip
    return {key: random.normal(0, 2 / np.sqrt(shape[-1]), shape) for key, shape in shapes.items()}


def resnet_state(depths: tuple[int, ...] = (3, 4, 6, 3), *, bottleneck: bool = True, seed: int = 0) -> State:
    """As torchvision saves a ResNet, here without the counters of its norms and with three classes."""
    random = np.random.default_rng(seed)
    state: State = {}

    def step(conv: str, norm: str, *shape: int) -> None:
        state[f"{conv}.weight"] = random.normal(0, 1.2 / np.sqrt(np.prod(shape[1:])), shape)
        state[f"{norm}.weight"], state[f"{norm}.bias"] = (
            random.uniform(0.3, 0.9, shape[0]),
            random.normal(0, 0.1, shape[0]),
        )
        state[f"{norm}.running_mean"] = random.normal(0, 0.1, shape[0])
        state[f"{norm}.running_var"] = random.uniform(0.5, 1.5, shape[0])

    step("conv1", "bn1", 6, 3, 7, 7)
    width = 6
    for stage, blocks in enumerate(depths, 1):
        outer = 4 * (stage + 1)
        inner = outer // 4
        for block in range(blocks):
            at = f"layer{stage}.{block}"
            shapes = [(outer, width, 3, 3), (outer, outer, 3, 3)]
            if bottleneck:
                shapes = [(inner, width, 1, 1), (inner, inner, 3, 3), (outer, inner, 1, 1)]
            for number, shape in enumerate(shapes, 1):
                step(f"{at}.conv{number}", f"{at}.bn{number}", *shape)
            if not block:
                step(f"{at}.downsample.0", f"{at}.downsample.1", outer, width, 1, 1)
            width = outer
    state["fc.weight"], state["fc.bias"] = random.normal(size=(3, width)), random.normal(size=3)
    return state


def resnet(folder: Path) -> None:
    save(folder, resnet_state())


def oscar(folder: Path) -> None:
    save(folder, oscar_state())
    write(folder, "config.json", OSCAR)
    write(folder, "vocab.txt", "\n".join(WORDS) + "\n")


def updown(folder: Path) -> None:
    save(folder, updown_state())
    write(folder, "config.json", UPDOWN)
    write(folder, "cocotalk.json", {"ix_to_word": {"1": "a", "2": "man", "3": "dog", "4": "runs", "5": "UNK"}})


MAKERS: dict[str, Callable[[Path], None]] = {
    "c4-vinvl": vinvl, "c4-bottomup": bottomup, "oscar": oscar, "updown": updown,
    "torchvision": resnet,
}  # fmt: skip
