"""``python -m rall`` is the command ``rall``."""

from __future__ import annotations

import sys

from rall.cli import main

sys.exit(main())
