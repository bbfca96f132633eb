"""OCR engines, one a file: a picture -> the text in it."""
