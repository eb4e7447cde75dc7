"""Inputs: what is given to a model from outside, as values or as spikes."""

from __future__ import annotations

from rall.plugins.inputs.binomial import BinomialFunction
from rall.plugins.inputs.poisson import PoissonGroup
from rall.plugins.inputs.poisson_input import PoissonInput
from rall.plugins.inputs.spike_times import SpikeGeneratorGroup
from rall.plugins.inputs.timed import TimedArray

__all__ = ["BinomialFunction", "PoissonGroup", "PoissonInput", "SpikeGeneratorGroup", "TimedArray"]
