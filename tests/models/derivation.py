"""The layers that systems are made of, derived in numpy one sequence at a time: no batch, no padding, no mask.

Of a layer under test they take its weights and sizes, never its results.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

Array = np.ndarray


def weights(tensor: torch.Tensor) -> Array:
    return tensor.detach().double().numpy()


def randomized(module: Any, seed: int = 0, std: float = 0.5) -> Any:
    """The module with random numbers for all its weights, so that none is near 0 or 1 and hides what it does."""
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=noise) * std)
    return module.eval()


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def gelu(x: Array) -> Array:
    return x * 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2)))


def softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def linear(layer: Any, x: Array) -> Array:
    product = x @ weights(layer.weight).T
    return product if layer.bias is None else product + weights(layer.bias)


def norm(layer: Any, x: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + layer.eps)
    return scaled * weights(layer.weight) + weights(layer.bias)


def attend(layers: tuple[Any, Any, Any, Any], heads: int, queries: Array, keys: Array) -> Array:
    """What queries (query, width) gather from keys (key, width) by multi-head attention; zeros from no key.

    ``layers`` are the linear ones of queries, keys, values and the result.
    """
    if not len(keys):
        return np.zeros_like(queries)
    of_queries, of_keys, of_values, output = layers
    q, k, v = linear(of_queries, queries), linear(of_keys, keys), linear(of_values, keys)
    size = q.shape[-1] // heads
    gathered = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        gathered.append(softmax(q[:, part] @ k[:, part].T / math.sqrt(size)) @ v[:, part])
    return linear(output, np.concatenate(gathered, -1))


def attention(layer: Any, queries: Array, keys: Array) -> Array:
    """``parts.fusion.Attention``."""
    return attend((layer.query, layer.key, layer.value, layer.output), layer.heads, queries, keys)


def feedforward(part: Any, x: Array, activation: Any) -> Array:
    """``parts.fusion.FeedForward``: its last linear layer is the one before its dropout."""
    first, last = (layer for layer in part.layers if isinstance(layer, nn.Linear))
    return norm(part.norm, x + linear(last, activation(linear(first, x))))


def cross_layer(layer: Any, queries: Array, keys: Array, activation: Any = gelu) -> Array:
    """``parts.fusion.CrossLayer``."""
    read = norm(layer.norm, queries + attention(layer.attention, queries, keys))
    return feedforward(layer.feedforward, read, activation)


def graph_layer(layer: Any, words: Array, objects: Array, *, last: bool) -> tuple[Array, Array]:
    """``parts.fusion.GraphLayer`` (Zhang et al., AAAI 2021, section 3.2)."""
    nodes = [words, objects]
    inside = [
        norm(layer.norms[kind], nodes[kind] + attention(layer.within[kind], nodes[kind], nodes[kind]))
        for kind in range(2)
    ]
    fused = list(inside)
    for kind in range(1 if last else 2):
        own, other = inside[kind], inside[1 - kind]
        message = np.zeros_like(own)
        for place in range(len(own)):
            for neighbour in other:
                gate = linear(layer.own[kind], own[place]) + linear(layer.other[kind], neighbour)
                message[place] += sigmoid(gate) * neighbour
        received = norm(layer.received[kind], own + message)
        fused[kind] = feedforward(layer.feedforward[kind], received, relu)
    return fused[0], fused[1]


def lstm(layer: Any, steps: Array) -> Array:
    """The states (step, hidden) of an LSTM over steps (step, width)."""
    state = cell = np.zeros(layer.hidden_size)
    states = []
    for step in steps:
        total = weights(layer.weight_ih_l0) @ step + weights(layer.bias_ih_l0)
        total = total + weights(layer.weight_hh_l0) @ state + weights(layer.bias_hh_l0)
        enters, stays, new, leaves = np.split(total, 4)
        cell = sigmoid(stays) * cell + sigmoid(enters) * np.tanh(new)
        state = sigmoid(leaves) * np.tanh(cell)
        states.append(state)
    return np.array(states)


def bilstm(layer: Any, steps: Array) -> Array:
    """``parts.recurrent.BiLSTM``: [forward ; backward] of each step, layer upon layer."""
    for ahead, back in zip(layer.ahead, layer.back, strict=True):
        steps = np.concatenate([lstm(ahead, steps), lstm(back, steps[::-1])[::-1]], -1)
    return steps


def characters(layer: Any, word: str) -> Array:
    """``parts.recurrent.CharacterEncoder``: the last states of both directions over the word's characters."""
    embedded = weights(layer.embedding.weight)[[min(ord(character), layer.known) for character in word]]
    states = bilstm(layer.lstm, embedded)
    half = states.shape[-1] // 2
    return np.concatenate([states[-1, :half], states[0, half:]])


