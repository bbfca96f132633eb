"""Settings of grounding: defaults, and faults in plain words."""

from __future__ import annotations

import pytest

from mner.errors import ConfigError
from mner.grounding import GroundingSettings
from mner.grounding.settings import settings_of


def test_settings_are_on_off_or_a_table() -> None:
    assert settings_of(True) == GroundingSettings()
    assert settings_of(False) is None
    assert settings_of(GroundingSettings(least=1.0)) == GroundingSettings(least=1.0)
    settings = settings_of({"sources": ["text"], "objects": {"dog": ["dog"]}})
    assert settings is not None and settings.sources == ("text",) and settings.objects == {"dog": ("dog",)}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"source": ["text"]}, "sources"),
        ({"sources": ["captions"]}, "sources.0"),
        ({"least": 0}, "least"),
        ({"least": 1.5}, "least"),
        ({"objects": {"PER": []}}, "objects.PER"),
    ],
)
def test_faulty_settings_are_named(table: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        settings_of(table)
