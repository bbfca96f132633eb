"""Train from Python with a loop of one's own around it: python examples/train_from_python.py CONFIG [key=value ...]."""

import sys
from pathlib import Path

from mner import config as configs
from mner.runs.evaluate import evaluate
from mner.training import Event, train

path, *settings = sys.argv[1:]
config = configs.load(path, set_values=settings)


def watch(event: Event) -> None:
    """Training calls this; it never prints by itself."""
    if event.kind == "epoch":
        print(event.message, file=sys.stderr)


run = train(config, root=configs.root_folder(config.data, Path(path).parent), out=Path("runs"), watch=watch)

for view, scores in evaluate(run).scores.items():  # dev; evaluate(run, final=True) opens test
    print(f"{view:3} {scores.micro.f1:6.2f}  {scores.signature}")
