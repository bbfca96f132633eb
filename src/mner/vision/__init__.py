"""A picture -> its visual context: object tags, captions and the text in it.

>>> from mner import plugins
>>> "template" in plugins.names("mner.vision.captioners")
True
"""
