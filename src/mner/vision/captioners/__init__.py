"""Captioners, one a file: a picture and what was seen in it -> sentences."""
