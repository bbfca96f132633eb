"""UMGF: words and objects through every layer of the graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from derivation import at_words, bert_embeddings, bert_layers, graph_layer, linear, regions_of, relu, windows
from systems import assert_scores, windowed


def test_scores_equal_their_derivation(tiny_encoder: Path) -> None:
    model, arrays = windowed("umgf", tiny_encoder)
    network = model.words.encoder
    hidden = []
    for window in windows(arrays, network, model.words.shapes):
        text = bert_layers(network, bert_embeddings(network, window.vectors))
        nodes = linear(model.text, text)
        objects = regions_of(arrays, "crops", window.post)
        for place in (0, 3):  # the linear layers, each before its ReLU and dropout
            objects = relu(linear(model.objects[place], objects))
        for number, layer in enumerate(model.layers, 1):
            nodes, objects = graph_layer(layer, nodes, objects, last=number == len(model.layers))
        hidden.append(np.concatenate([text, nodes], -1))
    assert_scores(model, arrays, [linear(model.emission, at_words(arrays, hidden, post)) for post in range(3)])
