"""Point neurons: groups of elements with equations, thresholds and resets."""

from __future__ import annotations

from rall.plugins.point.linked import LinkedVariable, linked_var
from rall.plugins.point.neurons import NeuronGroup

__all__ = ["LinkedVariable", "NeuronGroup", "linked_var"]
