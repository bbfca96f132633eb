"""The layouts of the sample's pictures: each draws a scene and writes the lines into it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from PIL import Image
from sample_covers import COVERS
from sample_drawing import INKS, Layout, Sheet, bars, person

SKINS = ("#f1c27d", "#c68642", "#8d5524", "#ffdbac")
HAIRS = ("#2b1d0e", "#4a2c0a", "#1a1a1a", "#7b3f00")
WIDE, TALL, SQUARE = ((480, 360), (520, 350), (500, 330)), ((360, 480), (380, 470)), ((420, 420), (400, 400))


def _someone(sheet: Sheet, x: float, y: float, size: float) -> None:
    skin, hair = SKINS[int(sheet.random.integers(4))], HAIRS[int(sheet.random.integers(4))]
    person(sheet, x, y, size, skin=skin, cloth=sheet.accent, hair=hair)


def portrait(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A head and shoulders above a band of text."""
    w, h = s.width, s.height
    s.disc(w / 2, h * 0.3, h * 0.27, s.soft)
    _someone(s, w / 2, h * 0.25, h * 0.12)
    s.box((0, h * 0.56, w, h), s.dark)
    s.box((0, h * 0.56, w, h * 0.57), s.accent)
    s.stack(lines, (24, h * 0.6, w - 24, h * 0.97), [s.light] * 4, main=main)


def stage(s: Sheet, lines: Sequence[str], main: str) -> None:
    """Light beams, a singer before a microphone."""
    w, h = s.width, s.height
    for x in (0.1, 0.36, 0.64, 0.9):
        s.shape(
            [(w * x, 0), (w * x - 60 + 120 * (0.5 - x), h * 0.62), (w * x + 60 + 160 * (0.5 - x), h * 0.62)], s.soft
        )
        s.disc(w * x, 4, 14, s.light)
    _someone(s, w / 2, h * 0.27, h * 0.08)
    s.path([(w / 2 + 44, h * 0.62), (w / 2 + 44, h * 0.38), (w / 2 + 20, h * 0.34)], "#111111", line=4)
    s.disc(w / 2 + 18, h * 0.34, 8, "#111111")
    s.box((0, h * 0.56, w, h), "#141018")
    s.stack(lines, (20, h * 0.59, w - 20, h * 0.97), ["#ffffff" if t == main else s.soft for t in lines], main=main)


