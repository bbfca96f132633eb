import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.words import split

TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "ab1 .'’@#$:/-&;<3)amp\u00a0\u00ad\ufe0f\u200d\u200b\u2028\u20e3é\u0301\U0001f468\U0001f3fd🇺🇸東"
        ),
        st.characters(),
    ),
    max_size=40,
)


@given(TEXTS)
def test_offsets_point_at_the_words_and_never_overlap(text):
    words, offsets = split(text)
    end = 0
    for word, (start, stop) in zip(words, offsets, strict=True):
        assert text[start:stop] == word
        assert end <= start < stop
        end = stop


@given(
    st.lists(st.sampled_from(["Obama", "café", "東", "@nba", "#NBA", "2020", "O’Brien", "rock-n-roll"]), min_size=1),
    st.sampled_from(["&amp;", "&lt;", "&nbsp;", "&#39;", "&quot;", "&#x1F602;", "&Uuml;", "&hellip;"]),
)
def test_html_entity_between_words_is_a_word_of_its_own(names, entity):
    words, offsets = split(entity.join(names))
    assert words == tuple(word for name in names for word in (name, entity))[:-1]
    assert [entity.join(names)[start:end] for start, end in offsets] == list(words)


@given(TEXTS)
def test_every_visible_character_belongs_to_a_word(text):
    _, offsets = split(text)
    covered = {at for start, stop in offsets for at in range(start, stop)}
    for at, char in enumerate(text):
        invisible = unicodedata.category(char) == "Cf" or "\ufe00" <= char <= "\ufe0f"
        assert at in covered or char.isspace() or invisible


@given(TEXTS)
def test_no_word_holds_white_space(text):
    assert not any(char.isspace() for word in split(text)[0] for char in word)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RT @KingJames: #NBA2K's out", "RT|@KingJames|:|#NBA2K|'s|out"),
        (
            "Https://t.co/abc! WWW.Example.com/x HTTPS://T.CO/AbC",
            "Https://t.co/abc|!|WWW.Example.com/x|HTTPS://T.CO/AbC",
        ),
        ("see https://t.co/D4Xzs0, (http://a.b/c?d=1&e=2) or www.nba.com!", None),
        ("👩‍❤️‍👨 ✌🏽 🇺🇸🇬🇧 1️⃣ #️⃣ ❤️😂😂", "👩‍❤️‍👨|✌🏽|🇺🇸|🇬🇧|1️⃣|#️⃣|❤️|😂|😂"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f!", None),
        ("U.S. and J.R. Smith.", "U.S.|and|J.R.|Smith|."),
        ("it’s O’Brien’s Coca-Cola, don't", "it|’s|O’Brien|’s|Coca-Cola|,|don't"),
        ("3,000 $5 $AAPL 7:30pm 50% 3-1", "3,000|$|5|$AAPL|7:30pm|50|%|3-1"),
        ("wow!!! ... ?! :) :-( key:Doc <3", "wow|!!!|...|?|!|:)|:-(|key|:|Doc|<3"),
        ("AT&T R&B &amp; x", "AT&T|R&B|&amp;|x"),
        (
            "Obama&amp;Angela &quot;Bo&quot; x&gt;&gt; y&lt;3",
            "Obama|&amp;|Angela|&quot;|Bo|&quot;|x|&gt;|&gt;|y|&lt;|3",
        ),
        ("H&amp;M's AT&amp;T M&amp;Ms NYC&amp;LA R&D; x&y", "H&amp;M|'s|AT&amp;T|M&amp;Ms|NYC|&amp;|LA|R&D|;|x&y"),
        ("Bo&#39;s &#x27;a&nbsp;b&Eacute;c&frac12; &amp", "Bo|&#39;|s|&#x27;|a|&nbsp;|b|&Eacute;|c|&frac12;|&|amp"),
        ("हिन्दी cafe\u0301 می‌خواهم", "हिन्दी|cafe\u0301|می‌خواهم"),
        ("東京 in 2020", "東|京|in|2020"),
        ("[SEP] </s>", "[|SEP|]|<|/|s|>"),
        ("me@x.co.uk", "me@x.co.uk"),
        ("\u00a0\u00ad\ufe0f \u200b", ""),
        ("", ""),
        ("co\u00adop a\u200bb", "co\u00adop|a|b"),
        ("\x00 \ud83d", "\x00|\ud83d"),
        ("snake_case __ _", "snake_case|__|_"),
    ],
)
def test_words_of_posts(text, words):
    expected = {
        1: ("see", "https://t.co/D4Xzs0", ",", "(", "http://a.b/c?d=1&e=2", ")", "or", "www.nba.com", "!"),
        3: (text[:-1], "!"),
    }
    if words is None:
        assert split(text)[0] == expected[1 if text.startswith("see") else 3]
    else:
        assert split(text)[0] == (tuple(words.split("|")) if words else ())


@pytest.mark.parametrize(
    "unit",
    ["a.", "a&", "a&amp;", "&am", "a", "1", "1,", "a'", "a\u200d", "👩\u200d", "@", "x@", "é\u0301", "."],
)
def test_time_grows_with_the_length(unit):
    text = unit * 20_000
    began = time.process_time()
    split(text)
    assert time.process_time() - began < 2.0
