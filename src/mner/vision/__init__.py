"""IMAGE -> VISUAL CONTEXT: what detectors, captioners and OCR engines read from a picture."""
