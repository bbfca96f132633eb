"""Networks that serve several backends: a model's name -> its checked folder -> one loaded handle for all of them.

Torch and transformers are imported here and nowhere else in this room; ``folder`` needs neither.
"""
