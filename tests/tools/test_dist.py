"""What a distribution must hold, and must not; `make dist` builds one and tries it."""

from __future__ import annotations

import pytest

from tools import dist


def test_faults_names_what_is_lacking_and_what_does_not_belong() -> None:
    names = ["mner/py.typed", "mner/__pycache__/x.pyc", "lab/report.py"]
    assert dist.faults(names, wanted=["mner/py\\.typed", "mner/ready/.+"], only=dist.ONLY) == [
        "lacks mner/ready/.+",
        "holds mner/__pycache__/x.pyc",
        "holds lab/report.py",
    ]


def test_a_whole_wheel_has_no_fault() -> None:
    names = ["mner/py.typed", "mner/runs/record.py", "mner-0.2.0.dist-info/licenses/LICENSE"]
    assert dist.faults(names, wanted=["mner/py\\.typed"], only=dist.ONLY) == []


@pytest.mark.parametrize(("language", "beginning"), [("python", "mner.load()"), ("bash", "curl")])
def test_readme_has_the_blocks_that_a_new_environment_runs(language: str, beginning: str) -> None:
    block = dist.readme(language, beginning)
    assert beginning in block
    if language == "bash":
        serve, curl = block.splitlines()
        assert serve == "mner serve" and curl.startswith(f"curl http://127.0.0.1:{dist.PORT}/")
