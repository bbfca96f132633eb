"""The figures of exported files as a section of a model's card."""

from __future__ import annotations

from collections.abc import Mapping

from mner.export.figures import Figures

HEADING = "## ONNX"


def with_section(card: str, figures: Mapping[str, Figures], *, posts: str, machine: str) -> str:
    """A model card with its section on ONNX files, in the place of an older one.

    Args:
        card: The text of README.md.
        figures: By file name.
        posts: What the files were compared on, in words.
        machine: Processor and threads, in words.

    >>> print(with_section("# m", {}, posts="12 posts", machine="1 thread").splitlines()[2])
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
        f"Compared with torch on {posts}; speed of forward passes on {machine}.",
        "",
        "| file | MB | posts with other entities | agreement | F1, in torch | largest difference | posts/s, in torch |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [f"| {file} | {_cells(one)} |" for file, one in figures.items()]
    return f"{before.rstrip()}\n\n" + "\n".join(lines) + "\n" + rest


def _cells(one: Figures) -> str:
    f1 = ", ".join(f"{view} {value:.2f}, {one.f1_torch[view]:.2f}" for view, value in one.f1.items()) or "no labels"
    return (
        f"{one.megabytes:.1f} | {one.differing} | {one.agreement:.1f} | {f1} | {one.difference:.1g} | "
        f"{one.posts_per_second:.0f}, {one.torch_posts_per_second:.0f}"
    )
