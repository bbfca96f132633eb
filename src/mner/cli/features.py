"""mner features: read pictures into features, which are numbers, and show what a folder of them holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mner.cli import options
from mner.cli.options import COUNT, JsonOption, bounded
from mner.cli.output import say
from mner.cli.source import read_pictures


def build(
    source: options.PicturesArgument,
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    extractor: Annotated[
        str, typer.Option(help="Extractor: resnet, crops, c4, regions, projection, or a module's dotted name.")
    ] = "resnet",
    set_values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="key=value", help="An option of the extractor; may be repeated."),
    ] = None,
    images: options.PictureFolderOption = None,
    allow_outside_images: options.OutsideOption = False,
    shard_size: Annotated[int, bounded(1, COUNT, help="Pictures of one shard, held in memory.")] = 256,
    force: options.ForceOption = False,
) -> None:
    """Read pictures into a folder of features. The same command continues an interrupted build."""
    from mner.config import assign
    from mner.vision import features

    extractor_options: dict[str, Any] = {}
    for setting in set_values or ():
        assign(extractor_options, setting)
    read_pictures(
        source,
        images,
        allow_outside_images,
        lambda pictures, watch: features.build(
            pictures,
            out,
            extractor=extractor,
            options=extractor_options,
            shard_size=shard_size,
            force=force,
            watch=watch,
        ),
    )
    say(out)


def show(
    folder: Annotated[Path, typer.Argument(help="Folder that features build wrote.")],
    image: Annotated[list[str] | None, typer.Argument(help="Pictures, by name or SHA-256.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show extractor, shapes and counts of a folder, or the norms of a picture's features.

    Exit code 1 if one of the pictures has no features.
    """
    from mner.errors import DataError
    from mner.vision.features import INDEX, read_features

    features = read_features(folder, image)
    if not image:
        described: dict[str, Any] = {
            "extractor": features.extractor,
            "fingerprint": features.fingerprint,
            "arrays": features.widths,
            "regions": list(features.regions),
            "pictures": dict(sorted(features.statuses.items())),
        }
        least, most = features.regions
        regions = f"{least}" if least == most else f"{least} to {most}"
        lines = [f"extractor  {features.extractor} {features.fingerprint}"]
        lines += [f"{name:<9}  {regions} regions of {width} numbers" for name, width in features.widths.items()]
        lines += [f"pictures   {', '.join(f'{n} {status}' for status, n in sorted(features.statuses.items()))}"]
        say(json.dumps(described) if as_json else "\n".join(lines))
        return
    for name in image:
        row = features.row(name)
        if row is None:
            raise DataError(f"{folder / INDEX}: does not list {name}; to see its names: head {folder / INDEX}")
        arrays = features.get(name, {})
        norms = {of: _norms(array) for of, array in arrays.items()}
        if as_json:
            shapes = {of: list(array.shape) for of, array in arrays.items()}
            head = {"image": row.image, "sha256": row.sha256, "status": row.status, "reason": row.reason}
            say(json.dumps({**head, "shapes": shapes, "norms": norms}))
            continue
        say(f"{row.image}: {row.status}" + (f" ({row.reason})" if row.reason else ""))
        for of, array in arrays.items():
            shape = " x ".join(map(str, array.shape))
            least_norm, mean, greatest = norms[of]
            say(f"  {of:<8} {shape:>9}  norm of a region: {least_norm:.2f} to {greatest:.2f}, mean {mean:.2f}")
    raise typer.Exit(1 if features.missing else 0)


def _norms(array: Any) -> list[float]:
    """Least, mean and greatest length of the rows of an array."""
    lengths = (array**2).sum(axis=1) ** 0.5
    return [round(float(value), 4) for value in (lengths.min(), lengths.mean(), lengths.max())]
