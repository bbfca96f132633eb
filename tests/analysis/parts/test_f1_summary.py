"""An F1 keeps each run, and its text is the mean with its deviation."""

from __future__ import annotations

import pytest

from mner.analysis.parts.f1_summary import f1_summary, unscored
from mner.config import Config


def test_several_runs_have_a_deviation_and_one_has_none() -> None:
    two = f1_summary([70.0, 73.0], config=Config(), data="d/dev@1", view="I+T")
    assert (two.f1, two.mean, two.sd) == ((70.0, 73.0), 71.5, pytest.approx(2.1213, abs=1e-4))
    assert str(two) == "71.50 \u00b1 2.12" and two.signature.startswith("f1=71.50 sd=2.12 view=I+T ")
    one_run = f1_summary([70.0], config=Config(), data="d/dev@1", view="T")
    assert (one_run.sd, str(one_run)) == (None, "70.00") and "sd=" not in one_run.signature


def test_number_that_is_no_score_is_signed_with_what_decides_it() -> None:
    assert unscored(view="T", data="d@1", seeds=3, version="0.1") == "view=T data=d@1 seeds=3 mner=0.1"
