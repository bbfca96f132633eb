import os
from pathlib import Path

import pytest


@pytest.fixture
def real() -> Path:
    folder = os.environ.get("MNER_DATA")
    if not folder:
        pytest.skip("set MNER_DATA to the folder of the real data")
    return Path(folder)
