"""The name of a model -> its directory -> a tagger."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any, cast

from mner import encoders
from mner.errors import ModelError
from mner.folders import restore
from mner.grounding.settings import settings_of
from mner.runtime import Backend, Precision, on_cpu, open_model, read_model
from mner.runtime.onnx import OnnxRuntime
from mner.several import MOST_PICTURES
from mner.tagger import hub
from mner.tagger.features import PictureFeatures
from mner.tagger.grounder import Grounder
from mner.tagger.limits import Limits, MinScore
from mner.tagger.pictures import Pictures
from mner.tagger.tagger import Tagger
from mner.types import VisualContext
from mner.views import Views

READY = Path(__file__).resolve().parents[1] / "ready"
"""Folder of the model that comes with the package, in case it is installed."""

OF_MACHINE = ("runtime", "images", "allow_outside_images", "timeout", "max_pictures")
"""Settings of a tagger that say how and where it runs, not which model it has."""

EXPORTED = "exported"
"""Folder in a run directory that holds the run's model with ONNX files, after an export."""

READY_NAME = "social-en"
"""The name of that model wherever a model is named."""


def load(
    path: str | Path | None = None,
    *,
    download: bool = False,
    backend: Backend = "auto",
    precision: Precision = "auto",
    threads: int = 0,
    device: str = "cpu",
    allow_plugins: bool = False,
    use_images: bool = True,
    images: str | Path | None = None,
    allow_outside_images: bool = False,
    contexts: str | Path | Iterable[str | Path] | Mapping[str, VisualContext] | None = None,
    features: str | Path | None = None,
    store: str | Path | None = None,
    timeout: float | None = None,
    max_pictures: int = MOST_PICTURES,
    grounding: Mapping[str, Any] | bool = True,
    min_score: MinScore = 0.0,
    raw_scores: bool = False,
) -> Tagger:
    """The tagger of a saved model.

    Args:
        path: A model directory, the run directory that holds one, "hub:owner/name" (a model in the local cache of the
            Hugging Face Hub), or "social-en", the model that comes with mner; None takes that one, too.
        download: Download a model of the hub that is not on this machine; nothing else ever uses the network.
        backend: "auto" takes ONNX if the model has an ONNX file, else torch.
        precision: Of ONNX: "auto" takes int8 if the model has such a file and the CPU is fast at it, else fp32.
        threads: Threads of one forward pass; 0 takes all cores.
        device: "cpu", "cuda", "cuda:1" (or another number), "mps", or "auto": a GPU if there is one and the model
            can run there. On a GPU the model runs in torch; ONNX files run on the CPU.
        allow_plugins: Run code outside mner that the model's configuration names.
        use_images: False reads the words alone, whatever pictures come.
        images: Folder of the pictures that posts name; None takes their names as paths.
        allow_outside_images: Also read pictures that posts name outside of ``images``. What is given as ``image=`` is
            read wherever it is.
        contexts: Ready visual contexts, as files of the artefact or folders of its shards, or by picture name; looked
            up before a picture is read.
        features: Folder of ready features, looked up before a picture is read; refused by a model that reads none.
        store: SQLite file that keeps what was read from pictures; None takes the user's cache.
        timeout: Most seconds for reading one picture; None sets no limit.
        max_pictures: Most pictures of one post; a post with more is an error.
        grounding: False leaves out the regions of entities; settings, such as {"sources": ["text"]}, say how they are
            found.
        min_score: Least probability of an entity in calls that name none; "calibrated": the thresholds that
            ``mner calibrate`` stored in the model.
        raw_scores: Give the exact probabilities of a model whose probabilities are calibrated.

    Raises:
        ModelError: There is no such model, or it is damaged, of another version, or names code outside mner; or
            ``min_score`` is "calibrated" and it holds no thresholds; or ``features`` are given and it reads none.
        ConfigError: There is no such device on this machine.
        MissingExtraError: The model needs torch, which is not installed.
        DataError: A file of contexts is missing or faulty.

    >>> load("social-en", use_images=False)
    <mner.Tagger social-en: LOC, MISC, ORG, PER; views T>
    """
    if timeout is not None and not 0 < timeout < math.inf:
        raise ValueError(f"timeout: expected seconds above 0, got {timeout}; None sets no limit")
    if max_pictures < 1:
        raise ValueError(f"max_pictures: expected 1 or more, got {max_pictures}")
    if threads < 0:
        raise ValueError(f"threads: expected 0 (all cores) or more, got {threads}")
    given: Mapping[str, VisualContext] | list[Path] | None
    if contexts is None or isinstance(contexts, Mapping):
        given = contexts
    else:
        given = [Path(file) for file in ([contexts] if isinstance(contexts, str | Path) else contexts)]
    place = model_folder(path, download=download)
    if (place / EXPORTED / "model.json").is_file() and on_cpu(backend, device):
        place = place / EXPORTED
    saved = read_model(place, allow_plugins=allow_plugins)
    if features is not None and not saved.needs.pictured:
        raise ModelError(f"{saved.folder}: the model reads no features of pictures; leave out the features, {features}")
    files = encoders.of_model(saved.folder, saved.manifest["encoder"])
    views = Views.of(files, saved.config)
    if views.pad_id != saved.pad_id:
        raise ModelError(
            f"{saved.folder}/model.json: encoder.pad_id is {saved.pad_id}, but the tokenizer's padding is "
            f"{views.pad_id}; copy the model again"
        )
    runtime = open_model(saved, backend=backend, precision=precision, threads=threads, device=device)
    kind = "torch"
    if isinstance(runtime, OnnxRuntime):
        backend, precision = "onnx", cast(Precision, runtime.precision)  # a copy on another machine computes the same
        kind = f"onnx {precision}"
    ready, fingerprints = _contexts(given)
    fingerprints |= {"runtime": kind} | _differing(
        images=_absolute(images),
        allow_outside_images=allow_outside_images,
        timeout=timeout,
        max_pictures=max_pictures,
    )
    pictures = Pictures(
        saved.config.vision,
        contexts=ready,
        images=None if images is None else Path(images),
        allow_outside=allow_outside_images,
        store=None if store is None else Path(store),
        timeout=timeout,
    )
    grounder = Grounder(settings_of(grounding), pictures)
    arrays = None
    if declared := saved.needs.pictured:
        folder = None if features is None else Path(features)
        arrays = PictureFeatures(declared, saved.config.vision, folder=folder, trained=saved.features)
        fingerprints |= arrays.fingerprints
    return Tagger(
        saved,
        runtime,
        views=views,
        pictures=pictures,
        features=arrays,
        use_images=use_images,
        max_pictures=max_pictures,
        grounder=grounder,
        limits=Limits.of(saved, runtime, raw_scores=raw_scores, own=min_score),
        fingerprints=saved.fingerprints | fingerprints | grounder.fingerprints,
        reopen=partial(
            load,
            _absolute(saved.folder),
            backend=backend,
            precision=precision,
            threads=threads,
            device=device,
            allow_plugins=allow_plugins,
            use_images=use_images,
            images=_absolute(images),
            allow_outside_images=allow_outside_images,
            contexts=[file.absolute() for file in given] if isinstance(given, list) else given,
            features=_absolute(features),
            store=_absolute(store),
            timeout=timeout,
            max_pictures=max_pictures,
            grounding=grounding,
            min_score=min_score,
            raw_scores=raw_scores,
        ),
    )


