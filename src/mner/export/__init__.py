"""TRAINED MODEL -> WHAT RUNS ELSEWHERE: ONNX graphs in fp32 and int8, compared with torch before they are kept."""

from mner.export.figures import Figures
from mner.export.onnx import Exported, export

__all__ = ["Exported", "Figures", "export"]
