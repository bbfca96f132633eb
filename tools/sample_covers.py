"""Covers and goods of the sample's pictures: albums, films, games, cars, books, bottles; notes and menus."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sample_drawing import Layout, Sheet, bars

TALL, SQUARE, WIDE = ((360, 480), (370, 470)), ((420, 420), (400, 400)), ((480, 360), (520, 350))


def album(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A record half out of its sleeve."""
    w, h = s.width, s.height
    for radius, ink in ((0.34, "#141414"), (0.28, "#2a2a2a"), (0.27, "#141414"), (0.2, "#2a2a2a"), (0.19, "#141414")):
        s.disc(w * 0.5, h * 0.3, w * radius, ink)
    s.disc(w * 0.5, h * 0.3, w * 0.11, s.accent)
    s.disc(w * 0.5, h * 0.3, w * 0.02, s.light)
    s.box((0, h * 0.46, w, h), s.dark)
    s.box((0, h * 0.46, w, h * 0.475), s.accent)
    s.stack(lines, (26, h * 0.5, w - 26, h * 0.96), [s.light if t == main else "#ffd166" for t in lines], main=main)


def film(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A film poster: a moon, hills, a strip of film on both sides."""
    w, h = s.width, s.height
    s.disc(w * 0.5, h * 0.26, w * 0.2, "#ffe8b0")
    s.shape([(0, h * 0.52), (w * 0.3, h * 0.28), (w * 0.55, h * 0.52)], s.soft)
    s.shape([(w * 0.35, h * 0.52), (w * 0.72, h * 0.2), (w, h * 0.46), (w, h * 0.52)], s.accent)
    s.box((0, h * 0.5, w, h), "#101014")
    for x in (0.0, w - 22.0):
        s.box((x, 0, x + 22, h), "#000000")
        for y in range(6, s.height, 24):
            s.box((x + 6, y, x + 16, y + 12), "#f2f2f2", radius=2)
    s.stack(lines, (34, h * 0.53, w - 34, h * 0.97), ["#ffffff" if t == main else "#ffd166" for t in lines], main=main)


def game(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A game's first screen: blocks, a pad."""
    w, h = s.width, s.height
    for at in range(0, s.width, 26):
        tall = int(s.random.integers(1, 4))
        for level in range(tall):
            s.box((at, h - 26 * (level + 1), at + 24, h - 26 * level - 2), (s.accent, s.soft)[(at // 26 + level) % 2])
    for _ in range(26):
        x, y = s.random.uniform(0, w), s.random.uniform(0, 76)
        s.box((x, y, x + 3, y + 3), "#ffffff")
    s.box((w / 2 - 60, 16, w / 2 + 60, 72), "#e8e8ee", radius=26)
    s.box((w / 2 - 42, 40, w / 2 - 18, 47), "#333333")
    s.box((w / 2 - 34, 32, w / 2 - 27, 55), "#333333")
    s.disc(w / 2 + 24, 48, 7, "#d62828")
    s.disc(w / 2 + 40, 36, 7, "#2a9d8f")
    s.stack(lines, (30, 78, w - 30, h * 0.76), ["#ffe066" if t == main else "#ffffff" for t in lines], main=main)


def car(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A car on a street below its name."""
    w, h = s.width, s.height
    s.box((0, h * 0.84, w, h), "#4a4d52")
    for x in range(0, s.width, 60):
        s.box((x, h * 0.925, x + 32, h * 0.94), "#f4f4f4")
    top = [(0.3, 0.7), (0.38, 0.56), (0.62, 0.56), (0.74, 0.7)]
    s.shape([(w * x, h * y) for x, y in top], s.accent)
    glass = [(0.34, 0.69), (0.4, 0.585), (0.49, 0.585), (0.49, 0.69)]
    s.shape([(w * x, h * y) for x, y in glass], "#d7eefc")
    s.shape([(w * x, h * y) for x, y in ((0.51, 0.69), (0.51, 0.585), (0.605, 0.585), (0.69, 0.69))], "#d7eefc")
    s.box((w * 0.14, h * 0.69, w * 0.88, h * 0.85), s.accent, radius=18)
    for x in (0.3, 0.72):
        s.disc(w * x, h * 0.86, 30, "#191919")
        s.disc(w * x, h * 0.86, 14, "#c9ccd1")
    s.disc(w * 0.86, h * 0.75, 8, "#fff3b0")
    s.stack(lines, (24, 10, w - 24, h * 0.53), [s.dark if t == main else "#33363b" for t in lines], main=main)


def book(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A book with a spine and an ornament."""
    w, h = s.width, s.height
    s.box((26, 18, w - 18, h - 18), s.dark, radius=8)
    s.box((26, 18, 48, h - 18), s.accent, radius=4)
    s.box((64, 34, w - 34, h - 34), s.dark, outline=s.soft, line=3)
    x, y = (w + 30) / 2, h * 0.76
    turn = s.random.uniform(0, 1)
    for at in range(10):
        angle = turn + at * math.pi / 5
        s.disc(x + 44 * math.cos(angle), y + 44 * math.sin(angle), 14, (s.accent, s.soft)[at % 2])
    s.disc(x, y, 24, s.light)
    s.stack(lines, (78, 46, w - 48, h * 0.58), [s.light if t == main else "#ffd166" for t in lines], main=main)


def bottle(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A bottle with a label."""
    w, h = s.width, s.height
    s.disc(w / 2, h * 0.5, w * 0.47, s.soft)
    s.box((w / 2 - 34, 20, w / 2 + 34, 84), s.dark, radius=8)
    s.box((w / 2 - 20, 80, w / 2 + 20, 112), "#e5c56b")
    s.box((w * 0.13, 108, w * 0.87, h - 24), s.accent, radius=36)
    s.box((w * 0.17, h * 0.36, w * 0.83, h * 0.84), "#fffdf7", radius=6)
    s.stack(lines, (w * 0.2, h * 0.38, w * 0.8, h * 0.82), ["#2b2b2b"] * 3, main=main)


def menu(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A chalk board with a frame."""
    w, h = s.width, s.height
    s.box((0, 0, w, h), "#8a5a34")
    s.box((20, 20, w - 20, h - 20), "#263a35")
    s.stack(lines, (44, 30, w - 44, h - 60), ["#ffd97d" if t == main else "#f5f5f0" for t in lines], main=main)
    s.path([(w * 0.3, h - 44), (w * 0.7, h - 44)], "#f5f5f0", line=3)


def receipt(s: Sheet, lines: Sequence[str], main: str) -> None:
    """A strip of paper with a bar code."""
    w, h = s.width, s.height
    edge = [(60 + at * (w - 120) / 16, h - (12 if at % 2 else 26)) for at in range(17)]
    s.shape([(60, 10), (w - 60, 10), *reversed(edge)], "#fffefa")
    s.stack(lines, (78, 24, w - 78, h * 0.7), ["#222222"] * 5, main=main)
    bars(s, (90, h * 0.76, w - 86, h * 0.9), "#222222")


COVERS: dict[str, tuple[Layout, tuple[tuple[int, int], ...], str]] = {
    "album": (album, SQUARE, "light"),
    "film": (film, TALL, "dark"),
    "game": (game, WIDE, "#1b1b3a"),
    "car": (car, WIDE, "light"),
    "book": (book, TALL, "light"),
    "bottle": (bottle, TALL, "light"),
    "menu": (menu, WIDE, "#8a5a34"),
    "receipt": (receipt, TALL, "soft"),
}
