"""What the tests of reactions share: the reference values that may lie beside the repository."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent))  # for schemes.py, which several tests use


@pytest.fixture(scope="session")
def reference():
    """Reaction problems solved to many digits."""
    shared = Path(os.environ.get("RALL_SHARED", HERE.parents[4] / "shared"))
    path = shared / "reference" / "kinetics" / "kinetics.json"
    if not path.is_file():
        pytest.skip("the reference values of kinetics are not there (RALL_SHARED names their folder)")
    return json.loads(path.read_text())
