"""Build wheel and sdist into ``dist/``, check what they hold, and try the wheel in an environment of its own.

The wheel is installed into a new environment, outside of the repository. There the README's first Python block and its
curl run, the latter against ``mner serve``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PORT = 8000  # the README's curl names it
WAIT = 60  # seconds until the service answers

WHEEL = (
    r"mner/py\.typed",
    r"mner/__init__\.pyi?",
    r"mner/ready/model\.int8\.onnx",
    r"mner/ready/(README\.md|config\.toml|head\.safetensors|model\.json|tokenizer\.json)",
    r"mner/serve/page/(index\.html|page\.css|page\.js)",
    r"mner/show/.+\.html",
    r"mner/vision/assets/.+\.onnx",
    r"mner/data/sample/images/dev-003\.png",
    r"mner-[\d.]+\.dist-info/licenses/(LICENSE|NOTICE)",
)
"""Patterns that each match a file of the wheel."""

SDIST = (
    r"pyproject\.toml",
    r"src/mner/py\.typed",
    r"lab/report\.py",
    r"tests/conftest\.py",
    r"docs/index\.md",
    r"README\.md",
    r"LICENSE",
    r"NOTICE",
    r"CHANGELOG\.md",
    r"CITATION\.cff",
    r"SECURITY\.md",
)
"""The same for the sdist, below its folder."""

ONLY = r"mner/|mner-[\d.]+\.dist-info/"
"""Where everything in the wheel stands: tests, lab and tools stay out."""

NEVER = r"(^|/)(__pycache__|\.venv|\.git|\.[^/]*\.mner\.(part|old))/|^(runs|demo|site|dist)/|\.pyc$|\.part$"


def faults(names: Iterable[str], *, wanted: Iterable[str], only: str = "") -> list[str]:
    """What a distribution lacks, and what does not belong there.

    >>> faults(["mner/py.typed", "tests/test_x.py"], wanted=["mner/py.typed", "mner/ready/.+"], only="mner/")
    ['lacks mner/ready/.+', 'holds tests/test_x.py']
    """
    names = list(names)
    lacking = [f"lacks {pattern}" for pattern in wanted if not any(re.fullmatch(pattern, name) for name in names)]
    return lacking + [f"holds {name}" for name in names if re.search(NEVER, name) or not re.match(only, name)]


def build(out: Path) -> tuple[Path, Path]:
    """The wheel and the sdist, checked."""
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "build", "--outdir", out, ROOT], check=True)
    [wheel], [sdist] = out.glob("*.whl"), out.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        wrong = [f"{wheel.name} {fault}" for fault in faults(archive.namelist(), wanted=WHEEL, only=ONLY)]
    with tarfile.open(sdist) as packed:
        inside = [name.partition("/")[2] for name in packed.getnames()]
        wrong += [f"{sdist.name} {fault}" for fault in faults(inside, wanted=SDIST)]
    if wrong:
        raise SystemExit("\n".join(wrong))
    return wheel, sdist


def readme(language: str, beginning: str) -> str:
    """The README's first block of a language that holds a text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    return str(next(block for block in blocks if beginning in block))


def attempt(wheel: Path, folder: Path) -> None:
    """Install the wheel into an environment under ``folder``, and run the README's example and curl there."""
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    environment |= {"PATH": f"{programs}:{environment['PATH']}", "XDG_CACHE_HOME": str(folder / "cache")}

    def call(*command: object) -> str:
        done = subprocess.run(
            list(map(str, command)), cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        return str(done.stdout)

    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", ROOT / "constraints.txt")
    call(programs / "python", *pip, f"{wheel.resolve()}[serve]")
    home = call(
        programs / "python", "-c", "import mner, importlib.util as i; print(mner.__file__, i.find_spec('torch'))"
    )
    assert home.startswith(str(folder)) and home.split()[1] == "None", home

    printed = call(programs / "python", "-W", "error", "-c", readme("python", "mner.load()"))
    print(printed, end="")
    assert "Phoenix LOC 15 22" in printed and "I+T used" in printed, printed

    picture = call(programs / "python", "-c", "import mner.data.sample as s; print(s.__path__[0])").strip()
    shutil.copy(Path(picture) / "images" / "dev-003.png", folder / "photo.png")
    serve, curl = readme("bash", "curl").splitlines()
    service = subprocess.Popen(serve.split(), cwd=folder, env=environment)
    try:
        for _ in range(WAIT * 5):
            time.sleep(0.2)
            ready = ["curl", "-sf", "-o", "/dev/null", f"http://127.0.0.1:{PORT}/readyz"]
            if service.poll() is not None or subprocess.run(ready, check=False).returncode == 0:
                break
        answer = json.loads(call("bash", "-c", curl.replace("curl ", "curl -sf ", 1)))
        print(json.dumps(answer["entities"]), answer["view"], answer["image_status"])
        assert [entity["label"] for entity in answer["entities"]] == ["LOC"] and answer["image_status"] == "used", (
            answer
        )
        page = call("curl", "-sf", f"http://127.0.0.1:{PORT}/")
        assert "<html" in page, page[:200]
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(timeout=60) == 0


def main(argv: Sequence[str] | None = None) -> int:
    """0 where the distributions are whole and the wheel works."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--no-try", action="store_true", help="build and check the content alone")
    options = parser.parse_args(argv)
    wheel, sdist = build(options.out)
    if not options.no_try:
        with tempfile.TemporaryDirectory(prefix="mner-dist-") as folder:
            attempt(wheel, Path(folder))
    for path in (wheel, sdist):
        print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
