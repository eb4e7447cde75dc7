"""Equations stepped by a method on a device, as the tests of integrators use them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from rall import draws
from rall.codegen.kernel import lower
from rall.codegen.numpy_printer import print_numpy
from rall.codegen.passes import optimise
from rall.codegen.printer import ENTRY, print_c
from rall.devices.compiler import find_compiler, load
from rall.functions import numpy_namespace
from rall.integrators.base import AbstractIntegrator, System
from rall.ir.nodes import Name, Node
from rall.ir.parse import parse
from rall.ir.visit import names
from rall.model import SHARED, Assign, Clock, Domain, Elementwise, Layout, Variable
from rall.options import Options

NEEDS_COMPILER = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
DEVICES = ["numpy", pytest.param("c", marks=NEEDS_COMPILER)]
OPTIONS = Options()
SEED = 20240117


def tree(text: str) -> Node:
    return parse(text).node


@dataclass
class Problem:
    """Equations with their values: a number is shared, an array has one value for each element."""

    equations: Mapping[str, str]
    state: Mapping[str, object]
    parameters: Mapping[str, object] = field(default_factory=dict)
    changing: frozenset[str] = frozenset()
    size: int = 5
    #: Instead of the texts, where they cannot say it.
    given: System | None = None

    def system(self) -> System:
        if self.given is not None:
            return self.given
        trees = {v: tree(text) for v, text in self.equations.items()}
        constant = frozenset(self.parameters) - self.changing
        shared = frozenset(p for p, value in self.parameters.items() if np.ndim(value) == 0) | {"dt", "t"}
        return System(trees, constant, shared)


class Runner:
    """A problem on a device, step by step."""

    def __init__(
        self, problem: Problem, method: AbstractIntegrator, dt: float, device: str = "numpy", pieces: int = 1
    ) -> None:
        self.problem, self.dt, self.count, self.pieces = problem, dt, 0, pieces
        self.domain = Domain("elements", Layout(problem.size))
        self.clock = Clock(dt)
        self.variables = {"dt": self.clock.dt_variable, "t": self.clock.t_variable}
        for name, value in {**problem.state, **problem.parameters}.items():
            shared = np.ndim(value) == 0 and name not in problem.state
            self.variables[name] = self._variable(name, value, SHARED if shared else self.domain)
        for name, value in {"_seed": SEED, "_stream": 3, "_step": 0}.items():
            self.variables[name] = Variable(name, SHARED, kind="integer")
            self.variables[name].set(value)
        self.variables["_element"] = Variable("_element", self.domain, kind="integer")
        self.variables["_element"].set(np.arange(problem.size))
        system = problem.system()
        made = method.step(system, Name("dt"))
        for propagator in made.propagators:
            values = propagator.compute(dt, [self.evaluate(source) for source in propagator.sources])
            for name, value in zip(propagator.names, values):
                shared = all(names(source) <= system.shared for source in propagator.sources)
                self.variables[name] = self._variable(
                    name, value[0] if shared else value, SHARED if shared else self.domain
                )
        self.statements = made.statements
        self.run_once = self._compile(made.statements, device)

    @staticmethod
    def _variable(name: str, value: object, domain: Domain) -> Variable:
        kind = "boolean" if np.asarray(value).dtype == bool else "float"
        variable = Variable(name, domain, kind=kind)
        variable.set(value)
        return variable

    def _compile(self, statements: tuple[Assign, ...], device: str) -> Callable[[], None]:
        operation = Elementwise(name="step", clock=self.clock, domain=self.domain, statements=statements,
                                bindings=self.variables)  # fmt: skip
        kernel, arguments = lower(operation)
        kernel = optimise(kernel, OPTIONS)
        arrays = [v.array for v in arguments]
        if device == "c":
            toolchain = find_compiler()
            assert toolchain is not None
            function = getattr(load(print_c(kernel), toolchain, OPTIONS), ENTRY)
            table = (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))
            return lambda: function(table, ctypes.c_longlong(self.domain.layout.stored))
        scope = numpy_namespace() | {"draws": SimpleNamespace(rand=draws.rand, randn=self._normal)}
        exec(print_numpy(kernel), scope)
        return lambda: scope["kernel"](arrays)  # type: ignore[operator]

    def _normal(self, seed: int, stream: int, step: int, elements: np.ndarray, draw: float) -> np.ndarray:
        """Increments of a path that is the same for all steps: each is the sum of `pieces` finer ones."""
        fine = range(int(step) * self.pieces, (int(step) + 1) * self.pieces)
        return sum(draws.randn(seed, stream, k, elements, draw) for k in fine) / self.pieces**0.5

    def evaluate(self, node: Node) -> np.ndarray:
        self.variables["_out"] = self._variable("_out", 0.0, self.domain)
        self._compile((Assign("_out", node),), "numpy")()
        return self.variables.pop("_out").get()

    def run(self, steps: int) -> dict[str, np.ndarray]:
        for _ in range(steps):
            self.clock.t_variable.array[0] = self.count * self.dt
            self.variables["_step"].array[0] = self.count
            self.run_once()
            self.count += 1
        return {v: self.variables[v].get() for v in self.problem.equations}


def errors(
    problem: Problem,
    method: AbstractIntegrator,
    end: float,
    counts: tuple[int, ...],
    reference,
    device="numpy",
):
    found = []
    for steps in counts:
        state = Runner(problem, method, end / steps, device).run(steps)
        found.append(max(np.abs(state[v] - reference[v]).max() for v in reference))
    return np.array(found)


def order_of(found: np.ndarray) -> float:
    """The slope between the last two of errors at steps that are halved."""
    return float(np.log2(found[-2] / found[-1]))
