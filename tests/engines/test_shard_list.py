"""The list of a folder's shards: what a kill or a damaged disk leaves of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mner.engines import shard_list
from mner.errors import DataError


def test_line_that_was_cut_short_is_removed(tmp_path: Path) -> None:
    whole = '{"shard": 0, "posts": 3}\n'
    (tmp_path / shard_list.RECORDS).write_text(whole + '{"shard": 1, "po')
    assert shard_list.read(tmp_path) == {0: {"shard": 0, "posts": 3}}
    assert (tmp_path / shard_list.RECORDS).read_text() == whole


@pytest.mark.parametrize("content", [b"{\n", b'{"shard": 0}\n\xff\xfe\n', b"[]\n", b"\0\0\n"])
def test_damaged_list_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / shard_list.RECORDS).write_bytes(content)
    with pytest.raises(DataError, match=r"shards\.jsonl: damaged .*; name another folder"):
        shard_list.read(tmp_path)
    assert (tmp_path / shard_list.RECORDS).read_bytes() == content
