"""Point processes as lines of equations: of a compartment, or of a synapse."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from rall.equations import Equations
from rall.errors import EquationError, NmodlError
from rall.plugins.nmodl.algebra import constant, names, neg, replaced
from rall.plugins.nmodl.draft import GIVEN, RATE, STANDARD, VALUE, Draft, DraftLine, DraftPathway
from rall.plugins.nmodl.ions import CURRENT, IonVariable
from rall.plugins.nmodl.pathways import Pathway
from rall.plugins.nmodl.processes import ProcessPasses
from rall.plugins.nmodl.sequence import Sequence
from rall.plugins.nmodl.syntax import NOWHERE, Binary, Expression, Name, Number, Program
from rall.plugins.nmodl.translate import Lines
from rall.plugins.nmodl.weave import NameTable

__all__ = ["ProcessLines", "SynapseLines", "translate_process"]

#: Of the other side of a synapse.
_OF_TARGET = {"v": "v_post", "diam": "diameter_post", "area": "area_post", "L": "length_post"}
#: What synapses have already.
_KEPT = frozenset((
    "i", "j", "N", "N_pre", "N_post", "N_incoming", "N_outgoing", "delay", "lastupdate", "t_in_timesteps", "name", "T",
    "pre", "post", "source", "target", "model", "clock", "when", "order", "connect", "namespace", *STANDARD,
))  # fmt: skip


def translate_process(program: Program, synaptic: bool) -> Draft:
    """Lines of equations for a point process.

    Parameters
    ----------
    program : Program
        The file.
    synaptic : bool
        Whether it is to be the model of synapses, as it always is with NET_RECEIVE, and not of compartments.

    Raises
    ------
    NmodlError
        If something in it has no translation.
    """
    try:
        passes = ProcessPasses(program)
        return (SynapseLines if synaptic or passes.receives else ProcessLines)(passes).draft()
    except RecursionError as problem:
        message = "expressions or procedures of this file are nested too deeply; simplify them"
        raise NmodlError(message, program.file) from problem


class ProcessLines(Lines):
    """The lines of a point process of compartments.

    Parameters
    ----------
    passes : ProcessPasses
        The file, followed.
    """

    passes: ProcessPasses

    def __init__(self, passes: ProcessPasses) -> None:
        for name, ion in passes.ions.items():
            if ion.role == CURRENT and ion.written:  # a current, no density, and not the sum of all mechanisms
                passes.ions[name] = replace(ion, shown=f"{name}_{passes.program.neuron.name}", unit="nA")
        super().__init__(passes)

    def _current_lines(self) -> Iterator[DraftLine]:
        for name, (own, ion, inward, _) in self.currents.items():
            expression = self._current(name)
            value = self.weave.write(expression)
            signed = value if inward else neg(value)
            if ion:
                self.used["area"] = None
                density = Binary("/", signed, Name("area"))
                flags = ("membrane current", f"ion {ion}")
                yield DraftLine(own, VALUE, density, flags, "nA/um2", variable=name, at=expression.at)
            else:
                yield DraftLine(own, VALUE, signed, ("point current",), "nA", variable=name, at=expression.at)

    def _value(self, name: str, variable: str, value: Expression) -> DraftLine:
        line, ion = super()._value(name, variable, value), self.passes.ions.get(variable)
        return line if ion is None or ion.role != CURRENT else replace(line, flags=())

    def _aliases(self) -> dict[str, Expression]:
        aliases: dict[str, Expression] = {}
        for name, (_, ion, _, turned) in self.currents.items():
            if not ion and name in self.passes.final:
                aliases[name] = aliases[self.passes.final[name]] = turned
        return aliases

    def _flags(self, name: str) -> tuple[str, ...]:
        return () if self.passes.known.get(name) == "POINTER" else super()._flags(name)


class _SynapseNames(NameTable):
    """Names of a synapse's variables, which are those of the file wherever they can be."""

    def fresh(self, variable: str) -> str:
        plain = _plain(variable)
        if not self.has(plain) and plain not in _KEPT and not plain.endswith(("_pre", "_post")) and _free(plain):
            self.take(plain)
            return plain
        return super().fresh(plain)

    def temporary(self, variable: str) -> str:
        """A name for a value that is not kept: the variable's if nothing has it."""
        plain = _plain(variable)
        name, k = plain, 2
        while self.has(name) or name in _KEPT or name.endswith(("_pre", "_post")) or not _free(name):
            name, k = f"{plain}_now" if k == 2 else f"{plain}_now{k - 1}", k + 1
        self.take(name)
        return name


def _plain(variable: str) -> str:
    """A variable as one word that equations can have."""
    word = re.sub(r"\W+", "_", variable.rstrip("@]"))
    return f"x{word}" if word.startswith(("_", "xi_")) or word == "xi" else word


def _free(name: str) -> bool:
    """Whether equations can have a variable of this name."""
    try:
        Equations(f"{name} : 1")
    except EquationError:
        return False
    return True


