"""Monitors: what is recorded during a run."""

from __future__ import annotations

from rall.plugins.monitors.events import EventMonitor, SpikeMonitor
from rall.plugins.monitors.population import PopulationRateMonitor
from rall.plugins.monitors.state import StateMonitor

__all__ = ["EventMonitor", "PopulationRateMonitor", "SpikeMonitor", "StateMonitor"]
