"""Mechanisms written in NMODL, NEURON's language, as equations."""

from rall.plugins.nmodl.mechanism import Mechanism, load_mod

__all__ = ["Mechanism", "load_mod"]