def _needed(passes: ProcessPasses) -> Iterator[tuple[Pathway, Sequence]]:
    """The pathways, without what they leave in arguments that nothing reads."""
    found = [Sequence(one.definitions, one.values, one.draws) for one in passes.pathways]
    read = {name for one in found for name in one.leaves()}
    unread = set(passes.arguments.values()) - read
    for pathway in passes.pathways:
        values = {name: value for name, value in pathway.values.items() if name not in unread}
        yield pathway, Sequence(pathway.definitions, values, pathway.draws)


class SynapseLines(ProcessLines):
    """The lines of synapses of one kind.

    Parameters
    ----------
    passes : ProcessPasses
        The file, followed.
    """

    def __init__(self, passes: ProcessPasses) -> None:
        self.sequences = list(_needed(passes))
        #: What the cell has to know of ions.
        self.read_of_cell: dict[str, IonVariable] = {}
        block = passes.receives
        self.units = {passes.arguments[name]: unit for name, unit in block.arguments} if block is not None else {}
        super().__init__(passes)
        for name, ion in passes.ions.items():
            if ion.written and ion.role != CURRENT:
                what, remedy = f"a synapse sets '{name}'", "let it have a current, and the cell a pool"
                raise passes.refuse(self.neuron.at, what, remedy, "USEION")

    def _table(self) -> NameTable:
        return _SynapseNames(self.neuron.name)

    def _aliases(self) -> dict[str, Expression]:
        return {}

    def _texts(self) -> Mapping[str, str]:
        read = [ion.shown for ion in self.passes.ions.values() if ion.role != CURRENT or not ion.written]
        return {**STANDARD, **_OF_TARGET, **{shown: f"{shown}_post" for shown in read}}

    # --- lines ---

    def _current_lines(self) -> Iterator[DraftLine]:
        for name, (own, _, inward, _) in self.currents.items():
            expression = self._current(name)
            value = self.weave.write(expression)
            signed, post = value if inward else neg(value), f"{own}_post"
            self.names.take(post)
            yield DraftLine(post, VALUE, signed, ("summed",), "nA", variable=name, at=expression.at)

    def _rate_lines(self) -> Iterator[DraftLine]:
        for state, rate in self.passes.rates.items():
            name, written = self._shown(state), self.weave.write(rate)
            unit, begins = self._unit(state), self._given(state)
            yield DraftLine(name, RATE, written, ("clock-driven",), unit, begins, state, at=rate.at)

    def _nernst(self, written: set[str]) -> Iterator[DraftLine]:
        yield from ()

    def _of_ion(self, ion: IonVariable) -> DraftLine:
        self.read_of_cell[ion.shown] = ion
        return super()._of_ion(ion)

    def _parameters(self) -> Iterator[DraftLine]:
        for line in super()._parameters():
            if line.name not in self.read_of_cell:  # the cell's own
                yield line

    def _unit(self, name: str) -> str | None:
        return self.units[name] if name in self.units else super()._unit(name)

    def _flags(self, name: str) -> tuple[str, ...]:
        return () if name in self.passes.held else super()._flags(name)

    def _given(self, name: str) -> Expression | float:
        value = self.passes.initial.get(name)
        if value is None or self.passes.known.get(name) != "STATE":
            return super()._given(name)
        written = replaced(self.weave.write(value), lambda one: Number("0") if one == "t" else None)
        number = constant(written)
        return written if number is None else number

    # --- events ---

    def _at_events(self) -> Iterator[str]:
        for _, sequence in self.sequences:
            yield from sorted(sequence.leaves())

    def _of_cell(self) -> Iterator[DraftLine]:
        for own, carrier, _, _ in self.currents.values():
            yield DraftLine(own, GIVEN, None, () if carrier else ("point current",), "nA")
            if carrier:
                density = Binary("/", Name(own), Name("area"))
                yield DraftLine(f"{own}_density", VALUE, density, ("membrane current", f"ion {carrier}"), "nA/um2")
        for ion in self.read_of_cell.values():
            yield super()._of_ion(ion)

    def _pathways(self, lines: Iterable[DraftLine]) -> Iterator[DraftPathway]:
        at = self.passes.receives.at if self.passes.receives is not None else NOWHERE
        for _, sequence in self.sequences:
            for name in sequence.variables:  # before names of what only one pathway knows
                self._shown(name)
        read = {name for line in lines if line.expression is not None for name in names(line.expression)}
        for pathway, sequence in self.sequences:
            # What an event changes is seen from the next step on, so that the time counts from there.
            later = any(self._shown(name) in read and sequence.keeps_time(name) for name in sequence.variables)
            now = Binary("+", Name("t"), Name("dt")) if later else Name("t")
            statements = tuple(
                sequence.statements(
                    self._shown, lambda name, now=now: now if name == "t" else self.weave.leaf(name),  # type: ignore[misc]
                    self._behind, self._temporary,
                )
            )  # fmt: skip
            yield DraftPathway(pathway.name, statements, pathway.interval, at)

    def _temporary(self, variable: str) -> str:
        """A name for what is known while an event is dealt with."""
        assert isinstance(self.names, _SynapseNames)
        return self.names.temporary(variable)

    def _behind(self, name: str) -> set[str]:
        """What a variable is computed from, itself among it."""
        return {name, *(self.weave.leaves(name) if name in self.passes.final else ())}