def bert_embeddings(network: Any, vectors: Array, types: Array | int = 0) -> Array:
    """BERT's embedding layer on word embeddings (token, width), positions counted from 0."""
    table = network.embeddings
    places = weights(table.position_embeddings.weight)[: len(vectors)]
    kinds = weights(table.token_type_embeddings.weight)[np.zeros(len(vectors), int) + types]
    return norm(table.LayerNorm, vectors + places + kinds)


def bert_layers(network: Any, sequence: Array) -> Array:
    """BERT's layers, one after another, on a sequence (position, width) all of which is real."""
    for layer in network.encoder.layer:
        inside = layer.attention.self
        layers = (inside.query, inside.key, inside.value, layer.attention.output.dense)
        read = attend(layers, inside.num_attention_heads, sequence, sequence)
        sequence = norm(layer.attention.output.LayerNorm, sequence + read)
        inner = gelu(linear(layer.intermediate.dense, sequence))
        sequence = norm(layer.output.LayerNorm, sequence + linear(layer.output.dense, inner))
    return sequence


class Window(NamedTuple):
    """One window of a batch without its padding.

    Attributes:
        number: Its place in the batch.
        post: Whose it is.
        ids: Of its sub-tokens (token,).
        vectors: Their word embeddings (token, width), with the case shapes where the model has them.
    """

    number: int
    post: int
    ids: Array
    vectors: Array


def windows(arrays: Any, network: Any, shapes: Any = None) -> Iterator[Window]:
    """The windows of one view of a batch, as an encoder reads them."""
    table = weights(network.get_input_embeddings().weight)
    for number, post in enumerate(arrays["window_post"].tolist()):
        real = arrays["attention_mask"][number].numpy() == 1
        ids = arrays["input_ids"][number].numpy()[real]
        vectors = table[ids]
        if shapes is not None:
            vectors = vectors + weights(shapes.weight)[arrays["shapes"][number].numpy()[real]]
        yield Window(number, post, ids, vectors)


def regions_of(arrays: Any, name: str, post: int) -> Array:
    """A post's own regions (region, width), perhaps none."""
    return weights(arrays[name][post])[arrays[f"{name}_mask"][post].numpy() == 1]


def at_words(arrays: Any, hidden: list[Array], post: int, *, mean: bool = False) -> Array:
    """The vectors (word, width) of a post's words: of each its first sub-token's, or the mean of all of them.

    ``hidden`` holds the vectors (token, width) of each window; every word here has a sub-token.
    """
    longest = arrays["attention_mask"].shape[1]
    vectors = []
    for word in range(int(arrays["lengths"][post])):
        window, token = divmod(int(arrays["word_index"][post, word]), longest)
        end = token + (int(arrays["pieces"][post, word]) if mean else 1)
        assert arrays["window_post"][window] == post and end <= len(hidden[window])
        vectors.append(hidden[window][token:end].mean(0))
    return np.array(vectors)


def oscar(regions: Any, arrays: Any, window: Window) -> Array:
    """``parts.regions.RegionEncoder`` (Zhang et al., CVPR 2021): [words ; tags ; regions], at the text's tokens."""
    network = regions.words.encoder
    types = np.arange(len(window.ids)) > window.ids.tolist().index(window.ids[-1])  # every window ends in a separator
    text = bert_embeddings(network, window.vectors, types.astype(int))
    both = np.concatenate([regions_of(arrays, name, window.post) for name in ("regions", "boxes")], -1)
    visual = norm(regions.norm, linear(regions.visual, both[: regions.most]))
    return bert_layers(network, np.concatenate([text, visual]))[: len(text)]
