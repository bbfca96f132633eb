"""Make a ready model: from the files that MNER_DATA names to src/mner/ready, in one resumable command.

python -m lab.ready.build makes social-en, the model of the package; with lab/ready/social-minilm.toml a smaller one,
with social-en-large.toml --recipe this the larger one that teaches social-en. Both go to runs/.

Posts that a scored split has too are left out of training; contexts are simulated from captions; a model is trained by
the earlier recipe (Twitter-15 and -17 as they are) and trained on by this one (all data sets, changed copies, text in
pictures that repeats the post); the best of both and of the averages between them is exported to int8, calibrated,
scored as it will be shipped, tried on constructed posts and on the real pictures there are, and packed with its card.
Interrupted, the same command goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from lab.ready.average import averaged
from lab.ready.calibrated import calibrated
from lab.ready.card import card
from lab.ready.constructed import overlap_effect
from lab.ready.data import ALL, DEV_CONTEXTS, EARLIER, PLAIN, originals, prepare, refuse_leaks, settings
from lab.ready.pictures import real_pictures
from lab.ready.report import CONFIG, score_model
from lab.ready.teachers import teachers_here
from mner import config as configs
from mner import encoders
from mner.config import Config, TeachersConfig
from mner.errors import MnerError
from mner.export import export
from mner.files import sha256, write_json, write_text
from mner.runtime import read_model
from mner.runtime.calibration import KEY, calibration_of, store
from mner.runtime.onnx import FILES
from mner.runtime.saved import SavedModel, amend_model
from mner.training import Event, train
from mner.views import vocabulary

ROOT = Path(__file__).resolve().parents[2]
READY = ROOT / "src" / "mner" / "ready"
MOST_MEGABYTES = 60.0
FILES_OF_MODEL = {"README.md", "config.toml", "head.safetensors", "model.int8.onnx", "model.json", "tokenizer.json"}
NOISE = 0.5
"""F1 by which two seeds of one setting may well differ; a smaller loss on one dev split counts as none."""
RECIPES = ("earlier", "this")
EARLIER_EPOCHS = 4
SHARES = (0.25, 0.5, 0.75)
"""How much of what this recipe changes in a model of the earlier one goes into the averages."""
KEEP_TOP = 40_000
"""Pieces of the encoder's vocabulary, from the most frequent on, that stay whether the posts use them or not."""


