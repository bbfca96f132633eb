"""Text of a post -> words with character offsets: mentions, hashtags, links and emoji stay whole."""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache
from html.entities import name2codepoint

# Format characters that show nothing; they part words where they are not inside one.
_INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PICTURE = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
)
_IN_LINK = r"[^\s<>\"“”’]*[^\s<>\"“”’.,;:!?'()\[\]{}…]"
_SCHEME = rf"(?:https?|ftp)://(?:{_IN_LINK})?…?"
_BARE = rf"(?:www\.|pic\.twitter\.com/|t\.co/){_IN_LINK}…?"
LINK = re.compile(rf"(?i:{_SCHEME}|(?<![\w@-]){_BARE})")
"""A link inside a word, in upper or lower case.

It begins with http://, https:// or ftp:// anywhere, or with www., pic.twitter.com/ or t.co/ where no letter, digit, _,
@ or - stands before it. It ends before a blank, a quotation mark, < or >, and before punctuation at its end.
"""

BLANKS = re.compile(rf"[\s{_INVISIBLE}]*")
"""What may be between words and is part of none."""


def split(text: str) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """The words of a text, and the (start, end) character offsets of each, end exclusive.

    Whole words are: links, addresses, @mentions, #hashtags, $cashtags, emoji with all their parts, emoticons,
    HTML entities (&amp; &#39;), abbreviations (U.S.), numbers (3,000 and 7:30pm), words with inner hyphens or
    apostrophes, names of a letter and a few more around & or &amp; (H&amp;M), and runs of one punctuation mark (...).
    Words of their own are: other punctuation, 's and its like, each Han character.
    Languages written without spaces are otherwise not segmented: give words for those.
    White space and invisible characters between words belong to none.

    >>> split("RT @nba: Kevin's back!! \U0001f468\u200d\U0001f469\u200d\U0001f467")[0]
    ('RT', '@nba', ':', 'Kevin', "'s", 'back', '!!', '👨\u200d👩\u200d👧')
    >>> split("a b")[1]
    ((0, 1), (2, 3))
    """
    words, offsets = [], []
    for match in _pattern().finditer(text):
        words.append(match.group())
        offsets.append(match.span())
    return tuple(words), tuple(offsets)


@cache
def _pattern() -> re.Pattern[str]:
    marks = _marks()
    letter = rf"[^\W\d_{_HAN}]"
    # A combining mark is not \w for Python, yet Hindi or decomposed accents are unreadable without it.
    inner = rf"(?:[^\W{_HAN}]|[{marks}])"
    joiner = r"[\u00ad\u200c\u200d]"
    name = rf"(?:\w|[{marks}]|{joiner}(?=\w))"
    part = rf"(?![\ufe00-\ufe0f]){inner}+(?:{joiner}+{inner}+)*"
    # The names of HTML 4, and whatever else looks like one; the offsets point into the text as it is written.
    named = "|".join(sorted(name for name in name2codepoint if not re.fullmatch("[a-z]{2,6}", name)))
    entity = rf"&(?:[a-z]{{2,6}}|{named}|AMP|LT|GT|QUOT|#\d{{1,7}}|#[xX][0-9a-fA-F]{{1,6}});"
    clitic = r"['’](?:s|m|re|ve|ll|d|S|M|RE|VE|LL|D)(?!\w)"
    modifier = "[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
    emoji = rf"[{_PICTURE}]{modifier}"
    choices = (
        f"(?i:{_SCHEME}|{_BARE})",
        r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+",
        rf"[@＠]{name}+",
        # A keycap such as #️⃣ is an emoji, so it comes before the hashtag.
        "[0-9#*]\ufe0f?\u20e3",
        rf"[#＃]{name}+",
        r"\$[A-Za-z]{1,6}(?!\w)",
        "[\U0001f1e6-\U0001f1ff]{2}",
        rf"{emoji}(?:\u200d{emoji})*",
        entity,
        r"[:;=][-o*^']?[)(\[\]DPpO/\\|*3](?!\w)|<3+(?!\d)",
        rf"(?:{letter}\.){{2,}}",
        rf"\d+(?:[.,:/]\d+)+(?:{inner})*",
        clitic,
        rf"[{_HAN}][{marks}]*",
        rf"{letter}&amp;{letter}{{1,3}}(?!{name})|{letter}{{2,3}}&amp;{letter}(?!{name})",
        rf"{part}(?:(?!{clitic}|{entity})[-'’‐‑&](?={inner}){part})*",
        "[\ud800-\udbff][\udc00-\udfff]",
        # What is left is a symbol with its marks, or a run of the same punctuation mark.
        rf"(?P<mark>[^\w\s{_INVISIBLE}])(?:(?P=mark)+|[{marks}]*)",
        rf"[^\s{_INVISIBLE}]",
    )
    return re.compile("|".join(choices))


@cache
def _marks() -> str:
    """All combining marks as the inside of a character class; made when first needed (about 20 ms)."""
    codes = [code for code in _mark_range() if unicodedata.category(chr(code))[0] == "M"]
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


def _mark_range() -> list[int]:
    # Marks live below U+20000, but for the ideographic variation selectors of plane 14.
    return [*range(0x300, 0x20000), *range(0xE0100, min(0xE01F0, sys.maxunicode))]
