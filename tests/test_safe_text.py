"""Foreign text: nothing in it steers a terminal, begins HTML or makes a link."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from mner.safe_text import for_markdown, for_terminal, printable, shown

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
NASTY = st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x9b\x07\r\x7f\u202e\u2066\ud800<>![]()`|/ascript")))


@given(NASTY)
def test_no_character_steers_the_terminal(text: str) -> None:
    for safe in (for_terminal(text), shown(text), printable(text)):
        assert not STEERING.search(safe)
    assert len(shown(text)) == len(text)


@given(NASTY)
def test_json_for_a_terminal_means_the_same(text: str) -> None:
    line = json.dumps({"text": text}, ensure_ascii=False)
    units = (value.encode("utf-16", "surrogatepass") for value in (text, json.loads(for_terminal(line))["text"]))
    assert next(units) == next(units)


@given(NASTY)
def test_markdown_begins_no_html_and_makes_no_link(text: str) -> None:
    safe = for_markdown(text)
    assert not re.search(r"<[A-Za-z/!?]", safe)
    assert "](" not in safe
    assert "\n" not in safe