def main() -> int:
    """0 when the model stands in its place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", type=Path, default=CONFIG, help="the model's settings (social-en.toml)")
    parser.add_argument("--out", type=Path, help="folder of everything in between (default: runs/NAME)")
    parser.add_argument(
        "--place", type=Path, help="where the model goes (default: OUT/ready; social-en, if not quick: src/mner/ready)"
    )
    parser.add_argument("--quick", action="store_true", help="smoke test: few posts, one epoch, a model of no use")
    parser.add_argument(
        "--set",
        dest="changes",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting, such as training.epochs=5; may be repeated",
    )
    parser.add_argument("--recipe", choices=RECIPES, help="train by this recipe alone, from the encoder")
    parser.add_argument(
        "--earlier", type=Path, metavar="MODEL", help="begin from this model of the earlier recipe; else one is made"
    )
    parser.add_argument("--prepare", action="store_true", help="write the posts and contexts, and stop")
    arguments = parser.parse_args()
    if not os.environ.get("MNER_DATA"):
        parser.error("set MNER_DATA to the folder that holds twitter2015/, twitter2017/, wnut17/, btc/ and contexts/")
    if arguments.recipe and arguments.earlier:
        parser.error("--recipe trains from the encoder; leave out --earlier")
    source, quick = Path(os.environ["MNER_DATA"]), arguments.quick
    try:
        config = settings(arguments.config, quick=quick, changes=arguments.changes)
        if arguments.earlier:
            read_model(arguments.earlier)
        if not arguments.prepare and arguments.recipe != "earlier":
            teachers_here(config)
    except MnerError as error:
        parser.error(str(error))
    encoder = config.model.encoder
    out = (arguments.out or ROOT / "runs" / config.name).resolve()
    packaged = not quick and arguments.config.resolve() == CONFIG
    place = arguments.place or (READY if packaged else out / "ready")
    if quick and place.resolve() == READY:
        parser.error("--quick makes a model of no use; it does not go into the package")

    say("== 1. Posts without leaks, copies, simulated contexts")
    counts = prepare(source, out / "data", quick=quick, say=say)
    refuse_leaks(out / "data", say=say)
    if arguments.prepare:
        print(out / "data")
        return 0

    config = with_trimmed(config, out)

    say("== 2. Train and choose")
    saved_models, run = models(config, out, recipe=arguments.recipe, earlier=arguments.earlier)
    scored = {name: score_model(folder, out / "data", config) for name, folder in saved_models.items()}
    chosen = choose(scored)
    say(f"taken: {chosen}")
    if arguments.earlier and saved_models[chosen] == arguments.earlier:
        say(f"{arguments.earlier} stays the better model; nothing is packed")
        return 1

    say("== 3. Export to int8")
    exported = out / "exported"
    shutil.rmtree(exported, ignore_errors=True)
    dev = run / "config.toml"
    figures = export(
        saved_models[chosen], fp32=False, int8=True, out=exported, dev_config=dev, keep_encoder=False, watch=say
    ).figures

    say("== 4. Calibrate")
    exported = calibrated(exported, out / "data", out / "calibrated")

    say("== 5. Score what will be shipped; constructed posts, real pictures")
    saved = read_model(exported)
    (out / "pictures.sqlite").unlink(missing_ok=True)  # else an earlier call's pictures would be read in no time
    pictures = real_pictures(source, exported, out / "pictures.sqlite", say=say)
    facts = {
        "name": config.name,
        "quick": quick,
        "encoder": encoder,
        "chosen": chosen,
        "counts": counts,
        "candidates": scored,
        "record": json.loads((run / "record.json").read_text(encoding="utf-8")),
        "onnx": saved.manifest["onnx"][FILES["int8"]],
        "scores": score_model(exported, out / "data", config),
        "overlap": overlap_effect(exported),
        "overlap_earlier": overlap_effect(next(iter(saved_models.values()))) if len(saved_models) > 1 else None,
        "pictures": pictures,
        "megabytes": sum(file.stat().st_size for file in exported.iterdir()) / 1e6,
    }
    write_json(out / "facts.json", facts)
    write_json(out / "pictures.json", pictures)

    say("== 6. Pack")
    pack(saved, place, facts, source)
    say(f"{place}: {facts['megabytes']:.1f} MB; {len(figures)} graph; figures in {out / 'facts.json'}")
    print(place)
    return 0


def with_trimmed(config: Config, out: Path) -> Config:
    """The configuration with the encoder's most frequent pieces and those of the prepared files alone, for size."""
    name, data = config.model.encoder, out / "data"
    if Tokenizer.from_file(str(encoders.find(name).tokenizer)).get_vocab_size() <= KEEP_TOP:
        return config
    posts, contexts = [data / ALL, *sorted(data.glob("*.dev.txt"))], sorted(data.glob("*.jsonl"))
    of = hashlib.sha256("".join(map(sha256, [*posts, *contexts])).encode()).hexdigest()[:8]
    folder = out / f"encoder-{of}"  # other posts use other pieces
    if not folder.exists():
        trimmed = vocabulary.trim(name, posts, folder, contexts=contexts, keep_top=KEEP_TOP)
        say(f"{name}: {trimmed.pieces:,} of {trimmed.before:,} pieces kept")
    return config.model_copy(update={"model": config.model.model_copy(update={"encoder": str(folder)})})


def models(config: Config, out: Path, *, recipe: str | None, earlier: Path | None) -> tuple[dict[str, Path], Path]:
    """By name, the saved models to choose from; and the folder of the last run.

    Args:
        config: The configuration of this recipe.
        out: Folder of everything in between.
        recipe: The one recipe to train by, from the encoder; None trains by the earlier one and then on by this.
        earlier: A model of the earlier recipe that takes the place of one made here.
    """

    def trained(config: Config) -> Path:
        return train(config, root=out / "data", out=out / "runs", watch=show)

    recipes = candidates(config)
    if recipe is not None:
        run = trained(recipes[recipe])
        return {recipes[recipe].name: run / "model"}, run
    first = earlier or trained(recipes["earlier"]) / "model"
    run = trained(config.model_copy(update={"model": config.model.model_copy(update={"init": str(first)})}))
    saved_models = {recipes["earlier"].name: first}
    for share in (*SHARES, 1.0):
        whole = run / "model" if share == 1 else averaged(first, run / "model", share, out / f"average-{share}")
        saved_models[f"{config.name}, {share:.0%} of the change"] = whole
    return saved_models, run