def _differing(**settings: Any) -> dict[str, str]:
    """What predictions depend on besides model and files, where it is not the default of ``load``."""
    usual = {name: parameter.default for name, parameter in signature(load).parameters.items()}
    return {name: str(value) for name, value in settings.items() if value != usual.get(name)}


def _absolute(path: str | Path | None) -> Path | None:
    """The path, so that it means the same in another working directory."""
    return None if path is None else Path(path).absolute()


def model_folder(name: str | Path | None = None, *, download: bool = False) -> Path:
    """The directory of a model.

    Args:
        name: A path, "hub:owner/name", or "social-en" or None for the model that comes with mner. A file or folder of
            that name takes precedence.
        download: Download a model of the hub that is not on this machine.

    Raises:
        ModelError: There is no such model on this machine, or the folder is one of runs.

    >>> model_folder("social-em")
    Traceback (most recent call last):
    mner.errors.ModelError: social-em: no such model. Did you mean social-en? Name the folder ...
    """
    if name is None:
        return packaged()
    folder = Path(name)
    if not folder.exists():
        if str(name) == READY_NAME:
            return packaged()
        if str(name).startswith(hub.PREFIX):
            return (hub.fetch if download else hub.find)(str(name))
    restore(folder)
    if not folder.exists():
        raise ModelError(
            f"{folder}: no such model.{_nearest(folder)} Name the folder of a model or of a run, or {READY_NAME}, the "
            "model that comes with mner"
        )
    runs = sorted(folder.glob("*/model/model.json"))
    if runs and not any((folder / name).exists() for name in ("model.json", "model")):
        raise ModelError(f"{folder}: a folder of runs, not a model; name one of them: {runs[0].parents[1]}")
    return folder


def _nearest(folder: Path) -> str:
    """A question that names the likely models; "" if no name is similar."""
    beside = [path for path in folder.parent.iterdir() if path.is_dir()] if folder.parent.is_dir() else []
    names = {path.name: str(path) for path in beside} | {READY_NAME: READY_NAME}
    likely = get_close_matches(folder.name, names, n=3)
    return f" Did you mean {' or '.join(names[name] for name in likely)}?" if likely else ""


def packaged() -> Path:
    """The directory of the model that comes with the package.

    Raises:
        ModelError: This installation does not have it.
    """
    if (READY / "model.json").is_file():
        return READY
    raise ModelError(
        "this installation has no ready model; train one (mner train CONFIG) and name its directory: "
        "mner predict --model DIR, or mner.load(DIR)"
    )


def _contexts(
    given: Sequence[Path] | Mapping[str, VisualContext] | None,
) -> tuple[Mapping[str, VisualContext] | None, dict[str, str]]:
    """Contexts by picture name, and the fingerprint of the files that they come from."""
    if given is None:
        return None, {}
    if isinstance(given, Mapping):
        rows = hashlib.sha256()
        for item in sorted(given.items(), key=lambda item: item[0]):
            rows.update(repr(item).encode())
        return given, {"contexts": rows.hexdigest()[:12]}
    from mner.contexts.artefact import digest, read_contexts

    contexts: Mapping[str, VisualContext] = read_contexts(given)
    return contexts, {"contexts": " ".join(digest(file)[:12] for file in given)}
