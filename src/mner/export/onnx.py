"""A saved model in torch -> the same model with ONNX files, written only if they agree with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch

from mner import config as configs
from mner import data, encoders
from mner.config import Config
from mner.errors import DataError, ModelError
from mner.evaluation.views import decoder_of
from mner.export.figures import Figures, Run, compare, kept_layers, refuse_worse, run, with_section
from mner.export.graph import onnx_package, write_graph
from mner.export.quantize import quantize
from mner.files import write_text
from mner.models import Model
from mner.overwrite import MODEL, check_folder
from mner.runtime.calibration import KEY
from mner.runtime.onnx import FILES, OnnxRuntime, Precision
from mner.runtime.saved import SavedModel, amend_model, read_model, saved_config
from mner.runtime.torch import TorchRuntime
from mner.tagger.opening import EXPORTED, model_folder
from mner.types import Post, ViewName
from mner.views import Encoded, Views
from mner.views.split import read_split

RUN_FILES = ("record.json", "checkpoint.safetensors")
"""Files beside the model of a run, finished or not."""

TRACED = "traced.onnx"
"""The graph that both files are made from, while they are made."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A model directory with ONNX files, and their figures by file name."""

    folder: Path
    figures: Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class _Trial:
    """The posts that exported files are compared on, and what they are in words."""

    posts: Sequence[Post]
    encoded: Mapping[ViewName, Sequence[Encoded]]
    description: str


def export(
    model: str | Path,
    *,
    fp32: bool = True,
    int8: bool = False,
    out: Path | None = None,
    posts: Sequence[Post] | None = None,
    dev_config: Path | None = None,
    keep_encoder: bool = True,
    threads: int = 0,
    allow_plugins: bool = False,
    force: bool = False,
    watch: Callable[[str], None] = lambda message: None,
) -> Exported:
    """Write a model as ONNX, compared with torch before it is kept.

    The files are compared on ``posts``, else on the dev posts of ``dev_config``, else on those of the model's own
    configuration. Entities in fp32 must be those of torch; int8 may lose a little F1, see ``figures``. Their figures
    go into README.md and model.json. Where int8 throughout loses more, the first layers stay in fp32.

    Args:
        model: A model directory, or the run directory that holds one.
        fp32: Write model.onnx.
        int8: Write model.int8.onnx.
        out: Folder for a copy of the model with the files; None writes them into the model itself, of a run into a copy
            in the run directory, ``exported/``, which ``mner.load`` takes where it can.
        posts: Posts to compare on, with or without labels, read without pictures.
        dev_config: A configuration whose [data] names dev posts to compare on.
        keep_encoder: False leaves the copy's weights for torch out; it can predict, not be trained on.
        threads: Threads of a forward pass while comparing; 0 takes all cores.
        allow_plugins: Run code outside mner that the model's configuration names.
        force: Write into ``out`` beside files that do not belong to a model.
        watch: Called with a line on each step.

    Raises:
        ModelError: The model has no weights for torch, an exported file differs too much from it (the message holds
            the figures), or it has no ONNX form.
        DataError: There are no posts to compare on, or ``out`` holds something other than a model, or the model of a
            run.
        MissingExtraError: The onnx package is not installed.

    >>> export("runs/mine/ita/1", int8=True).folder  # doctest: +SKIP
    PosixPath('runs/mine/ita/1/exported')
    """
    wanted: list[Precision] = [name for name, write in (("fp32", fp32), ("int8", int8)) if write]  # type: ignore[misc]
    if not wanted:
        raise ValueError("nothing to export: fp32 and int8 are both off")
    onnx_package()
    saved = read_model(model_folder(model), allow_plugins=allow_plugins)
    target = _target(saved, out, keep_encoder, force)
    original = TorchRuntime.load(saved, threads=threads)
    trial = _trial(saved, posts, dev_config, allow_plugins=allow_plugins)
    decoder = decoder_of(saved.config, saved.labels, original.chain)
    watch(f"comparing on {trial.description}")
    reference = run(original, trial.encoded, decoder)
    networks = [cast(Any, encoder) for encoder in cast(Model, original.model).encoders()]
    layers = max((int(network.config.num_hidden_layers) for network in networks), default=0)

    leave = [] if keep_encoder else list(saved.needs.encoders)
    leave += [FILES[name] for name in wanted]
    earlier = _earlier(saved, target, allow_plugins=allow_plugins)
    staying = {} if earlier is None else {file: about for file, about in _onnx(earlier).items() if file not in leave}

    def change(part: Path) -> dict[str, Any]:
        entries = {**_onnx(saved), **staying}
        for file in staying:
            shutil.copyfile(target / file, part / file)
        watch("writing the graph")
        write_graph(original.model, part / TRACED, original.arrays)
        about = {"compared_on": trial.description, "threads": threads or torch.get_num_threads()}
        for name in wanted:
            measure = partial(_measure, saved, part, name, trial, reference, threads)
            note, figures = _smallest(part, name, layers, measure)
            fresh[FILES[name]] = figures
            watch(f"{FILES[name]}: {_line(figures)}{kept_layers(note.get('layers_in_fp32', 0))}")
            entries[FILES[name]] = {**figures.to_dict(), **note, **about}
        (part / TRACED).unlink()
        card = part / "README.md"
        write_text(card, with_section(card.read_text(encoding="utf-8"), entries))
        if any(each is not None and each.manifest.get(KEY) for each in (saved, earlier)):
            watch("its calibration, of other scores, is left out; calibrate the export: mner calibrate")
        return {"onnx": entries, KEY: None}

    fresh: dict[str, Figures] = {}
    amend_model(saved, target, change=change, leave=leave)
    return Exported(target, fresh)