def candidates(config: Config) -> dict[str, Config]:
    """By recipe, what is trained: the earlier one as it was, without teachers, on the same dev posts; this one."""
    data = config.data.model_copy(update={"train": EARLIER, "contexts": (PLAIN, DEV_CONTEXTS)})
    epochs = max(config.training.epochs, EARLIER_EPOCHS) if config.training.epochs > 1 else 1
    earlier = {"name": f"{config.name}-earlier", "data": data, "teachers": TeachersConfig()}
    return {
        "earlier": config.model_copy(
            update={**earlier, "training": config.training.model_copy(update={"epochs": epochs})}
        ),
        "this": config,
    }


def choose(scored: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """The model of the highest F1, mean of both views and of all dev splits, that loses on none but by noise.

    What it may lose is counted from the first, which is taken where no other gains.

    >>> def on(*f1): return {f"d{n}": {"T": {"micro": {"f1": one}}} for n, one in enumerate(f1)}
    >>> choose({"first": on(70, 60), "half": on(69.7, 80), "all": on(69, 90)}), choose({"first": on(70), "all": on(69)})
    ('half', 'first')
    """
    first = next(iter(scored.values()))
    gains = {name: [_mean(views[split]) - _mean(first[split]) for split in first] for name, views in scored.items()}
    return max((name for name, gain in gains.items() if min(gain) > -NOISE), key=lambda name: sum(gains[name]))


def pack(saved: SavedModel, place: Path, facts: Mapping[str, Any], source: Path) -> None:
    """Put the model in its place: its own card, a configuration without this machine's paths, readable by all.

    Raises:
        SystemExit: It is too large, holds a file too many or too few, or the text of a post.
    """

    def change(part: Path) -> dict[str, Any]:
        data = saved.config.data.model_copy(update={"root": ".", "contexts": (), "images": None})
        model = saved.config.model.model_copy(update={"encoder": facts["encoder"], "init": None})
        teachers = saved.config.teachers.model_copy(update={"models": ()})
        own = saved.config.model_copy(
            update={"name": facts["name"], "data": data, "model": model, "teachers": teachers}
        )
        write_text(part / "config.toml", configs.dumps(own))
        write_text(part / "README.md", card(facts))
        refuse(part, source, megabytes=MOST_MEGABYTES if place.resolve() == READY else math.inf)
        return {KEY: None, "encoder": {**saved.manifest["encoder"], "name": facts["encoder"]}}

    place.parent.mkdir(parents=True, exist_ok=True)
    amend_model(saved, place, change=change)
    store(read_model(place), calibration_of(saved))  # which names the model that it is of: this one, uncalibrated
    place.chmod(0o755)
    for file in place.iterdir():
        file.chmod(0o644)
    read_model(place)


def refuse(folder: Path, source: Path, *, megabytes: float) -> None:
    """Refuse a model that is no package: by its files, its size, or the text of a post in its readable files."""
    names = {file.name for file in folder.iterdir()} | {"model.json"}
    if names != FILES_OF_MODEL:
        raise SystemExit(f"error: the model holds {sorted(names)}, expected {sorted(FILES_OF_MODEL)}")
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    if size > megabytes:
        raise SystemExit(f"error: the model has {size:.1f} MB, at most {megabytes:.0f} are allowed")
    text = "".join((folder / name).read_text(encoding="utf-8") for name in ("README.md", "config.toml"))
    if str(source) in text or str(ROOT) in text:
        raise SystemExit("error: the card or the configuration names a folder of this machine")
    for split in ("train", "dev", "test"):
        for _, post in originals(source, split):
            if len(post.words) > 3 and post.text in text:
                raise SystemExit(f"error: the card or the configuration holds the text of post {post.id}")


def show(event: Event) -> None:
    """Say what a run says; of its steps every hundredth."""
    if event.message:
        say(event.message)
    elif event.step % 100 == 0:
        losses = ", ".join(f"{name} {loss:.2f}" for name, loss in (event.losses or {}).items())
        say(f"step {event.step} of {event.steps}: {losses}")


def say(message: str) -> None:
    """Print a message for whoever watches."""
    print(message, file=sys.stderr, flush=True)


def _mean(views: Mapping[str, Mapping[str, Any]]) -> float:
    f1: Sequence[float] = [scores["micro"]["f1"] for scores in views.values()]
    return sum(f1) / len(f1)


if __name__ == "__main__":
    raise SystemExit(main())
