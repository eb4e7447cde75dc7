"""Mechanisms written in NMODL, NEURON's language, as equations."""

from rall.plugins.nmodl.load import load_mod
from rall.plugins.nmodl.mechanism import Mechanism
from rall.plugins.nmodl.process import PointProcess

__all__ = ["Mechanism", "PointProcess", "load_mod"]