def _target(saved: SavedModel, out: Path | None, keep_encoder: bool, force: bool) -> Path:
    if out is None and saved.folder.name == "model" and _is_of_run(saved.folder):
        return saved.folder.parent / EXPORTED
    target = saved.folder if out is None else out
    if _is_of_run(target):
        raise DataError(
            f"{target}: this is the model of a run, whose scores are tied to its files; name another folder, or export "
            f"the run without --out, which writes into its {EXPORTED}/"
        )
    if target.is_dir() and target.samefile(saved.folder):
        if not keep_encoder and any(map(saved.holds, saved.needs.encoders)):
            raise ModelError(f"{target}: its encoder/ is the only copy of its weights; name --out DIR for a copy")
        return saved.folder
    check_folder(target, MODEL, force=force)
    return target


def _is_of_run(folder: Path) -> bool:
    """Whether a folder is that of a run's model, under whatever name it is reached."""
    folder = folder.resolve()
    return folder.name == "model" and any((folder.parent / name).exists() for name in RUN_FILES)


def _earlier(saved: SavedModel, target: Path, *, allow_plugins: bool) -> SavedModel | None:
    """An earlier export of the very same model in another place, whose ONNX files of other precisions stay."""
    if target == saved.folder or not (target / "model.json").is_file():
        return None
    try:
        there = read_model(target, allow_plugins=allow_plugins)
    except ModelError:
        return None  # to be replaced
    mine, theirs = saved.manifest["files"], there.manifest["files"]
    own = {"README.md", *FILES.values()}
    same = theirs.get("head.safetensors") == mine["head.safetensors"]
    return there if same and all(theirs[name] == mine[name] for name in theirs.keys() & mine.keys() - own) else None


def _onnx(saved: SavedModel) -> dict[str, Any]:
    """What a model's manifest says of each ONNX file that it holds."""
    return {file: about for file, about in saved.manifest.get("onnx", {}).items() if saved.holds(file)}


