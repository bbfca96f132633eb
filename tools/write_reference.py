"""Write docs/reference/config.md and cli.md from the code; ``--check`` only says whether they are current."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from mner import cli
from mner.config import Config, Section, dumps, schema

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
NOTICE = "<!-- Written by tools/write_reference.py; run `make docs` after a change. -->"


def config_page() -> str:
    """The page of all configuration keys: type, default, and the remark that stands beside each in the schema."""
    remark_of = dict(remarks(inspect.getsource(schema)))
    lines = [
        "# Configuration",
        "",
        NOTICE,
        "",
        "A configuration is a TOML file. `base` names a file that it builds on, or several (`base = [...]`, later",
        "ones over earlier ones), relative to itself; what no file says has the default below. `variant` joins the",
        'name behind a hyphen: the row "text" on a base with `variant = "mpnet"` is called text-mpnet. `mner config',
        "show FILE` prints the resolved whole; `--set section.key=value` overrides one key for one command. An unknown",
        "key is an error. All faults of a file are listed at once.",
    ]
    sections = {"": Config} | {
        name: field.annotation
        for name, field in Config.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }
    for name, section in sections.items():
        about = inspect.cleandoc(section.__doc__ or "") if name else "The keys above the first section."
        about = about.removeprefix(f"[{name}]: ").replace("``", "`")
        lines += ["", f"## [{name}]" if name else "## Top", "", about[0].upper() + about[1:], ""]
        lines += ["| key | type | default | |", "|---|---|---|---|"]
        for key, field in section.model_fields.items():
            if key in sections:
                continue
            kind = re.sub(r"\b(File|Plugin|Device)Name\b", "str", ast.unparse(annotations(section)[key]))
            remark = remark_of.get((section.__name__, key), "")
            default = field.get_default(call_default_factory=True)
            written = "" if default is None or default == {} else f"`{toml(default)}`"
            lines.append(f"| `{key}` | {cell(kind)} | {written} | {cell(remark)} |")
    lines += [
        "",
        "`Source` is one of captions, tags, ocr, texts: the lists of an artefact's record. `ViewName` is T or I+T.",
        "`Substitute` is none, empty or shuffled.",
        "",
    ]
    lines += ["## All defaults", "", "```toml", dumps(Config()).strip(), "```", ""]
    return "\n".join(lines)


def cli_page() -> str:
    """The page of all commands: what each does, its arguments and options."""
    lines = [
        "# Commands",
        "",
        NOTICE,
        "",
        "Data goes to stdout, everything else to stderr. Exit codes: 0 fine, 1 a finding (such as a fault that",
        "`data check` reports), 2 a fault of the call (usage, configuration, files), 130 interrupted.",
        "`mner --install-completion` adds completion to the shell.",
    ]
    for path, (_, line) in cli.COMMANDS.items():
        command = cli.load(path)
        context = typer.Context(command, info_name=f"mner {path}")
        usage = " ".join(command.collect_usage_pieces(context))
        about = inspect.cleandoc(command.help or line).partition("\f")[0].replace("\b\n", "").strip().replace("``", "`")
        lines += ["", f"## mner {path}", "", f"    mner {path} {usage}", "", about, ""]
        rows = [_parameter(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
        if rows:
            lines += ["| argument or option | default | |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _parameter(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    if parameter.param_type_name == "argument":
        names = f"`{parameter.name}`"
    default = parameter.default
    shown = "" if default is None or default is False or callable(default) or default in ((), []) else f"`{default}`"
    if isinstance(getattr(parameter, "show_default", None), str):
        shown = f"`{parameter.show_default}`"
    if parameter.required:
        shown = "required"
    return f"| {names} | {cell(shown)} | {cell(parameter.help or '')} |"


def annotations(section: type) -> dict[str, ast.expr]:
    """The type of each field, as the source writes it."""
    tree = ast.parse(inspect.getsource(section))
    body = tree.body[0]
    assert isinstance(body, ast.ClassDef)
    fields = [part for part in body.body if isinstance(part, ast.AnnAssign)]
    return {part.target.id: part.annotation for part in fields if isinstance(part.target, ast.Name)}


def remarks(source: str) -> Iterator[tuple[tuple[str, str], str]]:
    """((class, key), comment) of every field that has a comment on its line."""
    lines = source.splitlines()
    for part in ast.parse(source).body:
        if isinstance(part, ast.ClassDef):
            for field in part.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    rest = lines[(field.end_lineno or field.lineno) - 1][field.end_col_offset or 0 :]
                    yield (part.name, field.target.id), rest.strip().removeprefix("#").strip()


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(toml(part) for part in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


def cell(text: str) -> str:
    """A text that fits into a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


PAGES = {"config.md": config_page, "cli.md": cli_page}


def main() -> int:
    """0, or 1 when a page was not current and ``--check`` was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a page is not current")
    arguments = parser.parse_args()
    stale = 0
    for name, page in PAGES.items():
        path, text = FOLDER / name, page()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if arguments.check:
            print(f"{path}: not current; run: make docs", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(path, file=sys.stderr)
    return 1 if stale and arguments.check else 0


if __name__ == "__main__":
    raise SystemExit(main())
