"""TRAINED MODEL -> WHAT RUNS ELSEWHERE: ONNX graphs in fp32 and int8, compared with torch before they are kept."""

from mner.export.export import Exported, export
from mner.export.figures import Figures

__all__ = ["Exported", "Figures", "export"]
