"""Programs made by hand, without equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from rall.devices.base import Status
from rall.devices.c import CDevice
from rall.devices.compiler import find_compiler
from rall.devices.numpy import NumpyDevice
from rall.events import EventList
from rall.ir.parse import parse
from rall.ir.visit import names
from rall.model import (
    SHARED,
    Assign,
    Clock,
    Deliver,
    Domain,
    Elementwise,
    Emit,
    Layout,
    Operation,
    RecordEvents,
    Variable,
)
from rall.options import Options
from rall.pipeline import compile_model
from rall.recording import Events


@dataclass
class Box:
    """A component that is a list of operations."""

    made: Sequence[Operation]
    name: str = "box"

    def operations(self, model):
        return self.made


def assignments(lines):
    """Statements from lines ``target = expression``."""
    parts = [line.partition(" = ") for line in lines]
    return [Assign(target.strip(), parse(text).node) for target, _, text in parts]


@dataclass
class Bench:
    """Makes variables and operations on one domain and runs them."""

    size: int = 11
    place: np.ndarray | None = None
    dt: float = 0.5
    clock: Clock = field(init=False)
    domain: Domain = field(init=False)
    variables: dict[str, object] = field(default_factory=dict)
    made: list[Operation] = field(default_factory=list)
    seed: Variable = field(init=False)

    def __post_init__(self):
        self.clock = Clock(self.dt)
        self.domain = Domain("elements", Layout(self.size, self.place))
        self.seed = Variable("seed", SHARED, kind="integer")
        self.seed.array[0] = 4711
        self.variables |= {
            "t": self.clock.t_variable, "dt": self.clock.dt_variable, "step": self.clock.step_variable,
        }  # fmt: skip

    def add(self, name, values, kind="float", domain=None, role="state"):
        """A variable with values in the user's order."""
        variable = Variable(name, domain or self.domain, kind=kind, role=role)
        variable.set(values)
        self.variables[name] = variable
        return variable

    def shared(self, name, value, kind="float"):
        return self.add(name, value, kind, SHARED)

    def draws(self, stream=1):
        """What random functions need."""
        self.shared("_stream", stream, "integer")
        self.add("_element", np.arange(self.size), "integer")
        self.variables |= {"_seed": self.seed, "_step": self.clock.step_variable}

    def assign(self, *lines, mask=None, name=None, domain=None, **more):
        """An elementwise operation from lines ``target = expression``."""
        return self.put(
            Elementwise, name, domain=domain or self.domain, statements=assignments(lines),
            **{"bindings": dict(self.variables), "mask": parse(mask).node if mask else None, **more},
        )  # fmt: skip

    def emit(self, source, most=None, **more):
        """An operation that finds events, and the list where they are."""
        events = EventList(self.size if most is None else most)
        source = self.variables[source] if isinstance(source, str) else source
        self.put(Emit, source=source, events=events, **more)
        return events

    def keep(self, events, labels=None, **more):
        """Record events, all under their own numbers unless `labels` are given; gives the operation."""
        labels = np.arange(self.domain.layout.stored) if labels is None else np.asarray(labels)
        log = Events(events.most, len(more.get("values", ())))
        return self.put(RecordEvents, events=events, labels=labels, **{"log": log, **more})

    def deliver(self, events, *lines, queue=None, name=None, domain=None, **bound):
        """Statements for events; names are those of `variables`, or of `bound`."""
        statements = assignments(lines)
        return self.put(
            Deliver, domain=domain or self.domain, statements=statements, events=events, queue=queue, name=name,
            bindings=self.named({**self.variables, **bound}, statements),
        )  # fmt: skip

    @staticmethod
    def named(known, statements):
        """Those of the known variables that statements name, and what draws need."""
        wanted = {s.target for s in statements}.union(*(names(s.value) for s in statements))
        return {n: v for n, v in known.items() if n in wanted or n.startswith("_")}

    def put(self, kind, name=None, **more):
        """Append an operation of a kind, after those before it."""
        place = len(self.made)
        self.made.append(kind(**{"name": name or f"op{place}", "clock": self.clock, "order": place, **more}))
        return self.made[-1]

    def program(self, device, options=None):
        return compile_model([Box(self.made)], device, options or Options(), self.seed)

    def run(self, device, steps=1, options=None):
        """Run until there have been `steps` steps; Python calls are made, full buffers emptied.

        Gives the last status.
        """
        program = self.program(device, options)
        clocks = {id(op.clock): op.clock for op in self.made}
        ends = {key: round(steps * self.dt / clock.dt) for key, clock in clocks.items()}
        while True:
            status, operation = program.advance(ends, 1000)
            if status is Status.CALL:
                operation.function(operation.clock.step * operation.clock.dt)
            elif status is Status.FULL:
                program.drain()
            elif status is not Status.PAUSED:
                program.drain()
                return status, operation

    def values(self, name):
        return self.variables[name].get()


def make_device(name: str):
    if name == "c" and find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    return {"c": CDevice, "numpy": NumpyDevice}[name](Options())
