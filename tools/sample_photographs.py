"""The photographs of the sample, made once from the public-domain pictures in the scikit-image wheel."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

from PIL import Image

LONGEST = 440

PHOTOGRAPHS = {
    "astronaut": "196c1d7215720370a0a84c2546f3d7b079da28063b2781b43a8bf035ab255758",
    "camera": "87347b91044ad8133469466d492a21e46bbe7ba2aa122a73566aff4552c48ecb",
    "chelsea": "91de941b88aaa59dbc20f4f90df32a87c619ad59334a0403cc7801d4070a53b1",
    "coffee": "4803004cc161b677de3081a9137bf9358ec9d47475c23ad134ff2aff15b992cc",
    "hubble_deep_field": "172502e07dd5889c770f28f247b52eb6e65a1e6342563f62bbad09c7bf15891a",
    "rocket": "8dd332cc93eb2054c217405c20335b84ecf417de20a6b66c7b5b1b8afdeab249",
}
"""Name in the wheel -> SHA-256 of the reduced photograph."""


def extract(wheel: Path, folder: Path) -> None:
    """Write the reduced photographs of a scikit-image 0.26 wheel into a folder."""
    with zipfile.ZipFile(wheel) as archive:
        for name in PHOTOGRAPHS:
            member = next(at for at in archive.namelist() if at.startswith(f"skimage/data/{name}."))
            picture = Image.open(io.BytesIO(archive.read(member))).convert("RGB")
            picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
            picture.save(folder / f"{name}.jpg", quality=78, optimize=True)


def faults(folder: Path) -> list[str]:
    """What is wrong with the photographs in a folder: missing, or not those recorded here."""
    wrong = []
    for name, digest in PHOTOGRAPHS.items():
        path = folder / f"{name}.jpg"
        if not path.is_file():
            wrong.append(f"{path}: missing; --photographs WHEEL makes it from a scikit-image 0.26 wheel")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            wrong.append(f"{path}: not the photograph recorded in sample_photographs.py")
    return wrong
