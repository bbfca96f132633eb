"""Files that others published about pictures, read by picture name: VinVL, Bottom-Up, captions, texts.

>>> from mner.contexts.published.names import spellings
>>> spellings("pics/12.jpg")
['pics/12.jpg', 'pics/12', '12.jpg', '12']
"""
