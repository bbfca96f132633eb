"""Tag a file of posts of any length, memory flat: python examples/stream.py MODEL POSTS [PICTURES] > tagged.jsonl."""

import json
import sys
from collections import Counter

import mner
from mner import data

model, posts, *images = sys.argv[1:]
tagger = mner.load(model, images=images[0] if images else None)

statuses: Counter[str] = Counter()
for prediction in tagger.pipe(data.read(posts), min_score=0.5):
    statuses[prediction.image_status] += 1
    print(json.dumps(prediction.to_dict(), ensure_ascii=False))

# What became of the pictures; a picture that could not be read never stops the stream.
print(dict(statuses), file=sys.stderr)
