"""The parts of a report as a page: where its links lead."""

from __future__ import annotations

import re

from mner.show.tables import Part, Section, page


def test_each_link_leads_to_its_own_section() -> None:
    titles = ["ita.v1", "ita-v1", "数据", "推特", "!", "ita v1 2", "ita-v1"]
    written = page("Results", (), [Section(title, (Part(""),)) for title in titles])
    links = dict(re.findall(r'<a href="#([^"]+)">([^<]+)</a>', written))
    sections = dict(re.findall(r'<section id="([^"]+)">\s*<h2>([^<]+)</h2>', written))
    assert list(links.values()) == titles
    assert links == sections