def nametag(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A sticker with a written name."""
    w, h = s.width, s.height
    s.box((30, 30, w - 30, h - 30), s.accent, radius=26)
    top = lines[: max(1, lines.index(main))]
    rest = [line for line in lines if line not in top]
    s.stack(top, (50, 40, w - 50, h * 0.38), [s.on_accent] * 3, main=top[0])
    s.box((42, h * 0.4, w - 42, h - 58), "#ffffff")
    s.stack(rest, (56, h * 0.42, w - 56, h - 66), ["#1d1d2b"] * 3, main=main)


def party(s: Sheet, lines: Sequence[str], main: str) -> None:
    """Balloons, bunting and confetti."""
    w, h = s.width, s.height
    for _ in range(46):
        x, y = s.random.uniform(0, w), s.random.uniform(0, h)
        s.disc(x, y, s.random.uniform(2, 5), (s.accent, s.soft, "#ffd166")[int(s.random.integers(3))])
    for at, ink in enumerate((s.accent, s.soft, s.dark, s.accent, s.soft, s.dark)):
        x = w * (at + 0.5) / 6
        y = 44 + 16 * math.cos(at * 2.1)
        s.path([(x, y + 30), (x + 6, y + 66)], s.dark, line=1.5)
        s.disc(x, y, 30, ink)
        s.disc(x - 10, y - 10, 6, "#ffffff")
    s.box((36, h * 0.36, w - 36, h - 26), "#ffffff", radius=18, outline=s.accent, line=4)
    s.stack(lines, (54, h * 0.39, w - 54, h - 36), [s.strong if t == main else s.dark for t in lines], main=main)


def magazine(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A cover: title above, a face in the middle."""
    w, h = s.width, s.height
    s.disc(w * 0.62, h * 0.52, w * 0.4, s.light)
    _someone(s, w * 0.6, h * 0.46, h * 0.14)
    s.write(lines[0], (16, 16, w - 16, 96), s.dark, most=80)
    s.box((0, h * 0.76, w, h), s.dark)
    s.stack(lines[1:], (20, h * 0.78, w - 20, h * 0.98), [s.light] * 3, main=main)


def ticket(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A card with a stub and a bar code."""
    w, h = s.width, s.height
    s.box((20, 50, w - 20, h - 50), "#fdfdf8", radius=16)
    s.box((20, 50, w - 20, 104), s.accent, radius=16)
    s.box((20, 84, w - 20, 104), s.accent)
    x = w * 0.8
    for y in range(58, h - 54, 12):
        s.disc(x, y, 2.5, s.dark)
    for y in (50, h - 50):
        s.disc(x, y, 12, s.dark)
    s.write(lines[0], (40, 54, x - 20, 102), s.on_accent, most=36)
    s.stack(
        lines[1:],
        (40, 116, x - 20, h - 66),
        [s.dark if t == main else "#333333" for t in lines[1:]],
        main=main,
        left=True,
    )
    bars(s, (x + 18, 122, w - 34, h - 70), "#222222")


def town(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A map: blocks, a river, a park, a pin."""
    w, h = s.width, s.height
    xs, ys = range(0, w, 62), range(0, h, 54)
    for x in xs:
        for y in ys:
            ink = ("#e9e4d4", "#e9e4d4", "#dcd6c2", "#cfe8c0")[int(s.random.integers(4))]
            s.box((x + 4, y + 4, x + 57, y + 49), ink, radius=3)
    river = [(x, h * 0.72 + 26 * math.sin(x / 70)) for x in range(-10, w + 20, 12)]
    s.path(river, "#8ec9e8", line=30)
    s.path([(0, h * 0.95), (w * 0.5, h * 0.6), (w, h * 0.56)], "#f6c453", line=9)
    s.path([(w * 0.2, 0), (w * 0.34, h)], "#f6c453", line=9)
    s.box((26, 24, w - 26, h * 0.58), "#ffffff", radius=10, outline=s.dark, line=3)
    s.stack(lines, (44, 32, w - 44, h * 0.56), [s.strong if t == main else s.dark for t in lines], main=main)
    x, y = w * 0.74, h * 0.76
    s.shape([(x - 15, y), (x + 15, y), (x, y + 32)], "#d62828")
    s.disc(x, y - 4, 17, "#d62828")
    s.disc(x, y - 4, 7, "#ffffff")


def skyline(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A sun behind houses, water below: a travel poster."""
    w, h = s.width, s.height
    s.disc(w * 0.76, h * 0.62, h * 0.16, s.accent)
    x = -6.0
    while x < w:
        width, tall = s.random.uniform(26, 54), s.random.uniform(0.1, 0.27) * h
        top = h * 0.86 - tall
        s.box((x, top, x + width, h * 0.88), s.dark)
        if s.random.uniform() < 0.3:
            s.shape([(x, top), (x + width, top), (x + width / 2, top - 26)], s.dark)
        for wy in range(int(top) + 8, int(h * 0.84), 15):
            for wx in range(int(x) + 6, int(x + width) - 7, 12):
                if s.random.uniform() < 0.5:
                    s.box((wx, wy, wx + 5, wy + 7), "#ffd97d")
        x += width + 3
    s.box((0, h * 0.86, w, h), s.soft)
    for y in (0.9, 0.94, 0.98):
        s.path([(w * 0.1, h * y), (w * 0.4, h * y)], s.light, line=2)
        s.path([(w * 0.6, h * y), (w * 0.9, h * y)], s.light, line=2)
    s.stack(lines, (24, 12, w - 24, h * 0.45), [s.dark] * 4, main=main)


def roadsign(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A green sign over a road."""
    w, h = s.width, s.height
    s.box((0, h * 0.74, w, h), "#7a9e5f")
    s.shape([(w * 0.42, h * 0.74), (w * 0.58, h * 0.74), (w * 0.9, h), (w * 0.1, h)], "#55565a")
    for y in (0.78, 0.85, 0.93):
        s.box((w / 2 - 3, h * y, w / 2 + 3, h * (y + 0.04)), "#ffffff")
    for x in (70, w - 80):
        s.box((x, h * 0.5, x + 10, h * 0.82), "#777777")
    s.box((30, 24, w - 30, h * 0.66), "#0b6b3a", radius=14, outline="#ffffff", line=5)
    s.stack(lines, (56, 32, w - 56, h * 0.63), ["#ffffff"] * 4, main=main)


def phone(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A telephone's screen with a card and buttons."""
    w, h = s.width, s.height
    s.box((24, 12, w - 24, h - 12), "#16161d", radius=34)
    s.box((36, 44, w - 36, h - 44), "#ffffff", radius=6)
    s.box((36, 44, w - 36, h * 0.3), s.accent)
    s.disc(w / 2, h * 0.3, 36, s.soft, outline="#ffffff", line=4)
    s.shape([(w / 2 - 10, h * 0.3 - 14), (w / 2 + 16, h * 0.3), (w / 2 - 10, h * 0.3 + 14)], "#ffffff")
    s.stack(lines, (48, h * 0.4, w - 48, h * 0.74), [s.dark if t == main else "#444444" for t in lines], main=main)
    for at in range(3):
        left = 52 + at * (w - 104) / 3
        s.box((left, h * 0.79, left + (w - 128) / 3, h * 0.86), (s.soft, s.accent, s.dark)[at], radius=8)


def board(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A black board with lit letters."""
    w, h = s.width, s.height
    s.box((16, 20, w - 16, h - 40), "#0f1115", radius=10, outline="#8d8f96", line=6)
    unit = (h - 92) / len(lines)
    for at, line in enumerate(lines):
        top = 36 + at * unit
        s.box((32, top, w - 32, top + unit - 8), "#1c2028", radius=4)
        ink = "#ffd60a" if line == main else "#f5f5f5"
        s.write(line, (46, top, w - 46, top + unit - 8), ink, most=60 if line == main else 44)
    for x in (0.2, 0.8):
        s.box((w * x - 8, h - 40, w * x + 8, h), "#5c5f66")


def jersey(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A shirt with a name across the back."""
    w, h = s.width, s.height
    body = [(0.33, 0.06), (0.44, 0.11), (0.56, 0.11), (0.67, 0.06), (0.96, 0.26), (0.86, 0.46), (0.79, 0.4)]
    body += [(0.79, 0.97), (0.21, 0.97), (0.21, 0.4), (0.14, 0.46), (0.04, 0.26)]
    s.shape([(w * x, h * y) for x, y in body], s.accent)
    for left, right in ((0.21, 0.245), (0.755, 0.79)):
        s.box((w * left, h * 0.4, w * right, h * 0.97), s.light)
    s.path([(w * 0.44, h * 0.11), (w * 0.5, h * 0.17), (w * 0.56, h * 0.11)], s.light, line=6)
    s.stack(lines, (w * 0.26, h * 0.26, w * 0.74, h * 0.82), [s.on_accent] * 3, main=main)


def office(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A building of glass with a banner."""
    w, h = s.width, s.height
    s.box((w * 0.06, 20, w * 0.94, h), s.dark)
    for x in range(int(w * 0.09), int(w * 0.9), 38):
        for y in range(32, h - 20, 34):
            s.box((x, y, x + 27, y + 22), s.soft)
    s.box((0, h * 0.3, w, h * 0.82), "#ffffff", outline=s.accent, line=6)
    s.stack(lines, (24, h * 0.33, w - 24, h * 0.79), [s.strong if t == main else s.dark for t in lines], main=main)


def stock(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A rising curve below a headline."""
    w, h = s.width, s.height
    s.stack(
        lines, (28, 14, w - 28, h * 0.56), [s.dark if t == main else "#2a7d4f" for t in lines], main=main, left=True
    )
    for y in range(5):
        s.path([(28, h * (0.62 + y * 0.08)), (w - 28, h * (0.62 + y * 0.08))], "#d5d9de", line=1)
    level, points = 0.86, []
    for at in range(15):
        level = min(0.92, max(0.62, level - s.random.uniform(-0.03, 0.06)))
        points.append((28 + at * (w - 56) / 14, h * level))
    s.shape([*points, (w - 28, h * 0.96), (28, h * 0.96)], "#cdeed9")
    s.path(points, "#1f9d55", line=4)


def shop(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A shop front with an awning; the name above, the rest in the window."""
    w, h = s.width, s.height
    s.box((0, 0, w, h * 0.3), s.dark)
    s.write(lines[0], (24, 8, w - 24, h * 0.29), s.light, most=66)
    wide = w / 10
    for at in range(10):
        ink = s.accent if at % 2 else "#ffffff"
        s.box((at * wide, h * 0.3, (at + 1) * wide, h * 0.42), ink)
        s.disc((at + 0.5) * wide, h * 0.42, wide / 2, ink)
    s.box((24, h * 0.52, w * 0.68, h * 0.93), "#fffdf5", outline=s.dark, line=4)
    s.box((w * 0.74, h * 0.54, w * 0.94, h), s.dark)
    s.disc(w * 0.78, h * 0.78, 5, s.light)
    s.stack(lines[1:], (36, h * 0.55, w * 0.68 - 12, h * 0.9), [s.dark] * 3, main=main)
    s.box((0, h * 0.97, w, h), "#6b6b6b")


LAYOUTS: dict[str, tuple[Layout, tuple[tuple[int, int], ...], str]] = {
    "portrait": (portrait, TALL, "light"),
    "stage": (stage, TALL + WIDE, "dark"),
    "nametag": (nametag, WIDE, "light"),
    "party": (party, WIDE, "light"),
    "magazine": (magazine, TALL, "soft"),
    "ticket": (ticket, WIDE, "dark"),
    "map": (town, WIDE + SQUARE, "#ffffff"),
    "skyline": (skyline, TALL + SQUARE, "light"),
    "roadsign": (roadsign, WIDE, "#a9d6e5"),
    "phone": (phone, TALL, "light"),
    "board": (board, WIDE, "#5b7083"),
    "jersey": (jersey, SQUARE, "light"),
    "office": (office, WIDE, "#bfe3f2"),
    "stock": (stock, WIDE, "#ffffff"),
    "shop": (shop, WIDE, "light"),
    **COVERS,
}
"""Layout -> its function, the sizes it comes in, and the ink or colour of its paper."""


def draw(layout: str, lines: Sequence[str], *, main: str) -> Image.Image:
    """The picture of a layout with these lines; the same words always give the same picture.

    Raises:
        KeyError: There is no such layout.
    """
    function, sizes, paper = LAYOUTS[layout]
    seed = int.from_bytes(hashlib.sha256("\n".join((layout, *lines)).encode()).digest()[:4], "big")
    width, height = sizes[seed % len(sizes)]
    inks = INKS[(seed // 7) % len(INKS)]
    names = dict(zip(("dark", "light", "accent", "soft"), inks, strict=True))
    sheet = Sheet(width, height, inks, seed, paper=names.get(paper, paper))
    function(sheet, lines, main)
    return sheet.finished()
