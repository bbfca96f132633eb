"""flair's SequenceTagger as fine-tuning builds it: transformer embeddings, a linear layer, a CRF; no RNN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flair
import torch
from flair.data import Dictionary
from flair.embeddings import TransformerWordEmbeddings
from flair.models import SequenceTagger


def sequence_tagger(folder: str, labels: Sequence[str]) -> SequenceTagger:
    """A tagger for BIOES ``labels`` on the encoder of a folder."""
    flair.device = torch.device("cpu")
    torch.manual_seed(1)
    embeddings = TransformerWordEmbeddings(
        folder, layers="-1", subtoken_pooling="first", fine_tune=True, use_context=False
    )
    types = Dictionary(add_unk=False)
    types.span_labels = True
    for label in sorted({label[2:] for label in labels if label != "O"}):
        types.add_item(label)
    return SequenceTagger(
        embeddings=embeddings,
        tag_dictionary=types,
        tag_type="ner",
        tag_format="BIOES",
        use_rnn=False,
        use_crf=True,
        reproject_embeddings=False,
    )


def take_head(tagger: SequenceTagger, head: dict[str, Any], labels: Sequence[str]) -> None:
    """Give the tagger another model's emission layer and transitions, so that it finds as many entities."""
    own = [tagger.label_dictionary.get_idx_for_item(label) for label in labels]
    start, stop = (tagger.label_dictionary.get_idx_for_item(tag) for tag in ("<START>", "<STOP>"))
    with torch.no_grad():
        tagger.linear.bias.fill_(-100.0)
        tagger.linear.weight[own] = torch.tensor(head["weight"])
        tagger.linear.bias[own] = torch.tensor(head["bias"])
        moves = torch.tensor(head["transitions"])  # [from, to]; flair keeps [to, from]
        for number, here in enumerate(own):
            tagger.crf.transitions[own, here] = moves[number]
            tagger.crf.transitions[here, start] = head["start"][number]
            tagger.crf.transitions[stop, here] = head["end"][number]
