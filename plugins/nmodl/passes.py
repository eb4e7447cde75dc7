"""What a mechanism does before and in each step: its INITIAL and BREAKPOINT, followed to definitions and rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rall.plugins.nmodl import gates
from rall.plugins.nmodl.algebra import div, mentions, mul, replaced, sub
from rall.plugins.nmodl.draft import STANDARD
from rall.plugins.nmodl.file_units import is_species, units_of
from rall.plugins.nmodl.flow import COPIED, Definitions, Flow
from rall.plugins.nmodl.ions import REVERSAL, IonVariable, ion_variables
from rall.plugins.nmodl.kinetic import Conserved, Scheme
from rall.plugins.nmodl.refusal import refusals
from rall.plugins.nmodl.syntax import Expression, Name, Number, Program, Solve

__all__ = ["AS_GIVEN", "Passes"]

#: Ends the name of a parameter as the user gives it, where INITIAL changes it.
AS_GIVEN = " given"

_OUT_OF_PLACE = ("NET_RECEIVE", "BEFORE", "AFTER", "CONSTRUCTOR", "DESTRUCTOR", "DISCRETE", "POST_EVENT")


class Passes:
    """A file's blocks, followed.

    Parameters
    ----------
    program : Program
        The file.

    Attributes
    ----------
    known : dict of str to str
        Names that the file can use, and what they are: ``'PARAMETER'``, ``'ASSIGNED'``, ``'STATE'``, ``'CONSTANT'``,
        ``'UNIT'`` (constants of UNITS), ``'READ'`` and ``'WRITE'`` (variables of ions), ``'LOCAL'`` (of the whole
        file), ``'GIVEN'`` (what every mechanism can read); arrays by their elements.
    ions : dict of str to IonVariable
        By their names in the file.
    states : list of str
        All of them.
    definitions : Definitions
        What was assigned.
    rates : dict of str to Expression
        Right-hand sides of the states that have differential equations.
    final : dict of str to str
        Variables, and the keys of the definitions that they are in the end.
    frozen : set of str
        Those of them that only INITIAL assigns.
    scheme : Scheme
        Reactions, and what they conserve.
    species : list of str
        States whose equations are reactions; those of others are in `rates` alone.
    steady : set of str
        States that INITIAL solves for.
    initial : dict of str to Expression
        What INITIAL leaves in the variables.
    adjusted : list of str
        Parameters that INITIAL changes.
    notices : dict of str to None
        What was left out or assumed, each once.

    Raises
    ------
    NmodlError
        If something has no translation.
    """

    def __init__(self, program: Program) -> None:
        self.program, self.refuse = program, refusals(program)
        self.ions = ion_variables(program.neuron)
        self.known = _known(program, self.ions)
        self.states = [name for name, kind in self.known.items() if kind == "STATE"]
        self.definitions = Definitions()
        self.rates: dict[str, Expression] = {}
        self.final: dict[str, str] = {}
        self.frozen: set[str] = set()
        self.steady: set[str] = set()
        self.scheme = Scheme()
        self.species: list[str] = []
        self.initial: dict[str, Expression] = {}
        self._check()
        initial = self._followed("INITIAL", {Solve: self._settle})
        self.initial = initial.values
        self.adjusted = self._adjusted()
        main = self._followed("BREAKPOINT", {**self.scheme.handlers, Solve: self._solve})
        self._collect_rates(main)
        self._collect_final(main.values)
        self.notices = {**main.notices, **initial.notices}
        if any(opaque.kind == "VERBATIM" for opaque in program.opaque):
            self.notices["VERBATIM outside blocks was left out"] = None

    def _check(self) -> None:
        neuron = self.program.neuron
        if neuron.kind != "SUFFIX":
            raise self.refuse(neuron.at, f"{neuron.kind} {neuron.name} is no channel", "", neuron.kind)
        for names, construct in ((neuron.pointers, "POINTER"), (neuron.randoms, "RANDOM")):
            if names:
                raise self.refuse(neuron.at, f"{construct} {names[0]}", "it has no meaning in a channel", construct)
        for block in self.program.blocks:
            if block.kind in _OUT_OF_PLACE:
                raise self.refuse(block.at, f"{block.kind} has no meaning in a channel", "leave it out", block.kind)

    def _followed(self, kind: str, more: Mapping[type, Callable[..., None]]) -> Flow:
        flow = Flow(self.program, self.definitions, self.refuse, self.known, more, self.initial)
        for block in self.program.blocks:
            if block.kind == kind:
                flow.run(block.body)
        return flow

    def _adjusted(self) -> list[str]:
        """Parameters that INITIAL changes; its definitions speak of their values as given."""
        found = [n for n, value in self.initial.items() if self.known.get(n) == "PARAMETER" and isinstance(value, Name)]
        changed = {name: Name(name + AS_GIVEN) for name in found}
        if found:
            for definition in self.definitions.values():
                definition.expression = replaced(definition.expression, changed.get)
            self.initial = {n: replaced(value, changed.get) for n, value in self.initial.items()}
            self.known.update({name + AS_GIVEN: "PARAMETER" for name in found})
        return found

    def _solve(self, flow: Flow, statement: Solve) -> None:
        """A SOLVE of BREAKPOINT."""
        block = flow.block(statement.block, statement.at)
        if block.kind in ("DERIVATIVE", "KINETIC"):
            flow.run(block.body)
        elif block.kind == "PROCEDURE":
            before = dict(flow.values)
            flow.run(block.body)
            changed = [state for state in self.states if flow.values.get(state) is not before.get(state)]
            stepped = self._of_step()
            after = {
                state: replaced(gates.opened(flow.values[state], self.definitions, "dt", self.states), stepped.get)
                for state in changed
            }
            self.rates.update(gates.rates(after, changed, self.definitions, self.refuse))
            for state in changed:
                del flow.values[state]
        else:
            what = f"{block.kind} '{block.name}' is solved in every step"
            raise self.refuse(statement.at, what, "write a DERIVATIVE block", block.kind)

    def _of_step(self) -> dict[str, Expression]:
        """What INITIAL computes of dt, for the steps to come."""
        found = {}
        for name, value in self.initial.items():
            whole = gates.opened(value, self.definitions, "dt")
            if self.known.get(name) in ("ASSIGNED", "LOCAL") and mentions(whole, "dt"):
                found[name] = whole
        return found

    def _settle(self, flow: Flow, statement: Solve) -> None:
        """A SOLVE of INITIAL: it finds a steady state, which is found again where a cell starts."""
        flow.block(statement.block, statement.at)
        self.steady.update(self.states)

    # --- what they left ---

    def _collect_rates(self, main: Flow) -> None:
        for name, value in main.values.items():
            if name.endswith("'"):
                volume = self.scheme.volumes.get(name[:-1])
                self.rates[name[:-1]] = value if volume is None else div(value, volume)
        if self._reacts(main):
            self.species = self.scheme.species
        else:
            for law in self.scheme.conserved:
                self._conserve(main, law)
        for state in self.rates:
            if state in main.values:
                what = f"the state '{state}' has a differential equation and is assigned as well"
                raise self.refuse(main.values[state].at, what, "leave one of the two out", "STATE")

    def _reacts(self, main: Flow) -> bool:
        """Whether equations can have the reactions themselves: between concentrations, or states of a channel."""
        scheme = self.scheme
        if not scheme.steps or not scheme.plain:
            return False
        table = units_of(self.program, lambda error, at: None)
        declared = {one.name: one for one in self.program.declarations}
        return all(
            name in self.rates and name not in main.values and is_species(table, declared[name.partition("[")[0]].unit)
            for name in scheme.species
        )

    def _conserve(self, main: Flow, law: Conserved) -> None:
        """One of the states is what the others leave of a sum that does not change."""
        factor, last = next(((f, s) for f, s in reversed(law.terms) if s in self.rates), (0.0, ""))
        if not factor:
            return
        rest = law.total
        for other, state in law.terms:
            if state != last:
                rest = sub(rest, self._weighed(other, state, Name(state, at=law.at)))
        del self.rates[last]
        whole = self._weighed(factor, last, Number("1", at=law.at))
        value = rest if isinstance(whole, Number) and whole.value == 1 else div(rest, whole)
        main.values[last] = self.definitions.make(last, value, False)

    def _weighed(self, factor: float, state: str, part: Expression) -> Expression:
        """A term of a sum that is kept: of amounts, which in compartments are concentrations times volumes."""
        volume = self.scheme.volumes.get(state)
        found = part if volume is None else mul(volume, part)
        return found if factor == 1 else mul(Number(f"{factor:.15g}"), found)

    def _collect_final(self, values: Mapping[str, Expression]) -> None:
        for name, value in self.initial.items():
            kind = self.known.get(name, "")
            if kind in ("STATE", *COPIED) or name in values or name.endswith("'"):
                continue
            if not isinstance(value, Name) or value.name not in self.definitions:
                continue
            if kind != "WRITE" or self.ions[name].role == REVERSAL:
                self.final[name] = value.name
                self.frozen.add(name)
        for name, value in values.items():
            if name.endswith("'") or self.known.get(name) in COPIED:
                continue
            if isinstance(value, Name) and value.name in self.definitions:
                self.final[name] = value.name


def _known(program: Program, ions: Mapping[str, IonVariable]) -> dict[str, str]:
    known = {unit.name: "UNIT" for unit in program.units if unit.constant}
    for declaration in program.declarations:
        for element in _elements(declaration.name, declaration.length):
            known[element] = declaration.section
    for local in program.locals:
        for name, length in local.names:
            count = int(length.value) if isinstance(length, Number) else None
            known.update(dict.fromkeys(_elements(name, count), "LOCAL"))
    for name in (*program.neuron.currents, *program.neuron.electrode_currents):
        known.setdefault(name, "ASSIGNED")
    for name, ion in ions.items():
        if (ion.read or ion.written) and known.get(name) != "STATE":
            known[name] = "WRITE" if ion.written else "READ"
    return {**known, **dict.fromkeys(STANDARD, "GIVEN")}


def _elements(name: str, length: int | None) -> list[str]:
    return [name] if length is None else [f"{name}[{k}]" for k in range(length)]
