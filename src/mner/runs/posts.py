"""A saved model and a file of labelled posts -> scores, wherever either comes from; a run's test split stays closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mner import config as configs
from mner import encoders
from mner.config import Config
from mner.errors import ConfigError, DataError, MnerError, ModelError, why_not
from mner.evaluation import calibration
from mner.evaluation.calibration import grade
from mner.evaluation.outcomes import outcomes
from mner.evaluation.scores import evaluate_views
from mner.evaluation.signature import Signature
from mner.evaluation.views import decoder_of, scored_in_views, signature_of, signed_scores, spans_of
from mner.runs.record import ViewScores
from mner.runtime import SavedModel, open_model, read_model
from mner.runtime.calibration import scaling_of
from mner.runtime.saved import saved_config
from mner.tagger.features import check_trained
from mner.tagger.opening import EXPORTED, model_folder
from mner.tags import entity_types
from mner.types import Post, ViewName
from mner.views import Views
from mner.views.split import ViewSplit, read_posts, read_split

FINAL = "only mner evaluate RUN --final scores it"
"""Why posts of a test split are refused."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of one model on one set of posts.

    Attributes:
        scores: By view.
        signatures: Of each view's micro F1.
        outcomes: What became of each post, see ``evaluation.outcomes``.
    """

    scores: Mapping[ViewName, ViewScores]
    signatures: Mapping[ViewName, Signature]
    outcomes: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The scores as a JSON object, by view; each with its signature."""
        return {view: each.model_dump(mode="json", exclude_unset=True) for view, each in self.scores.items()}


def evaluate_posts(
    model: str | Path,
    posts: str | Path,
    *,
    contexts: Sequence[str | Path] = (),
    images: str | Path | None = None,
    features: str | Path | None = None,
    format: str | None = None,
    allow_plugins: bool = False,
    watch: Callable[[str], None] = lambda message: None,
) -> Evaluation:
    """The scores of any saved model on any file of labelled posts, by view, each with its signature.

    The T view is scored, and the I+T view where the model was trained on it and what it reads of pictures is given:
    ``features`` if it reads any, else ``contexts`` or ``images``. Entity types are renamed as in training
    (``data.rename``).

    Args:
        model: A model directory, a run directory, or "social-en".
        posts: The file, in any format.
        contexts: Files of visual contexts.
        images: Folder of the posts' pictures, read where no context is given.
        features: Folder of the pictures' features, for a model that reads them.
        format: The file's format; None: by its first lines and name.
        allow_plugins: Run code outside mner that the model's configuration names.
        watch: Called with a line on what is scored.

    Raises:
        MnerError: The posts are those of the test split of the model's run: only ``--final`` scores it.
        ModelError: There is no model, it is damaged, or ``features`` are not what it reads.
        DataError: A file is missing or faulty, or a post has no labels.
    """
    place = model_folder(model)
    saved = read_model(place, allow_plugins=allow_plugins)
    if (place / EXPORTED / "model.json").is_file():
        watch(
            f"{saved.folder} is scored, not the export that mner predict runs and mner calibrate changes: "
            f"mner evaluate {place / EXPORTED} {posts}"
        )
    config, _ = posts_to_score(saved, posts, contexts, images, format, features=features, allow_plugins=allow_plugins)
    split = read_to_score(saved, config, Path(posts).absolute().parent)
    scored = score_split(saved, config, split, Path(posts).name)
    report = f"{posts}: {len(split.posts)} posts"
    pictured = "I+T" in saved.views and reads_pictures(saved, config)
    if pictured:
        report += f", {split.coverage.get('used', 0)} with a visual context"
    watch("; ".join([report, *unread(saved, config, split.posts)]))
    if pictured:
        return scored
    return replace(scored, scores={"T": scored.scores["T"]}, signatures={"T": scored.signatures["T"]})


def posts_to_score(
    saved: SavedModel,
    posts: str | Path,
    contexts: Sequence[str | Path],
    images: str | Path | None,
    format: str | None,
    *,
    features: str | Path | None = None,
    allow_plugins: bool,
    closed: str = FINAL,
) -> tuple[Config, list[Post]]:
    """A model's configuration with a file of posts as its dev split, and these posts.

    ``closed`` says why posts of the run's test split are refused; "" takes them.

    Raises:
        MnerError: They are those of the test split of the model's run.
        ModelError: ``features`` are given to a model that reads none.
        DataError: A file is missing or faulty, or a post has no labels.
    """
    if features is not None and not saved.needs.pictured:
        raise ModelError(f"{saved.folder}: the model reads no features of pictures; leave out the features, {features}")
    if not Path(posts).is_file():
        raise DataError(f"{posts}: {why_not(Path(posts), 'file')}; name a file of labelled posts")
    file = Path(posts).absolute()
    settings: dict[str, Any] = {
        "dev": str(file),
        "format": format,
        "contexts": tuple(str(Path(path).absolute()) for path in contexts),
        "images": None if images is None else str(Path(images).absolute()),
        "features": None if features is None else str(Path(features).absolute()),
        "name": file.parent.name or "posts",
    }
    config = saved.config.model_copy(update={"data": saved.config.data.model_copy(update=settings)})
    read = read_posts(config, file.parent, "dev")
    if closed:
        _keep_closed(saved, file, read, closed, allow_plugins=allow_plugins)
    return config, read


