"""Mechanisms written in NMODL, NEURON's language, as equations."""
