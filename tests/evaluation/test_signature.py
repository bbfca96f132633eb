from __future__ import annotations

from mner.evaluation import Signature


def test_signature_names_every_part():
    line = str(Signature(f1=(78.034,), view="I+T", data="twitter15/test@3f2a9c", seeds=5, mner="0.1"))
    assert line == (
        "f1=78.03 view=I+T scheme=iob2-repaired match=exact decode=constrained "
        "data=twitter15/test@3f2a9c seeds=5 mner=0.1"
    )


def test_signature_of_several_seeds_has_mean_and_deviation():
    runs = (70.0, 72.0, 74.0)
    line = str(Signature(f1=runs, view="T", data="d/dev@1", decode="unconstrained", scheme="iob2-strict"))
    assert line.startswith("f1=72.00 sd=2.00 view=T scheme=iob2-strict match=exact decode=unconstrained ")
    assert " seeds=3 " in line


def test_space_within_a_part_does_not_split_the_line():
    line = str(Signature(f1=(1.0,), view="T", data="my data/dev@1", mner="0.1"))
    parts = dict(part.split("=", 1) for part in line.split(" "))
    assert parts["data"] == "my_data/dev@1"
    assert parts["seeds"] == "1"


def test_differences_name_what_forbids_an_average():
    first = Signature(f1=(1.0,), view="T", data="d/dev@1")
    assert first.differences(Signature(f1=(9.0,), view="I+T", data="d/dev@1")) == []
    other = Signature(f1=(1.0,), view="T", data="d/dev@2", scheme="iob2-strict")
    assert first.differences(other) == ["scheme iob2-repaired and iob2-strict", "data d/dev@1 and d/dev@2"]
