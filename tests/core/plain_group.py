"""A group that stores its variables and computes nothing."""

from __future__ import annotations

import numpy as np

from rall.equations import Equations
from rall.groups import Group
from rall.model import Domain, Layout

TEXT = """
v : volt
g : siemens (constant)
n : integer
on : boolean
tau : second (shared)
half = v/2 : volt
decay = exp(-i/5.0)*scale : 1
"""
PLACE = np.array([3, 1, 4, 0, 2, 6, 5])


class Plain(Group):
    """Stores every line and computes nothing."""

    def __init__(self, place=None, text=TEXT, n=7, name="plain*", **more):
        super().__init__(name, Domain("plain", Layout(n, place)), Equations(text), **more)
        for line in self.equations.lines:
            if line.varname and line.kind != "subexpression":
                self.add_line(line, self.domain, "state")
        self._ready = True

    def operations(self, model):
        return []
