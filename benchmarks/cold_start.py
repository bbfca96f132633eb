"""Cold start: seconds of a fresh process to import, to show help, to tag its first post; and its memory then."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from exported import onnx_copy
from posts import training_posts
from record import Table, arguments, timed, write

from mner.runtime import read_model

ABOUT = """Each row is a fresh process, from its start to its end, the first of each thrown away (files are in memory
afterwards, as on a machine in use). Predictions run the exported model without torch. The picture is drawn with text
in it, and every process reads it again: detector, captioner and text recognition are loaded and run."""

MEMORY = """
import json, sys
from pathlib import Path
pages = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
kib = {name: int(pages[name].split()[0]) for name in ("VmRSS", "VmHWM")}
print(json.dumps({**kib, "torch": "torch" in sys.modules}))
"""
PREDICT = """
import mner, sys
tagger = mner.load(sys.argv[1], threads=int(sys.argv[2]), store=sys.argv[3])
found = tagger(sys.argv[4], image=sys.argv[5] if len(sys.argv) > 5 else None)
assert found.image_status in ("none", "used", "empty"), found
"""


def draw(path: Path) -> Path:
    """A picture with a sign on it."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (640, 480), (120, 160, 200))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((60, 120, 580, 360), fill=(250, 250, 240), outline=(20, 20, 20), width=4)
    pen.text((110, 190), "CLEVELAND ARENA", fill=(20, 20, 20), font_size=48)
    picture.save(path)
    return path


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a trained model with its encoder")
    parser.add_argument("--text", default="Kevin Love is back in Cleveland tonight")
    options = arguments(parser, argv)
    with tempfile.TemporaryDirectory() as name:
        seconds, memory, precision = measure(options, Path(name))
    walls = Table("Seconds of a fresh process", ["process", "median", "least", "most"])
    middle = {what: statistics.median(times) for what, times in seconds.items()}
    for what, times in seconds.items():
        walls.rows.append([what, middle[what], min(times), max(times)])
    held = Table(
        "Memory after the first post, MiB",
        ["process", "resident", "most", "torch imported"],
        note=f"Model: onnx {precision}.",
    )
    for what, found_memory in memory.items():
        rows = [found_memory["VmRSS"] / 1024, found_memory["VmHWM"] / 1024, "yes" if found_memory["torch"] else "no"]
        held.rows.append([what, *rows])
    write(
        "cold_start",
        ABOUT,
        [walls, held],
        settings=argparse.Namespace(**vars(options), precision=precision),
        seconds=seconds,
        ratios={f"{what} / python alone": value / middle["python alone"] for what, value in middle.items()},
    )
    return 0


def measure(options: argparse.Namespace, folder: Path) -> tuple[dict[str, list[float]], dict[str, dict[str, int]], str]:
    """Seconds of every start, what memory the last one of each prediction held, and the precision of the model."""
    saved = read_model(options.model)
    if "I+T" not in saved.config.loss.views:
        raise SystemExit(f"{options.model}: trained on the words alone; name a model of the I+T view")
    posts, _ = training_posts(64)
    precision = "int8"
    model = onnx_copy(saved.folder, folder / "onnx", posts, int8=True)
    if model is None:
        precision, model = "fp32", onnx_copy(saved.folder, folder / "onnx-fp32", posts, int8=False)
    if model is None:
        raise SystemExit(f"{options.model}: has no ONNX form to start from")
    common = [str(model), str(options.threads), "STORE", options.text]
    picture = str(draw(folder / "sign.png"))
    starts = {
        "python alone": ["-c", "pass"],
        "import mner": ["-c", "import mner"],
        "mner --help": ["-m", "mner", "--help"],
        "first post, words alone": ["-c", PREDICT + MEMORY, *common],
        "first post with its picture": ["-c", PREDICT + MEMORY, *common, picture],
    }
    seconds: dict[str, list[float]] = {what: [] for what in starts}
    memory: dict[str, dict[str, int]] = {}
    for number in range(options.repetitions + 1):
        print(f"  round {number} of {options.repetitions}", file=sys.stderr, flush=True)
        for what, command in starts.items():
            fresh = folder / f"store-{number}.sqlite"  # nothing that an earlier process read
            command = [str(fresh) if part == "STORE" else part for part in command]
            outputs: list[str] = []
            took = timed(lambda command=command, outputs=outputs: outputs.append(_run(command)))  # type: ignore[misc]
            fresh.unlink(missing_ok=True)
            if number:
                seconds[what].append(took)
            if what.startswith("first"):
                memory[what] = json.loads(outputs[0])
    return seconds, memory, precision


def _run(command: list[str]) -> str:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=dict(os.environ), check=False)
    if done.returncode:
        raise SystemExit(f"{command[:2]} failed:\n{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
