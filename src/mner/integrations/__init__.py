"""What other libraries and tools hold -> the tagger, and back: spaCy, pandas, datasets, labelling tools."""
