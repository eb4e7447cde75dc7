"""From a file's syntax tree to the lines of equations, in NMODL's numbers and units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rall.errors import NmodlError
from rall.plugins.nmodl.algebra import neg
from rall.plugins.nmodl.draft import (
    GIVEN,
    RATE,
    SPECIES,
    STANDARD,
    VALUE,
    Draft,
    DraftLine,
    DraftPathway,
    DraftReaction,
)
from rall.plugins.nmodl.ions import CURRENT, INSIDE, IonVariable, valence
from rall.plugins.nmodl.passes import AS_GIVEN, Passes
from rall.plugins.nmodl.start import steady_states
from rall.plugins.nmodl.syntax import NOWHERE, Call, Declaration, Expression, Ion, Name, Number, Program
from rall.plugins.nmodl.weave import NameTable, Weave

__all__ = ["Lines", "translate"]


def translate(program: Program) -> Draft:
    """Lines of equations for a density mechanism.

    Parameters
    ----------
    program : Program
        The file.

    Raises
    ------
    NmodlError
        If something in it has no translation.
    """
    try:
        return Lines(Passes(program)).draft()
    except RecursionError as problem:
        message = "expressions or procedures of this file are nested too deeply; simplify them"
        raise NmodlError(message, program.file) from problem


class Lines:
    """The lines of one file."""

    def __init__(self, passes: Passes) -> None:
        self.passes, self.neuron = passes, passes.program.neuron
        self.declared = {one.name: one for one in passes.program.declarations}
        self.names = self._table()
        for ion in passes.ions.values():
            self.names.leave(ion.shown)
        for name in passes.adjusted:
            self.names.call(name + AS_GIVEN, name)
            self.names.call(name, f"{name}_used")
        self.used: dict[str, None] = {}
        self.computed_ions: set[str] = set()
        self.notices = dict(passes.notices)
        self.currents = self._currents()
        aliases = self._aliases()
        self.weave = Weave(passes, self.names, self._leaf, aliases)

    def _table(self) -> NameTable:
        return NameTable(self.neuron.name)

    def _aliases(self) -> dict[str, Expression]:
        """What stands for currents, where they are read and after they were assigned."""
        aliases: dict[str, Expression] = {}
        for name, (_, _, _, turned) in self.currents.items():
            if name not in self.passes.final:
                continue  # a state
            aliases[self.passes.final[name]] = turned
            ion = self.passes.ions.get(name)  # where it is read before it is assigned it is the ion's whole current
            aliases[name] = neg(Name(ion.shown)) if ion is not None and ion.read else turned
        return aliases

    def draft(self) -> Draft:
        """All of them."""
        passes, weave = self.passes, self.weave
        roots = [self._current(name) for name in self.currents]
        rates = [rate for state, rate in passes.rates.items() if state not in passes.species]
        steps = passes.scheme.steps if passes.species else []
        rates += [rate for step in steps for rate in step.rates]
        weave.count([*roots, *rates, *(Name(name) for name in (*self._wanted(), *self._at_events()))])
        self._check_frozen()
        values = weave.lines()
        lines = [*self._current_lines(), *self._rate_lines(), *(self._value(*value) for value in values)]
        reactions = tuple(
            DraftReaction(self._side(s.left), self._side(s.right), tuple(map(weave.write, s.rates)), s.whole, s.at)
            for s in steps
        )
        lines += self._nernst({line.name for line in lines})
        pathways = tuple(self._pathways(lines))
        if not lines:
            raise passes.refuse(self.neuron.at, "this mechanism computes nothing", "it has no current and no state")
        lines += self._parameters()
        texts, of_cell = self._texts(), tuple(self._of_cell())
        own, notices = self.names.taken, tuple(self.notices)
        return Draft(passes.program, tuple(lines), reactions, own, notices, texts, pathways, of_cell)

    def _of_cell(self) -> Iterable[DraftLine]:
        """What cells that synapses reach need."""
        return ()

    def _at_events(self) -> Iterable[str]:
        """What events read."""
        return ()

    def _pathways(self, lines: Iterable[DraftLine]) -> Iterable[DraftPathway]:
        """What events do."""
        return ()

    def _texts(self) -> Mapping[str, str]:
        """What equations call the names that every mechanism is given."""
        return STANDARD

    def _wanted(self) -> Iterator[str]:
        """What has a line even if no current or rate uses it: what is written of ions, and RANGE variables."""
        for name, ion in self.passes.ions.items():
            if ion.written and ion.role != CURRENT and name in self.passes.final:
                yield name
        for name in self.neuron.ranges:
            if name not in self.passes.final or name in self.currents or name in self.passes.frozen:
                continue
            leaves = self.weave.leaves(name)
            if name in leaves:
                self.notices[f"'{name}' remembers its own past and was left out"] = None
            elif "dt" not in leaves:
                yield name

    def _check_frozen(self) -> None:
        """Refuse what keeps a value that depends on how the run began."""
        passes = self.passes
        for name in passes.frozen:
            moving = [leaf for leaf in self.weave.leaves(name) if self._moves(leaf)] if self.weave.uses(name) else []
            if moving:
                raise passes.refuse(
                    passes.definitions[passes.final[name]].expression.at,
                    f"'{name}' keeps the value that INITIAL computes from '{min(moving)}'",
                    "compute it in BREAKPOINT, or make it a PARAMETER",
                    "INITIAL",
                )

    def _moves(self, name: str) -> bool:
        kind = self.passes.known.get(name, "")
        if kind in ("READ", "WRITE"):
            return self.passes.ions[name].role in (INSIDE, CURRENT)
        return kind == "STATE" or name in ("v", "t", "dt")

    # --- names ---

    def _shown(self, name: str) -> str:
        """Rall's name of a variable of the file."""
        ion = self.passes.ions.get(name)
        return ion.shown if ion is not None and (ion.read or ion.written) else self.names.own(name)

    def _leaf(self, name: str) -> Expression:
        """What stands in equations for a name that nothing defines."""
        kind = self.passes.known.get(name, "")
        reachable = _base(name) in (*self.neuron.ranges, *self.neuron.globals)
        if kind == "LOCAL" or (kind == "ASSIGNED" and not reachable):
            return Number("0")  # nothing ever assigns it
        self.used[name] = None
        if kind in ("GIVEN", "UNIT", "CONSTANT"):
            return Name(name)
        ion = self.passes.ions.get(name)
        if ion is not None and ion.role == CURRENT and kind == "READ":
            return neg(Name(ion.shown))
        return Name(self._shown(name))

    def _declaration(self, name: str) -> Declaration | None:
        return self.declared.get(_base(name))

    def _unit(self, name: str) -> str | None:
        ion, declared = self.passes.ions.get(name), self._declaration(name)
        if ion is not None and (ion.read or ion.written):
            return ion.unit
        return declared.unit if declared is not None else None

    # --- currents ---

    def _currents(self) -> dict[str, tuple[str, str, bool, Expression]]:
        """By the file's name: rall's name, the ion or nothing, whether it is inward, what its name stands for."""
        ions = {
            name: ion.ion for name, ion in self.passes.ions.items() if ion.written and ion.role == CURRENT
        }  # fmt: skip
        others = dict.fromkeys((*self.neuron.currents, *self.neuron.electrode_currents), "")
        computed = {**self.passes.final, **self.passes.rates}
        found = {name: ion for name, ion in {**others, **ions}.items() if name in computed}
        result = {}
        for name, ion in found.items():
            own = f"I_{self.neuron.name}" if len(found) == 1 else f"I_{self.neuron.name}_{ion or name}"
            self.names.take(own)
            inward = name in self.neuron.electrode_currents
            result[name] = (own, ion, inward, Name(own) if inward else neg(Name(own)))
        return result

    def _current(self, name: str) -> Expression:
        """What a current is, in the file's names."""
        key = self.passes.final.get(name)
        return Name(name) if key is None else self.passes.definitions[key].expression

    def _current_lines(self) -> Iterator[DraftLine]:
        for name, (own, ion, inward, _) in self.currents.items():
            expression = self._current(name)
            value = self.weave.write(expression)
            flags = ("membrane current", f"ion {ion}") if ion else ("membrane current",)
            signed = value if inward else neg(value)
            yield DraftLine(own, VALUE, signed, flags, "mA/cm2", variable=name, at=expression.at)

    # --- states and values ---

    def _rate_lines(self) -> Iterator[DraftLine]:
        steady = steady_states(self.passes)
        yield from self._species_lines()
        for state, rate in self.passes.rates.items():
            if state in self.passes.species:
                continue
            default = self._beginning(state, state in steady)
            name, written = self._shown(state), self.weave.write(rate)
            yield DraftLine(name, RATE, written, (), self._unit(state), default, state, at=rate.at)

    def _species_lines(self) -> Iterator[DraftLine]:
        """States of reactions; what they begin with counts, since reactions conserve it."""
        passes = self.passes
        sums = {
            next(name for _, name in law.terms): self.weave.write(law.total) for law in passes.scheme.conserved
        }  # fmt: skip
        for state in passes.species:
            default: Expression | float | None = sums.get(state)
            if not sums and state not in passes.steady:
                default = self._beginning(state)
            yield DraftLine(self._shown(state), SPECIES, None, ("species",), self._unit(state), default, state)

    def _side(self, side: tuple[tuple[int, str], ...]) -> tuple[tuple[int, str], ...]:
        return tuple((count, self._shown(name)) for count, name in side)

    def _beginning(self, state: str, steady: bool = False) -> Expression | float | None:
        """Where a state begins; of gates nothing if that is a steady state, which depends on where a cell starts."""
        value, ion, declared = self.passes.initial.get(state), self.passes.ions.get(state), self._declaration(state)
        concentration = ion is not None and (ion.read or ion.written)
        if steady and not concentration:
            return None
        if value is not None:
            if not steady:
                self.notices[f"INITIAL sets '{state}' to no steady state; cell.initialise() replaces it by one"] = None
            return self.weave.write(value)
        if ion is not None and concentration:
            return ion.default
        return declared.start if declared is not None else None

    def _value(self, name: str, variable: str, value: Expression) -> DraftLine:
        ion = self.passes.ions.get(variable)
        flags = (f"ion {ion.ion}",) if ion is not None and name == ion.shown else ()
        return DraftLine(name, VALUE, value, flags, self._unit(variable), variable=variable, at=value.at)

    # --- ions ---

    def _nernst(self, written: set[str]) -> Iterator[DraftLine]:
        """Reversal potentials of ions of which a concentration changes, or is read beside the potential."""
        for ion in self.neuron.ions:
            e, inside, outside = (self.passes.ions[name] for name in (f"e{ion.name}", f"{ion.name}i", f"{ion.name}o"))
            changed = inside.shown in written or outside.shown in written
            both = e.name in self.used and (inside.name in self.used or outside.name in self.used)
            if e.shown in written or not (changed or both):
                continue
            self.used.update(dict.fromkeys((e.name, inside.name, outside.name, "T")))
            arguments = (Number(f"{self._valence(ion):.15g}"), Name(inside.shown), Name(outside.shown), Name("T"))
            yield DraftLine(e.shown, VALUE, Call("nernst", arguments), (f"ion {e.ion}",), "mV", at=ion.at)
            self.computed_ions.add(e.name)

    def _valence(self, ion: Ion) -> float:
        known = valence(ion)
        if known is None:
            raise self.passes.refuse(ion.at, f"the valence of '{ion.name}' is not known", "add VALENCE", "USEION")
        return known

    # --- parameters ---

    def _parameters(self) -> Iterator[DraftLine]:
        """What is used and not computed."""
        passes = self.passes
        for name in self._used():
            ion = passes.ions.get(name)
            computed = name in passes.final or name in passes.rates or name in self.computed_ions
            if computed or name in STANDARD or name == "T" or passes.known.get(name) in ("UNIT", "CONSTANT"):
                continue
            if ion is not None and passes.known.get(name, "READ") in ("READ", "WRITE"):
                if ion.role != CURRENT:
                    yield self._of_ion(ion)
                continue
            declared = self._declaration(name)
            limits, at = (declared.limits, declared.at) if declared is not None else (None, NOWHERE)
            shown, variable = self._shown(name), name.removesuffix(AS_GIVEN)
            value, unit = self._given(name), self._unit(name)
            yield DraftLine(shown, GIVEN, None, self._flags(name), unit, value, variable, limits, at)
        if "celsius" in self.used or "T" in self.used:
            yield DraftLine("T", GIVEN, None, ("shared", "constant"), "degC", 279.45, "celsius")

    def _used(self) -> Iterator[str]:
        """Names that are used, also those that turn up on the way."""
        done = 0
        while done < len(self.used):
            more = list(self.used)[done:]
            done += len(more)
            yield from more

    def _flags(self, name: str) -> tuple[str, ...]:
        """Flags of a parameter."""
        everywhere = _base(name) not in self.neuron.ranges and self.passes.known.get(name) != "STATE"
        return ("shared", "constant") if everywhere else ("constant",)

    def _given(self, name: str) -> Expression | float:
        """What a parameter is if nobody sets it."""
        declared = self._declaration(name)
        return declared.value if declared is not None and declared.value is not None else 0.0

    def _of_ion(self, ion: IonVariable) -> DraftLine:
        shared = ("shared",) if ion.role != INSIDE else ()
        return DraftLine(ion.shown, GIVEN, None, (*shared, "constant", f"ion {ion.ion}"), ion.unit, ion.default)


def _base(name: str) -> str:
    """The name that is declared: of an array without the index."""
    return name.removesuffix(AS_GIVEN).partition("[")[0]
