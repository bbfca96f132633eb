"""Named entity recognition for text with pictures."""
