"""flair's SequenceTagger.predict, with our emission layer and transitions."""

from __future__ import annotations

from typing import Any

from batch_sizes import fastest
from flair.data import Sentence
from flair_tagger import sequence_tagger, take_head
from repeat import Work, serve, threads


def prepare(job: dict[str, Any]) -> tuple[Work, dict[str, Any]]:
    used = threads(job)
    tagger = sequence_tagger(job["folder"], job["labels"]).eval()
    take_head(tagger, job["head"], job["labels"])

    def predict(size: int, posts: int) -> int:
        sentences = [Sentence(list(words)) for words in job["words"][:posts]]
        tagger.predict(sentences, mini_batch_size=size)
        return sum(len(sentence.get_spans("ner")) for sentence in sentences)

    posts = len(job["words"])
    best, speeds = fastest(predict, posts)
    about = {"threads": used, "batch_size": best, "posts_per_second_by_batch_size": speeds}
    return lambda: {"posts": posts, "entities": predict(best, posts)}, about


if __name__ == "__main__":
    serve(prepare, ("flair", "torch", "transformers"))
