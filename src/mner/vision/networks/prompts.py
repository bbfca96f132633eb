"""A picture and a prompt -> the input of a network that writes, by its architecture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from PIL import Image

from mner.errors import ModelError
from mner.vision.networks.load import CHATS, Network

ASK = "Describe this picture in one short sentence."
"""The question to a chat model where no prompt is set."""

_QWEN_PICTURE = "<|image_pad|>"


def check(network: Network) -> None:
    """Raise a ModelError for a chat model without a chat template."""
    if _INPUTS.get(network.architecture) in (_smol, _qwen) and network.template is None:
        raise ModelError(f"{network.folder}: a {network.architecture} without chat_template.jinja; copy that as well")


def inputs(network: Network, picture: Image.Image, prompt: str) -> tuple[dict[str, Any], int]:
    """The input of one picture, and how many token ids of the output are the question repeated, not the answer."""
    with network.lock:
        arrays, repeated = _INPUTS[network.architecture](network, picture, prompt)
    return network.on_device(arrays), repeated


def _blip(network: Network, picture: Image.Image, prompt: str) -> tuple[dict[str, Any], int]:
    """The caption continues the prompt ("a picture of"), which is part of it."""
    return dict(network.processor(images=picture, text=prompt or None, return_tensors="pt")), 0


def _blip2(network: Network, picture: Image.Image, prompt: str) -> tuple[dict[str, Any], int]:
    """The output of BLIP-2 is the answer alone, or repeats its input, by the language model inside."""
    # Without a text the processor leaves out the places of the picture, so the text is there, and empty.
    arrays = dict(network.processor(images=picture, text=prompt, return_tensors="pt"))
    repeats = not network.model.language_model.config.is_encoder_decoder
    return arrays, arrays["input_ids"].shape[1] if repeats else 0


def _git(network: Network, picture: Image.Image, prompt: str) -> tuple[dict[str, Any], int]:
    """GIT continues after its first token and the prompt, which is part of the caption."""
    ids = network.tokenizer(prompt, add_special_tokens=False)["input_ids"] if prompt else []
    arrays = dict(network.images(images=picture, return_tensors="pt"))
    arrays["input_ids"] = torch.tensor([[network.tokenizer.cls_token_id, *ids]])
    return arrays, 0


def _smol(network: Network, picture: Image.Image, prompt: str) -> tuple[dict[str, Any], int]:
    arrays = dict(network.processor(images=[picture], text=_question(network, prompt), return_tensors="pt"))
    return arrays, arrays["input_ids"].shape[1]


def _qwen(network: Network, picture: Image.Image, prompt: str) -> tuple[dict[str, Any], int]:
    """As the processor of Qwen-VL does it: a place in the text for each square of merged patches."""
    arrays = dict(network.images(images=[picture], return_tensors="pt"))
    places = int(arrays["image_grid_thw"][0].prod()) // network.images.merge_size**2
    text = _question(network, prompt).replace(_QWEN_PICTURE, _QWEN_PICTURE * places, 1)
    arrays.update(network.tokenizer(text, return_tensors="pt"))
    seen = arrays["input_ids"] == network.tokenizer.convert_tokens_to_ids(_QWEN_PICTURE)
    arrays["mm_token_type_ids"] = seen.long()
    return arrays, arrays["input_ids"].shape[1]


def _question(network: Network, prompt: str) -> str:
    """The question in the model's own form of a conversation."""
    content = [{"type": "image"}, {"type": "text", "text": prompt or ASK}]
    text: str = network.tokenizer.apply_chat_template(
        [{"role": "user", "content": content}],
        chat_template=network.template,
        tokenize=False,
        add_generation_prompt=True,
    )
    return text


_INPUTS: dict[str, Callable[[Network, Image.Image, str], tuple[dict[str, Any], int]]] = {
    "blip": _blip,
    "blip-2": _blip2,
    "git": _git,
    "smolvlm": _smol,
    "idefics3": _smol,
    **dict.fromkeys(CHATS, _qwen),
}
