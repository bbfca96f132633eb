"""A picture -> its visual context: object tags, captions and the text in it.

>>> from mner import plugins
>>> plugins.names("mner.vision.captioners")
['template']
"""
