"""The model card of a trained model, written from the facts of its run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from mner.safe_text import for_markdown
from mner.tags import entity_types
from mner.training.job import Job

HEADER = ("| view | precision | recall | F1 | on |", "|---|---|---|---|---|")

USE = """
```python
import mner

tagger = mner.load("path/to/this/directory")
print(tagger("Kevin Love is back in Cleveland", image="photo.jpg"))
```

The text is decoded alone (view T) where a post has no usable picture; `image_status` says so.
"""


def model_card(job: Job, epoch: Mapping[str, Any]) -> str:
    """The text of README.md: what the model is, what it was trained on, its dev scores with signatures, its use."""
    train, dev, config = job.splits["train"], job.splits["dev"], job.config
    facts = [
        f"# {config.data.name}/{config.name}",
        "",
        f"Named entity recognition for posts with pictures, trained by mner {version('mner')}.",
        "",
        f"- system: `{config.model.name}` on `{config.model.encoder}`, views {', '.join(config.loss.views)}, "
        f"cross-view alignment `{config.loss.cva}`, preset `{config.loss.preset}`",
        f"- entity types: {', '.join(entity_types(job.labels))}",
        f"- trained on: {config.data.name}/train@{train.stamp.fingerprint}, {len(train.posts)} posts, "
        f"{train.coverage.get('used', 0)} of them with a visual context",
        f"- chosen on: {config.data.name}/dev@{dev.stamp.fingerprint}, {len(dev.posts)} posts, epoch {epoch['epoch']}",
    ]
    scores = [
        f"| {view} | {micro['precision']:.2f} | {micro['recall']:.2f} | {micro['f1']:.2f} | dev, used for choosing |"
        for view, micro in ((view, scores["micro"]) for view, scores in epoch["dev"].items())
    ]
    return "\n".join([*map(for_markdown, facts), "", *HEADER, *scores, USE])
