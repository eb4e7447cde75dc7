"""Inputs: what is given to a model as a function of time."""

from __future__ import annotations

from rall.plugins.inputs.timed import TimedArray

__all__ = ["TimedArray"]
