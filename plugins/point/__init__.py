"""Point neurons: groups of elements with equations, thresholds and resets."""

from __future__ import annotations

from rall.plugins.point.linked import linked_var
from rall.plugins.point.neurons import NeuronGroup

__all__ = ["NeuronGroup", "linked_var"]
