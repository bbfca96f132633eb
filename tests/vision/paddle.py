"""What stands for the package paddleocr, whose models no test downloads: it takes and answers what version 3 does."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

# The parameters of paddleocr.PaddleOCR 3.7 that the file may use, with what it inherits.
KNOWN = {
    "text_detection_model_name", "text_detection_model_dir", "text_recognition_model_name",
    "text_recognition_model_dir", "use_doc_orientation_classify", "use_doc_unwarping", "use_textline_orientation",
    "text_rec_score_thresh", "lang", "device", "cpu_threads",
}  # fmt: skip


class PaddleModule(ModuleType):
    """Stands for paddleocr; ``answers`` are the results of one picture, ``given`` and ``seen`` what it got."""

    def __init__(self) -> None:
        super().__init__("paddleocr")
        calls = self
        self.given: dict[str, Any] | None = None
        self.seen: list[Any] = []
        self.answers: list[dict[str, Any]] = []

        class PaddleOCR:
            def __init__(self, **given: Any) -> None:
                unknown = set(given) - KNOWN
                if unknown:
                    raise ValueError(f"Unknown argument: {unknown}")
                if given.get("lang") == "klingon":
                    raise ValueError("No models are available for lang='klingon' and ocr_version=None.")
                calls.given = given

            def predict(self, pixels: Any) -> list[dict[str, Any]]:
                calls.seen.append(pixels)
                return calls.answers

        self.PaddleOCR = PaddleOCR


def answer(*lines: tuple[str, float, list[tuple[int, int]]]) -> dict[str, Any]:
    """A result as the pipeline makes it: names of lists, corners as an array of each line."""
    polygons = [np.array(corners, dtype=np.int16) for _, _, corners in lines]
    boxes = np.array([[*np.min(each, axis=0), *np.max(each, axis=0)] for each in polygons])
    return {
        "input_path": None,
        "page_index": None,
        "dt_polys": polygons,
        "text_det_params": {},
        "rec_texts": [text for text, _, _ in lines],
        "rec_scores": [score for _, score, _ in lines],
        "rec_polys": polygons,
        "rec_boxes": boxes,
    }


def corners(left: int, top: int, right: int, bottom: int) -> list[tuple[int, int]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]
