"""Synapses: which pairs of elements they join, and what travels over them."""

from __future__ import annotations

from rall.plugins.synapses.synapses import Synapses

__all__ = ["Synapses"]
