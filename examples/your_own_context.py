"""Say what is in the picture, see what that changes: python examples/your_own_context.py MODEL "text" "caption"."""

import sys

import mner

model, text, caption = sys.argv[1:]
tagger = mner.load(model)

print("words alone   ", tagger(text))
print("your caption  ", tagger(text, context=caption))  # a bare string is a caption

# The same as a row of the artefact, which also holds tags and text in the picture. A model may be set to take
# captions of certain captioners only; their names are in tagger.config.context.captions (None: all).
sources = tagger.config.context.captions or ("mine",)
context = mner.VisualContext(
    image="none.jpg",
    captions=(mner.Caption(caption, source=sources[0]),),
    ocr=(mner.OcrText("ON TOUR", source="mine"),),
)
print("and OCR text  ", tagger(text, context=context))