def _trial(saved: SavedModel, posts: Sequence[Post] | None, dev_config: Path | None, *, allow_plugins: bool) -> _Trial:
    """The posts that both models score, in the views that the model was trained on."""
    config = saved.config
    files = encoders.of_model(saved.folder, saved.manifest["encoder"])
    views = Views.of(files, config)
    if posts is not None:
        if not posts:
            raise DataError("no posts to compare on: the file holds none")
        description = f"{len(posts)} given posts@{data.stamp(posts).fingerprint}, view T"
        return _Trial(posts, {"T": views.encode_many([post.words for post in posts])}, description)
    source, folder = _dev(saved, dev_config, allow_plugins)
    # The model's own options of the views, whatever the configuration of the posts says.
    config = config.model_copy(update={"data": source.data})
    split = read_split(config, configs.root_folder(source.data, folder), "dev", views, saved.needs)
    chosen = {view: split.encoded[view] for view in saved.views}
    name = f"{source.data.name}/dev@{split.stamp.fingerprint}"
    return _Trial(split.posts, chosen, f"{name}, {len(split.posts)} posts, views {', '.join(chosen)}")


def _dev(saved: SavedModel, dev_config: Path | None, allow_plugins: bool) -> tuple[Config, Path]:
    if dev_config is not None:
        return configs.load(dev_config), dev_config.parent
    run_config = saved.folder.parent / "config.toml"
    if (saved.folder.parent / "record.json").exists() and run_config.is_file():
        return saved_config(run_config, allow_plugins=allow_plugins), run_config.parent  # where the data lie from here
    if saved.config.data.dev is None:
        raise DataError(
            f"{saved.folder}: its configuration names no dev posts to compare on; name a file of posts (--posts FILE) "
            "or a configuration (--dev-config FILE)"
        )
    return saved.config, saved.folder


def _smallest(
    part: Path, name: Precision, layers: int, measure: Callable[[], Figures]
) -> tuple[dict[str, int], Figures]:
    """Write a file and measure it: how much of its graph is int8, and its figures.

    Where int8 loses too much, the first layers stay in fp32, one more at a time up to half of them.
    """
    if name == "fp32":
        shutil.copyfile(part / TRACED, part / FILES[name])
        return {}, measure()
    onnx = onnx_package()
    refused: ModelError | None = None
    for first in range(layers // 2 + 1):
        graph = onnx.load(part / TRACED)
        note = {**quantize(graph, untouched=first / max(layers, 1)), "layers_in_fp32": first}
        onnx.save(graph, part / FILES[name])
        try:
            return note, measure()
        except ModelError as error:
            refused = refused or error
    raise cast(ModelError, refused)


def _measure(
    saved: SavedModel, part: Path, precision: Precision, trial: _Trial, reference: Run, threads: int
) -> Figures:
    exported = OnnxRuntime.load(_at(saved, part), precision=precision, threads=threads)
    decoder = decoder_of(saved.config, saved.labels, exported.chain)
    figures = compare(
        run(exported, trial.encoded, decoder),
        reference,
        megabytes=(part / FILES[precision]).stat().st_size / 1e6,
        posts=trial.posts,
    )
    refuse_worse(figures, precision, entities=sum(len(post.spans or ()) for post in trial.posts))
    return figures


def _at(saved: SavedModel, folder: Path) -> SavedModel:
    """The same model in another directory, whose files are not listed yet."""
    files = {file: "" for file in FILES.values() if (folder / file).is_file()}
    manifest = {**saved.manifest, "files": {**saved.manifest["files"], **files}}
    return SavedModel(folder, saved.config, saved.labels, saved.head, manifest)


def _line(figures: Figures) -> str:
    scores = "".join(f", {view} F1 {value:.2f} ({figures.f1_torch[view]:.2f})" for view, value in figures.f1.items())
    return (
        f"{figures.megabytes:.1f} MB, other entities in {figures.differing} posts{scores}, "
        f"{figures.posts_per_second:.0f} posts/s ({figures.torch_posts_per_second:.0f} in torch)"
    )
