# What type checkers see of the lazy names in __init__.py; a test compares the two.
from mner.bulk import predict_shards as predict_shards
from mner.errors import MnerError as MnerError
from mner.evidence import Evidence as Evidence
from mner.evidence import Explanation as Explanation
from mner.integrations.pandas import tag_frame as tag_frame
from mner.regions import Region as Region
from mner.tagger import Tagger as Tagger
from mner.tagger import load as load
from mner.types import Caption as Caption
from mner.types import ContextText as ContextText
from mner.types import Entity as Entity
from mner.types import OcrText as OcrText
from mner.types import Post as Post
from mner.types import Prediction as Prediction
from mner.types import Span as Span
from mner.types import Tag as Tag
from mner.types import VisualContext as VisualContext

__all__ = [
    "Caption",
    "ContextText",
    "Entity",
    "Evidence",
    "Explanation",
    "MnerError",
    "OcrText",
    "Post",
    "Prediction",
    "Region",
    "Span",
    "Tag",
    "Tagger",
    "VisualContext",
    "load",
    "predict_shards",
    "tag_frame",
]

__version__: str
_HOME: dict[str, str]
