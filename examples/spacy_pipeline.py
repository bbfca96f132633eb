"""Entities in a spaCy pipeline, with a picture: python examples/spacy_pipeline.py MODEL "text" [PICTURE]."""

import sys

import spacy

model, text, *picture = sys.argv[1:]
nlp = spacy.blank("en")
nlp.add_pipe("mner", config={"model": model, "alignment": "expand"})

doc = nlp.make_doc(text)
doc._.mner_image = picture[0] if picture else None
doc = nlp(doc)

for span in doc.ents:
    print(f"{span.start:3} {span.end:3}  {span.label_:5} {span._.mner_score:.2f}  {span.text}")
print(f"view {doc._.mner['view']}, picture {doc._.mner['image_status']}")
