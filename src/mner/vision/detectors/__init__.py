"""Object detectors, one a file: a picture -> its tags."""
