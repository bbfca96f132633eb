"""Ray actors on one small session of this machine: order, ended actors, pictures and posts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

import mner
from mner.bulk import predict_shards
from mner.config import VisionConfig
from mner.data.listing import pictures
from mner.engines.ray import STORE
from mner.engines.worker_pool import TRIES, ordered
from mner.errors import MissingExtraError, WorkerError
from mner.types import Post
from mner.vision.build import build

ray = pytest.importorskip("ray", reason='Ray is not installed: pip install "mner[ray]"')

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.enable_socket]

OFF = VisionConfig(detector="", captioner="", ocr="")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, work_text: str) -> Iterator[None]:
    """A session of two CPUs that the tests of this file share, but for those that begin their own."""
    import warnings

    code = tmp_path_factory.mktemp("code")
    (code / "openings_of_ray.py").write_text(work_text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(code), os.environ.get("PYTHONPATH", "")]))
        patch.syspath_prepend(str(code))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Ray's own, of settings to come
            ray.init(
                address="local",
                num_cpus=2,
                include_dashboard=False,
                log_to_driver=False,
                configure_logging=False,
                object_store_memory=100 * 2**20,
            )
        yield
        ray.shutdown()


def lost(item: int, reason: str) -> str:
    return f"{item}: {reason}"


def results(opening, count: int) -> list:
    from mner.engines.ray import Actors

    lists = [list(range(start, min(start + 3, count))) for start in range(0, count, 3)]
    with Actors(opening, workers=2) as pool:
        return [each for result in ordered(pool, lists, lost=lost) for each in result]


def test_results_come_in_order(session) -> None:
    import openings_of_ray as work

    assert results(work.opening, 20) == [2 * item for item in range(20)]
    assert ray.is_initialized()  # a session that was there is left open


def test_cluster_without_room_is_told(session, monkeypatch: pytest.MonkeyPatch) -> None:
    import openings_of_ray as work

    from mner.engines.ray import Actors

    monkeypatch.setattr("mner.engines.ray.PATIENCE", 2.0)
    with (
        pytest.raises(WorkerError, match="2 ask for num_cpus 50, num_gpus 0 each, the cluster has 2 CPUs"),
        Actors(work.opening, workers=2, cpus=50) as pool,
    ):
        list(ordered(pool, [[1]], lost=lost))


def test_ended_actors_items_are_tried_again_and_given_up_alone(session, tmp_path: Path) -> None:
    import openings_of_ray as work

    once, ever = tmp_path / "once", tmp_path / "ever"
    once.mkdir(), ever.mkdir()
    assert results(partial(work.deadly, str(once), fatal=[4], times=1), 9) == [2 * item for item in range(9)]
    result = results(partial(work.deadly, str(ever), fatal=[4], times=99), 9)
    assert result[4] == f"4: given up: {TRIES} workers ended with it, one after the other"
    assert result[:4] + result[5:] == [2 * item for item in range(9) if item != 4]


def test_defects_and_faults_of_loading_are_raised_here(session) -> None:
    import openings_of_ray as work

    for opening, message in ((work.failing, "a defect"), (work.unloadable, "no model")):
        with pytest.raises(ValueError, match=message):
            results(opening, 3)
    with pytest.raises(WorkerError, match="before it had loaded"):
        results(work.ending, 3)


def test_pictures_become_the_same_contexts(session, tmp_path: Path) -> None:
    from mner.engines.ray import Actors

    items = []
    for number in range(11):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (20 + number, 10), "red").save(path)
        items.append((path.name, path))
    (tmp_path / "3.png").write_text("broken")
    build(items, tmp_path / "local.jsonl", config=OFF, store=tmp_path / "a.sqlite")
    hire = partial(Actors, workers=2)
    store = tmp_path / "b.sqlite"
    statuses = build(items, tmp_path / "ray", config=OFF, store=store, hire=hire, shard_size=4, batch_size=2)
    assert statuses == {"ok": 10, "unreadable": 1}
    shards = sorted((tmp_path / "ray").glob("part-*"))
    assert len(shards) == 3
    assert b"".join(shard.read_bytes() for shard in shards) == (tmp_path / "local.jsonl").read_bytes()
    before = [shard.stat().st_mtime_ns for shard in shards]
    shards[1].unlink()
    build(items, tmp_path / "ray", config=OFF, store=store, hire=hire, shard_size=4, batch_size=2)
    after = [shard.stat().st_mtime_ns for shard in sorted((tmp_path / "ray").glob("part-*"))]
    assert (after[0], after[2]) == (before[0], before[2])
    assert b"".join(shard.read_bytes() for shard in shards) == (tmp_path / "local.jsonl").read_bytes()


def test_relative_paths_mean_the_same_to_actors(session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session was begun in another folder, as ``ray start`` is on the machines of a cluster."""
    from mner.engines.ray import Actors

    (tmp_path / "photos").mkdir()
    Image.new("RGB", (20, 10), "red").save(tmp_path / "photos" / "1.png")
    monkeypatch.chdir(tmp_path)
    statuses = build(
        pictures(Path("photos")),
        Path("c.jsonl"),
        config=OFF,
        store=Path("s.sqlite"),
        hire=partial(Actors, workers=1),
    )
    assert statuses == {"ok": 1}


