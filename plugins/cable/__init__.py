"""Cells with a morphology: the cable equation."""

from __future__ import annotations

from rall.plugins.cable.extracellular import ExtracellularPotential
from rall.plugins.cable.neurons import SpatialNeuron, SpatialNeuronGroup

__all__ = ["ExtracellularPotential", "SpatialNeuron", "SpatialNeuronGroup"]
