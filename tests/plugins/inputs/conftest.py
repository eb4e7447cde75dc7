from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("RALL_SHARED", Path(__file__).resolve().parents[4] / "shared"))


@pytest.fixture
def poisson_table():
    """Bands of spike counts of Poisson and Bernoulli generators."""
    path = SHARED / "reference" / "point" / "point.json"
    if not path.is_file():
        pytest.skip("needs the reference data beside the repository")
    return json.loads(path.read_text())["poisson"]["rows"]