def reads_pictures(saved: SavedModel, config: Config) -> bool:
    """Whether a configuration names what the model reads of pictures: features if it reads any, else their contexts.

    A model that was trained on zeros in their place needs no folder of features.
    """
    given = config.data
    if saved.needs.pictured:
        return given.features is not None or (saved.config.data.features, given.features_missing) == (None, "zero")
    return bool(given.contexts) or given.images is not None


def unread(saved: SavedModel, config: Config, posts: Sequence[Post]) -> Iterator[str]:
    """What the model would read of these posts' pictures if it were named, each with the option that names it."""
    if "I+T" not in saved.views or not any(post.image for post in posts):
        return
    read, given = reads_pictures(saved, config), config.data
    if saved.needs.pictured and not read:
        yield "their pictures were not read; name the folder of their features: --features FOLDER"
    elif saved.needs.context and not (given.contexts or given.images is not None):
        what = "their pictures were not read" if not read else "no text of their pictures was read"
        yield f"{what}; name their contexts or folder: --contexts FILE, or --images FOLDER"


def read_to_score(saved: SavedModel, config: Config, root: Path) -> ViewSplit:
    """The dev split of a configuration as a model reads it: the words alone for a model of these, or without pictures.

    Raises:
        ModelError: The features come from another extractor than those of training.
        DataError: A file is missing or faulty.
    """
    needs = saved.needs
    if "I+T" not in saved.views or not reads_pictures(saved, config):
        needs = replace(needs, context=False, arrays=tuple(array for array in needs.arrays if array.of == "words"))
    split = read_split(config, root, "dev", views_of(saved, config), needs)
    if split.features:
        check_trained(split.features, saved.features, f"{config.data.features}")
    return split


def views_of(saved: SavedModel, config: Config) -> Views:
    """The views that a saved model reads."""
    files = encoders.of_model(saved.folder, saved.manifest["encoder"])
    return Views.of(files, config)


def score_split(saved: SavedModel, config: Config, split: ViewSplit, called: str) -> Evaluation:
    """The scores of both views of a split, which the signatures call ``called``."""
    runtime = open_model(saved)
    scored = scored_in_views(runtime, split, decoder_of(config, saved.labels, runtime.chain, scaling_of(saved)))
    predicted = spans_of(scored)
    gold = [post.spans or () for post in split.posts]
    known = entity_types(saved.labels)
    unseen = Counter(span.label for post in split.posts for span in post.spans or () if span.label not in known)
    scores: dict[ViewName, ViewScores] = {}
    signatures: dict[ViewName, Signature] = {}
    place = f"{config.data.name}/{called}@{split.stamp.fingerprint[:6]}"
    for view, of_view in evaluate_views(split.posts, predicted).items():
        table = signed_scores(config, called, view, of_view.to_dict(), split.stamp)
        table["calibration"] = calibration.table(grade(gold, scored[view]))
        if unseen:
            table["labels_unseen_in_training"] = dict(unseen)
        scores[view] = ViewScores.model_validate(table)
        signatures[view] = signature_of(config, f1=[of_view.micro.f1], data=place, view=view)
    return Evaluation(scores, signatures, outcomes(split.posts, predicted, split.stamp))


def refuse_test(file: Path, posts: Sequence[Post], config: Config, root: Path, closed: str = FINAL) -> None:
    """Refuse posts that are those of a configuration's test split, by the file or by its content.

    Raises:
        MnerError: They are.
    """
    files = [root / name for name in config.data.files("test")]
    same = file.resolve() in {path.resolve() for path in files}
    if not same and files and all(path.is_file() for path in files):
        test = {(post.words, post.spans) for post in read_posts(config, root, "test")}
        same = all((post.words, post.spans) in test for post in posts)
    if same:
        raise MnerError(f"{file}: these posts are the run's test split; {closed}")


def data_of(saved: SavedModel, *, allow_plugins: bool = False) -> tuple[Config, Path]:
    """The configuration of the run that a model is of, where that is beside it, else its own; and its data's folder.

    Raises:
        ConfigError: The folder is not on this machine.
    """
    run = saved.folder.parent
    config, folder = saved.config, saved.folder
    if (run / "record.json").is_file() and (run / "config.toml").is_file():
        config, folder = saved_config(run / "config.toml", allow_plugins=allow_plugins), run
    return config, configs.root_folder(config.data, folder)


def _keep_closed(saved: SavedModel, file: Path, posts: Sequence[Post], closed: str, *, allow_plugins: bool) -> None:
    """``refuse_test`` by the configuration of the model's run, where that is beside it, else by its own."""
    try:
        refuse_test(file, posts, *data_of(saved, allow_plugins=allow_plugins), closed)
    except (ConfigError, DataError):  # its data are not on this machine, so these are others
        return