def test_posts_become_the_same_predictions(session, tmp_path: Path, tiny_model: Path) -> None:
    from mner.engines.ray import Actors

    posts = [Post(str(n), "Kevin won", ("Kevin", "won"), ((0, 5), (6, 9))) for n in range(7)]
    tagger = mner.load(tiny_model, threads=1)
    expected = predict_shards(tagger, posts, tmp_path / "local", shard_size=3)
    done = predict_shards(
        tagger,
        posts,
        tmp_path / "ray",
        shard_size=3,
        hire=partial(Actors, workers=2),
        reopen=partial(mner.load, tiny_model, threads=1),
        batch_size=2,
    )
    assert done.counts == expected.counts
    for ours, theirs in zip(done.files, expected.files, strict=True):
        rows = [[json.loads(each) for each in path.read_text().splitlines()] for path in (ours, theirs)]
        assert [row["id"] for row in rows[0]] == [row["id"] for row in rows[1]]
        assert [len(row["entities"]) for row in rows[0]] == [len(row["entities"]) for row in rows[1]]


ALONE = """
import json, sys
from mner.engines.worker_pool import ordered
from mner.engines.ray import Actors

import openings_of_ray as work
import ray

if __name__ == "__main__":
    with Actors(work.opening, workers=2) as pool:
        found = list(ordered(pool, [[1, 2], [3]], lost=lambda item, reason: reason))
        (node,) = ray.nodes()
        print(json.dumps([found, node["NodeManagerAddress"], node["Resources"]]))
    assert not ray.is_initialized()
"""


def alone(command: list[object], tmp_path: Path, work_text: str) -> str:
    """What a program wrote that begins a session of its own; none of that session's processes is left."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "openings_of_ray.py").write_text(work_text)
    mark = uuid.uuid4().hex
    paths = os.pathsep.join([str(tmp_path / "code"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "MARK_OF_TEST": mark, "MNER_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    deadline = time.monotonic() + 10
    while (left := marked(mark)) and time.monotonic() < deadline:  # they were asked to end
        time.sleep(0.1)
    assert left == []
    return done.stdout


def marked(mark: str) -> list[str]:
    """The processes that were begun by the program of a mark, where the system tells."""
    result = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                result.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it has ended, or is somebody else's
            continue
    return result


def test_session_of_its_own_is_small_closed_to_others_and_ends(tmp_path: Path, work_text: str) -> None:
    (tmp_path / "alone.py").write_text(ALONE)
    given = alone([sys.executable, tmp_path / "alone.py"], tmp_path, work_text)
    result, address, resources = json.loads(given.splitlines()[-1])
    assert result == [[2, 4], [6]]
    assert address == "127.0.0.1"
    assert (resources["CPU"], resources["object_store_memory"]) == (2, STORE)


def test_command_tags_posts_by_actors(tmp_path: Path, work_text: str, tiny_model: Path, posts_file: Path) -> None:
    command = [sys.executable, "-m", "mner", "predict", posts_file, "--model", tiny_model, "--no-images"]
    options = ["--shard-size", 5, "--out"]
    subprocess.run([str(word) for word in [*command, *options, tmp_path / "local"]], check=True, capture_output=True)
    ray_options = ["--engine", "ray", "--workers", 2, "--batch", 2]
    given = alone([*command, *ray_options, *options, tmp_path / "ray"], tmp_path, work_text)
    assert given.splitlines() == [str(tmp_path / "ray" / f"part-{number:07d}.jsonl") for number in range(3)]

    def spans(folder: Path) -> list[object]:
        rows = [json.loads(row) for path in sorted(folder.glob("part-*")) for row in path.read_text().splitlines()]
        return [(row["id"], [(each["start"], each["end"], each["label"]) for each in row["entities"]]) for row in rows]

    assert len(spans(tmp_path / "ray")) == 12
    assert spans(tmp_path / "ray") == spans(tmp_path / "local")


def test_refused_numbers(session) -> None:
    from mner.engines.ray import Actors

    with pytest.raises(ValueError, match="1 worker or more"):
        Actors(list, workers=0)


def test_missing_ray_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from mner.engines.ray import Actors

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"mner\[ray\]"):
        Actors(list, workers=1)
