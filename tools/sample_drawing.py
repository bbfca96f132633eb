"""Layout and lines of text -> a drawn picture: posters, tickets, shirts, boards, maps, covers, screens."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

SCALE = 2
"""Pictures are drawn larger by this and reduced, which smooths their edges."""

INKS = (
    ("#12355b", "#f4f1de", "#e07a5f", "#81b29a"),
    ("#5f0f40", "#fff3e0", "#fb8b24", "#e36414"),
    ("#0b3d2e", "#f1faee", "#ffb703", "#52b788"),
    ("#22223b", "#f2e9e4", "#c9184a", "#9a8c98"),
    ("#003049", "#fdf0d5", "#d62828", "#669bbc"),
    ("#3c096c", "#f8edff", "#ff6d00", "#9d4edd"),
    ("#1b4332", "#fefae0", "#bc6c25", "#74c69d"),
    ("#14213d", "#ffffff", "#fca311", "#8d99ae"),
    ("#581845", "#fff8f0", "#ff5733", "#ffc300"),
    ("#006d77", "#edf6f9", "#e29578", "#83c5be"),
)
"""Dark, light, accent, soft."""

Box = tuple[float, float, float, float]


class Sheet:
    """A canvas with its inks; lengths are in pixels of the finished picture."""

    def __init__(self, width: int, height: int, inks: Sequence[str], seed: int, *, paper: str) -> None:
        self.width, self.height = width, height
        self.dark, self.light, self.accent, self.soft = inks
        red, green, blue = ImageColor.getrgb(self.accent)[:3]
        pale = 0.3 * red + 0.6 * green + 0.1 * blue > 140
        self.strong, self.on_accent = (self.dark, self.dark) if pale else (self.accent, "#ffffff")
        self.random = np.random.default_rng(seed)
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), paper)
        self.draw = ImageDraw.Draw(self.image)

    def box(self, box: Box, ink: str, *, radius: float = 0, outline: str | None = None, line: float = 0) -> None:
        """Fill a rectangle."""
        self.draw.rounded_rectangle(
            [at * SCALE for at in box], radius * SCALE, fill=ink, outline=outline, width=int(line * SCALE)
        )

    def disc(self, x: float, y: float, radius: float, ink: str, *, outline: str | None = None, line: float = 0) -> None:
        """Fill a circle."""
        edges = [(x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE, (y + radius) * SCALE]
        self.draw.ellipse(edges, fill=ink, outline=outline, width=int(line * SCALE))

    def shape(self, points: Sequence[tuple[float, float]], ink: str) -> None:
        """Fill a polygon."""
        self.draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=ink)

    def path(self, points: Sequence[tuple[float, float]], ink: str, *, line: float) -> None:
        """Draw a line through points."""
        self.draw.line([(x * SCALE, y * SCALE) for x, y in points], ink, int(line * SCALE), joint="curve")

    def write(self, text: str, box: Box, ink: str, *, most: float = 72, bold: bool = True, left: bool = False) -> None:
        """Write one line as large as fits the box, centred or at its left edge."""
        width, height = (box[2] - box[0]) * SCALE, (box[3] - box[1]) * SCALE
        size = int(most * SCALE)
        stroke = size // 40 if bold else 0
        while size > 8:
            font, stroke = ImageFont.load_default(size), size // 40 if bold else 0
            if font.getlength(text) + 2 * stroke <= width and size * 0.95 <= height:
                break
            size -= 2
        x = box[0] * SCALE if left else (box[0] + box[2]) * SCALE / 2
        y = (box[1] + box[3]) * SCALE / 2
        self.draw.text((x, y), text, ink, font, "lm" if left else "mm", stroke_width=stroke, stroke_fill=ink)

    def stack(self, lines: Sequence[str], box: Box, inks: Sequence[str], *, main: str, left: bool = False) -> None:
        """Write lines one below the other; the main one is the highest."""
        weights = [1.7 if line == main else 1.0 for line in lines]
        unit, top = (box[3] - box[1]) / sum(weights), box[1]
        for line, weight, ink in zip(lines, weights, inks, strict=False):
            most = 74 if line == main else 40
            self.write(line, (box[0], top, box[2], top + unit * weight), ink, most=most, left=left, bold=line == main)
            top += unit * weight

    def finished(self) -> Image.Image:
        """The picture in its own size, with a palette of at most 48 colours."""
        small = self.image.resize((self.width, self.height), Image.Resampling.BOX)
        return small.quantize(48, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


Layout = Callable[[Sheet, Sequence[str], str], None]
"""Draws its scene and writes the lines, the last argument being the main one."""


def person(sheet: Sheet, x: float, y: float, size: float, *, skin: str, cloth: str, hair: str) -> None:
    """Draw head and shoulders; y is the middle of the head, size its radius."""
    sheet.disc(x, y + size * 2.9, size * 1.75, cloth)
    sheet.box((x - size * 0.35, y + size * 0.6, x + size * 0.35, y + size * 1.4), skin)
    sheet.disc(x, y - size * 0.2, size * 1.12, hair)
    sheet.disc(x, y + size * 0.08, size * 0.92, skin)
    sheet.disc(x - size * 0.33, y, size * 0.09, hair)
    sheet.disc(x + size * 0.33, y, size * 0.09, hair)
    angles = [0.3 + 0.32 * step for step in range(9)]
    smile = [(x + size * 0.35 * math.cos(at), y + size * (0.3 + 0.25 * math.sin(at))) for at in angles]
    sheet.path(smile, hair, line=max(size * 0.07, 1))


def bars(sheet: Sheet, box: Box, ink: str) -> None:
    """Draw a bar code."""
    x = box[0]
    while x < box[2] - 6:
        width = float(sheet.random.integers(1, 5))
        sheet.box((x, box[1], x + width, box[3]), ink)
        x += width + float(sheet.random.integers(2, 5))
