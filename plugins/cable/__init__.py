"""Cells with a morphology: the cable equation, and electrodes."""

from __future__ import annotations

from rall.plugins.cable.clamps import CurrentClamp, VoltageClamp
from rall.plugins.cable.neuron import SpatialNeuron

__all__ = ["CurrentClamp", "SpatialNeuron", "VoltageClamp"]
