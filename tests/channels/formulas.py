"""Equations of channels as functions of voltage, apart from any cell."""

from __future__ import annotations

import numpy as np

from rall.equations import known_value
from rall.evaluate import evaluate
from rall.functions import expand
from rall.ir.visit import names
from rall.units.quantity import value_of


class Formulas:
    """What the equations of a channel say at given voltages (mV); parameters have their defaults unless given.

    Values go in and come out in SI units.
    """

    def __init__(self, equations, v, **given):
        self.equations = equations
        self.trees = dict(equations.substituted(include_subexpressions=True))
        self.values = {"v": np.asarray(v, float) * 1e-3}
        self.values |= {name: value_of(value) for name, value in equations.defaults.items()}
        self.values |= {name: np.asarray(value) for name, value in given.items()}

    def __call__(self, name, **more):
        """A right-hand side, with more values."""
        tree, values = expand(self.trees[name]), {**self.values, **more}
        for unknown in names(tree) - values.keys():
            values[unknown] = value_of(known_value(unknown))
        return evaluate(tree, values) * np.ones(np.shape(self.values["v"]))

    def gate(self, name):
        """Steady state, and time constant in ms, of what follows a linear equation of its own."""
        at_0, at_1 = self(name, **{name: 0.0}), self(name, **{name: 1.0})
        tau = 1 / (at_0 - at_1)
        return at_0 * tau, tau * 1e3
