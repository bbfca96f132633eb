"""mner store export, import: take what was read from pictures to another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mner.cli.options import ForceOption, check_suffix
from mner.cli.output import say
from mner.errors import why_not
from mner.overwrite import CONTEXTS, check_file

StoreOption = Annotated[Path | None, typer.Option(help="The store's file; by default the one in the user's cache.")]


def export(
    out: Annotated[Path, typer.Argument(help="File of contexts (.jsonl or .parquet) to write.")],
    store: StoreOption = None,
    force: ForceOption = False,
) -> None:
    """Write all that the store keeps into one file of contexts."""
    from mner.contexts.store import Store, export_store

    if store is not None and not store.is_file():
        raise typer.BadParameter(f"{store}: {why_not(store, 'file')}", param_hint="--store")
    check_suffix(out, ".jsonl", ".parquet", hint="OUT")
    check_file(out, CONTEXTS, force=force)
    with Store(store) as opened:
        count = export_store(opened, out)
    say(f"{count} records", err=True)
    say(out)


def import_(
    files: Annotated[list[Path], typer.Argument(help="Files of contexts, or folders of such files.")],
    store: StoreOption = None,
) -> None:
    """Put contexts into the store, so that context build does not read their pictures again.

    The store finds a context by its picture's SHA-256 and its extractor's fingerprint. Records without them are left
    out, like those that were edited by hand or on which a backend failed.
    """
    from mner.contexts.artefact import iter_contexts
    from mner.contexts.store import Store, import_files

    for file in files:
        next(iter_contexts(file), None)  # before a store is made where there was none
    with Store(store) as opened:
        count, left_out = import_files(files, opened)
        say(f"{count} records are in the store, {left_out} were left out", err=True)
        say(opened.path)
