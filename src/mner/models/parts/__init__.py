"""Bricks that two or more models share: encoder, tagger, CRF, alignment losses."""
