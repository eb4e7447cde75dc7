"""What the tests of channels share: rates in another form, clamped gates, one-compartment neurons."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
