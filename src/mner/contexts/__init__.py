"""The visual context as a file: one record a picture, read, written, kept, edited, compared and counted.

>>> from mner.contexts.artefact import key
>>> key("IMGID:123")
'123.jpg'
"""
