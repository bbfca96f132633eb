"""A picture -> its features: numbers for models that look at pictures, not at texts about them.

Models read them from a folder that ``mner features build`` made::

    features = read_features(folder, names, policy="skip")     # names of pictures, or their SHA-256
    features.widths            # {"grid": 2048}, or {"regions": 2048, "boxes": 6}
    features.regions           # least and most regions of a picture: (49, 49)
    features.missing           # those of ``names`` that have no features
    features.get("12.jpg")     # {"grid": float32 (region, width)}; None where the picture has none and policy is "skip"

An extractor is a file of this folder: ``Options``, ``ABOUT`` and a class ``FeatureExtractor``, described like the
backends of ``mner.vision.protocols``. Called with several pictures it gives for each its arrays by name: "grid" or
"regions" (region, width), and with regions "boxes" (region, 6): left, top, right, bottom, width and height as shares of
the picture's own. ``named=True`` looks up what was published about a picture, whether or not its file is here.
"""

from mner.vision.features._build import FeatureExtractor, build
from mner.vision.features._read import Features, Policy, read_features
from mner.vision.features._shard import INDEX, Arrays

__all__ = ["INDEX", "Arrays", "FeatureExtractor", "Features", "Policy", "build", "read_features"]
