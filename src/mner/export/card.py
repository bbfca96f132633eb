"""The figures of exported files as a section of a model's card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEADING = "## ONNX"


def with_section(card: str, entries: Mapping[str, Mapping[str, Any]]) -> str:
    """A model card with its section on ONNX files, in the place of an older one.

    Args:
        card: The text of README.md.
        entries: By file name what ``model.json`` says under "onnx": ``Figures.to_dict``, threads and compared_on.

    >>> print(with_section("# m", {}).splitlines()[2])
    ## ONNX
    """
    before, found, after = card.partition(f"\n{HEADING}\n")
    rest = ""
    if found:
        place = after.find("\n## ")
        rest = after[place:] if place >= 0 else ""
    lines = [
        HEADING,
        "",
        "Each file was compared with the same model in torch when it was written, on the machine that wrote it.",
        "",
        "| file | MB | F1, in torch | other entities | agreement | largest difference | posts/s, in torch | on |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [f"| {file} | {_cells(one)} |" for file, one in sorted(entries.items())]
    return f"{before.rstrip()}\n\n" + "\n".join(lines) + "\n" + rest


def _cells(one: Mapping[str, Any]) -> str:
    f1 = ", ".join(f"{view} {value:.2f}, {one['f1_torch'][view]:.2f}" for view, value in one["f1"].items())
    threads = f"{one['threads']} thread{'s' * (one['threads'] != 1)}"
    return (
        f"{one['megabytes']:.1f} | {f1 or 'no labels'} | {one['differing']} | {one['agreement']:.1f} | "
        f"{one['difference']:.1g} | {one['posts_per_second']:.0f}, {one['torch_posts_per_second']:.0f} | "
        f"{one['compared_on']}; {threads}{kept_layers(one.get('layers_in_fp32', 0))} |"
    ).removesuffix(" |")


def kept_layers(layers: int) -> str:
    """How many layers of an int8 graph stayed in fp32, to stand behind other facts; "" for none."""
    return f"; first {'layer' if layers == 1 else f'{layers} layers'} in fp32" if layers else ""
