"""Drawing with Pillow's built-in typeface at twice the size, made smaller at the end so that edges are smooth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SCALE = 2
"""Pixels drawn for each pixel of the finished picture, in both directions."""

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the finished picture."""


@dataclass(frozen=True)
class Palette:
    """Colours that suit each other: background, text on it, two strong ones, a light one."""

    paper: str
    ink: str
    main: str
    accent: str
    soft: str


PALETTES = {
    "sky": Palette("#f5f9fc", "#14304a", "#1f78c1", "#ff8a3d", "#cfe5f5"),
    "night": Palette("#10162b", "#f2f1ea", "#3c4fa8", "#ffd166", "#2a3360"),
    "forest": Palette("#f4f1e4", "#1e3325", "#2f6b46", "#d9822b", "#c6d8b5"),
    "rose": Palette("#fff4f3", "#4a1630", "#c2255c", "#f7b801", "#ffd3dc"),
    "sand": Palette("#fbf3e2", "#40301c", "#b5652a", "#1f8a8c", "#ecd7ae"),
    "mono": Palette("#f6f6f4", "#1a1a1a", "#3b3b3b", "#e03131", "#d7d7d2"),
    "grape": Palette("#f6f0fb", "#2a1746", "#6a3fb5", "#ff6f91", "#dccbf2"),
    "ember": Palette("#1c1110", "#fbeadb", "#c8341b", "#ffb03a", "#4c2219"),
    "teal": Palette("#eefaf7", "#0c3b3a", "#0e8a80", "#ff5d5d", "#bfe8e0"),
    "lemon": Palette("#fffbe3", "#3a3407", "#e0b400", "#2364aa", "#f9eaa0"),
}


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The typeface that comes inside Pillow, ``size`` drawn pixels high."""
    return ImageFont.load_default(size=size)


@dataclass
class Canvas:
    """A picture being drawn. All measures are pixels of the finished picture.

    Attributes:
        width: Of the finished picture.
        height: Of the finished picture.
        palette: Its colours.
        rng: Chance for ornaments, never for words; seeded by the picture's name.
    """

    width: int
    height: int
    palette: Palette
    rng: np.random.Generator
    image: Image.Image = field(init=False)

    def __post_init__(self) -> None:
        self.image = Image.new("RGB", (self.width * SCALE, self.height * SCALE), self.palette.paper)

    @property
    def pen(self) -> ImageDraw.ImageDraw:
        """A pen on the picture as it is now."""
        return ImageDraw.Draw(self.image)

    def gradient(self, top: str, bottom: str, box: Box | None = None) -> None:
        """Fill a box, or everything, from one colour above to another below."""
        left, upper, right, lower = (round(v * SCALE) for v in box or (0, 0, self.width, self.height))
        ends = [Image.new("RGB", (1, 1), colour).getpixel((0, 0)) for colour in (top, bottom)]
        steps = np.linspace(ends[0], ends[1], lower - upper).round().astype(np.uint8)
        column = Image.fromarray(steps[:, None, :])
        self.image.paste(column.resize((right - left, lower - upper)), (left, upper))

    def box(self, box: Box, fill: str | None, *, radius: float = 0, line: str | None = None, width: float = 1) -> None:
        """A rectangle, with round corners where a radius is given."""
        scaled = tuple(v * SCALE for v in box)
        self.pen.rounded_rectangle(scaled, radius * SCALE, fill=fill, outline=line, width=round(width * SCALE))

    def oval(self, box: Box, fill: str | None, *, line: str | None = None, width: float = 1) -> None:
        """An ellipse inside a box."""
        self.pen.ellipse(tuple(v * SCALE for v in box), fill=fill, outline=line, width=round(width * SCALE))

    def disc(self, at: Point, radius: float, fill: str) -> None:
        """A circle around a point."""
        self.oval((at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius), fill)

    def shape(self, points: Sequence[Point], fill: str) -> None:
        """A filled polygon."""
        self.pen.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def line(self, points: Sequence[Point], fill: str, *, width: float = 1) -> None:
        """A line through points, with round joints."""
        self.pen.line([(x * SCALE, y * SCALE) for x, y in points], fill=fill, width=round(width * SCALE), joint="curve")

    def arc(self, box: Box, start: float, end: float, fill: str, *, width: float = 1) -> None:
        """Part of an ellipse's edge, in degrees clockwise from three o'clock."""
        self.pen.arc(tuple(v * SCALE for v in box), start, end, fill=fill, width=round(width * SCALE))

    def shadow(self, box: Box, *, radius: float = 0, strength: int = 90, blur: float = 6) -> None:
        """A soft shadow a little below a box."""
        mask = Image.new("L", self.image.size, 0)
        scaled = (box[0] * SCALE, (box[1] + 4) * SCALE, box[2] * SCALE, (box[3] + 5) * SCALE)
        ImageDraw.Draw(mask).rounded_rectangle(scaled, radius * SCALE, fill=strength)
        self.image.paste("#000000", mask=mask.filter(ImageFilter.GaussianBlur(blur * SCALE)))

    def grain(self, amount: float = 5.0) -> None:
        """A little noise, as paper and cameras have it."""
        pixels = np.asarray(self.image).astype(np.float32)
        noise = self.rng.normal(0, amount, (*pixels.shape[:2], 1)).astype(np.float32)
        self.image = Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))

    def text(
        self,
        at: Point,
        words: str,
        size: float,
        fill: str,
        *,
        anchor: str = "la",
        bold: float = 0,
        room: float | None = None,
        spacing: float = 0,
        stretch: float = 1,
        turn: float = 0,
    ) -> float:
        """The width of a line of text that was written at a point.

        Args:
            at: Where the anchor is.
            words: The line.
            size: Of the typeface.
            fill: Its colour.
            anchor: One of l, m, r and one of a (top), m (middle), s (base line).
            bold: Thickness added on each side of a stroke; the typeface has one weight only.
            room: Width at most; a longer line is written smaller.
            spacing: Added between characters.
            stretch: Height over width, 1 for the typeface's own.
            turn: Degrees counterclockwise about the middle of the text.
        """
        if not words:
            return 0.0
        if room is not None:
            full = _length(words, size, bold, spacing)
            size = min(size, size * room / full)
        drawn = font(round(size * SCALE))
        stroke = bold * SCALE
        length = _length(words, size, bold, spacing)
        height = size * 1.3
        pad = size
        mask = Image.new("L", (round((length + 2 * pad) * SCALE), round((height + 2 * pad) * SCALE)), 0)
        pen, x = ImageDraw.Draw(mask), pad * SCALE
        for part in words if spacing else [words]:
            pen.text((x, (pad + size) * SCALE), part, fill=255, font=drawn, anchor="ls", stroke_width=stroke)
            x += drawn.getlength(part) + spacing * SCALE
        if stretch != 1:
            mask = mask.resize((mask.width, round(mask.height * stretch)), Image.Resampling.LANCZOS)
        base = (pad + size) * stretch
        rise = {"a": base - size * 0.72 * stretch, "m": base - size * 0.36 * stretch, "s": base}[anchor[1]]
        left = pad + length * {"l": 0, "m": 0.5, "r": 1}[anchor[0]]
        corner = (at[0] - left, at[1] - rise)
        if turn:
            middle = (corner[0] + mask.width / SCALE / 2, corner[1] + mask.height / SCALE / 2)
            mask = mask.rotate(turn, Image.Resampling.BICUBIC, expand=True)
            corner = (middle[0] - mask.width / SCALE / 2, middle[1] - mask.height / SCALE / 2)
        self.image.paste(fill, (round(corner[0] * SCALE), round(corner[1] * SCALE)), mask)
        return length

    def finished(self) -> Image.Image:
        """The picture at its own size."""
        return self.image.resize((self.width, self.height), Image.Resampling.LANCZOS)


def _length(words: str, size: float, bold: float, spacing: float) -> float:
    width = font(round(size * SCALE)).getlength(words) / SCALE
    return width + 2 * bold + spacing * (len(words) - 1)
