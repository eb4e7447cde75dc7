"""Cells with a morphology: the cable equation, and electrodes in and around them."""

from __future__ import annotations

from rall.plugins.cable.clamps import CurrentClamp, VoltageClamp
from rall.plugins.cable.extracellular import ExtracellularPotential
from rall.plugins.cable.neurons import SpatialNeuron, SpatialNeuronGroup

__all__ = ["CurrentClamp", "ExtracellularPotential", "SpatialNeuron", "SpatialNeuronGroup", "VoltageClamp"]
