"""Monitors: what is recorded during a run."""

from __future__ import annotations

from rall.plugins.monitors.spikes import SpikeMonitor
from rall.plugins.monitors.state import StateMonitor

__all__ = ["SpikeMonitor", "StateMonitor"]
