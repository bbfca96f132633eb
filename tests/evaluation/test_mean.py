import statistics

import pytest

from mner.evaluation.mean import Mean


def test_mean_of_several_values_has_their_sample_deviation() -> None:
    mean = Mean.of([74.0, 75.0, 79.0])
    assert (mean.mean, mean.sd) == pytest.approx((76.0, 7**0.5))


def test_mean_of_one_value_has_no_deviation() -> None:
    assert Mean.of([74.0]) == Mean(74.0, None)


def test_mean_of_nothing_is_refused() -> None:
    with pytest.raises(statistics.StatisticsError):
        Mean.of([])


def test_format_applies_to_both_numbers() -> None:
    assert (f"{Mean(1.25, 0.5):.1f}", f"{Mean(1.25):.3f}") == ("1.2 ± 0.5", "1.250")
