"""Tag one post with its picture: python examples/tag_a_post.py MODEL "text" [picture]."""

import sys

import mner

model, text, *picture = sys.argv[1:]
tagger = mner.load(model)
prediction = tagger(text, image=picture[0] if picture else None)

for entity in prediction.entities:
    print(f"{entity.start:4} {entity.end:4}  {entity.label:5} {entity.score:.2f}  {entity.text}")
print(f"view {prediction.view}, picture {prediction.image_status}", prediction.reason or "")
