"""Attributes of detected objects, one way a file: a picture and its objects -> what they look like."""
