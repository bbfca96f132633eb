"""Labels of whole pictures, one model a file: a picture -> where it was taken, or what kind of document it is."""
