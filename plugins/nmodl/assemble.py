"""From lines in NMODL's units to the text of equations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from rall.errors import EquationError
from rall.plugins.nmodl.algebra import children, rebuilt, walk
from rall.plugins.nmodl.draft import GIVEN, RATE, SPECIES, Draft, DraftLine, DraftPathway, DraftReaction
from rall.plugins.nmodl.file_units import MILLIMOLAR, units_of
from rall.plugins.nmodl.inference import Formula, Inference, infer
from rall.plugins.nmodl.refusal import refusals
from rall.plugins.nmodl.syntax import NOWHERE, Expression, Number, Place, Unit
from rall.plugins.nmodl.units import ONE, UnitTable, UnitValue
from rall.units import Quantity

__all__ = ["Assembled", "Parameter", "assemble"]

_OF_NO_STATE = slice(2, 5)  # exponents of second, amp and kelvin


_CURRENTS = frozenset(("membrane current", "point current", "summed"))


@dataclass(frozen=True)
class Parameter:
    """A parameter of a mechanism.

    Parameters
    ----------
    name : str
        In the file.
    shown : str
        In equations.
    default : Quantity or float
        The file's value.
    unit : str
        Its unit, as equations spell it; ``'1'`` for plain numbers.
    one : Quantity or float
        One of that unit.
    limits : tuple of (Quantity, Quantity), or None
        What the file gives for it.
    shared : bool
        Whether it is one for all compartments.
    """

    name: str
    shown: str
    default: Quantity | float
    unit: str
    one: Quantity | float
    limits: tuple[Quantity | float, Quantity | float] | None
    shared: bool


@dataclass(frozen=True)
class Assembled:
    """The text of equations.

    Parameters
    ----------
    lines : tuple of str
        One for each variable.
    names : frozenset of str
        The variables that carry the mechanism's name.
    defaults : mapping of str to Quantity, float or str
        What variables start with.
    parameters : tuple of Parameter
        Those of the file.
    notices : tuple of str
        What was assumed.
    pathways : mapping of str to str
        Statements of what events do.
    """

    lines: tuple[str, ...]
    names: frozenset[str]
    defaults: Mapping[str, Quantity | float | str]
    parameters: tuple[Parameter, ...]
    notices: tuple[str, ...]
    pathways: Mapping[str, str] = field(default_factory=dict)


def assemble(draft: Draft, lenient: bool, strict: bool) -> Assembled:
    """Find the units of a draft and write it out.

    Parameters
    ----------
    draft : Draft
        The mechanism.
    lenient, strict : bool
        Whether all numbers are taken as NEURON takes them; whether units that do not fit are an error.

    Raises
    ------
    NmodlError
        In strict mode, for units that are unknown or do not fit.
    """
    try:
        return _Assembly(draft, lenient, strict).assembled()
    except (ArithmeticError, RecursionError) as problem:
        message = "units or expressions of this file grow beyond all measure; simplify them"
        raise refusals(draft.program)(NOWHERE, message) from problem


class _Assembly:
    """The work on one draft."""

    def __init__(self, draft: Draft, lenient: bool, strict: bool) -> None:
        self.draft, self.lenient, self.strict = draft, lenient, strict
        self.refuse = refusals(draft.program)
        self.notices = dict.fromkeys(draft.notices)
        self.table = units_of(draft.program, self._unknown)
        self.texts = dict(draft.texts)
        self.numbers: dict[str, str] = {}
        self.declared = self._declared()

    # --- units of the file ---

    def _unknown(self, error: EquationError, at: Place) -> None:
        """Say that a unit is not known, as an error or as a notice."""
        if self.strict:
            raise self.refuse(at, error.message, "", "UNITS") from error
        self.notices[f"{error.message}; taken as no unit"] = None

    def _unit(self, text: str | None, at: Place) -> UnitValue | None:
        try:
            return None if text is None else self.table.unit(text)
        except EquationError as error:
            self._unknown(error, at)
            return None

    def _declared(self) -> dict[str, UnitValue]:
        """Units of variables and constants; the numbers of constants are noted on the way."""
        declared = {"L": self.table.unit("um"), "T": UnitTable().unit("K")}
        for ion in self.draft.program.neuron.ions:
            shown = ion.name[:1].upper() + ion.name[1:]
            declared[f"I_{shown}_total"] = UnitTable().unit("mA/cm2")
            declared[shown] = declared[f"{shown}_o"] = UnitTable().unit("mM")
            declared[f"E_{shown}"] = UnitTable().unit("mV")
        for line in self.draft.lines:
            unit = self._unit(line.unit, line.at) if line.name != "T" else None
            if line.unit is not None and not _CURRENTS.isdisjoint(line.flags):
                unit = UnitTable().unit(line.unit)  # whatever the file calls a nanoampere
            if unit is not None:
                value = line.default if isinstance(line.default, float) and line.kind == GIVEN else 0.0
                declared[line.name] = self.table.per_mole(value, unit)
        for k, (reaction, rate) in enumerate(self._all_rates()):
            declared[f"rate {k}"] = self._rate_unit(reaction, rate, declared)
        for name, unit, text in self._constants():
            self.numbers[name] = text
            if unit is not None:
                declared[name] = unit
        return declared

    def _all_rates(self) -> Iterator[tuple[DraftReaction, Expression]]:
        for reaction in self.draft.reactions:
            for rate in reaction.rates:
                yield reaction, rate

    def _rate_unit(self, reaction: DraftReaction, rate: Expression, declared: Mapping[str, UnitValue]) -> UnitValue:
        """One per ms, and per concentration for each further molecule that reacts."""
        side = reaction.left if rate is reaction.rates[0] else reaction.right
        species = next(name for _, name in (*reaction.left, *reaction.right))
        order = 0 if reaction.whole else sum(count for count, _ in side)
        return declared.get(species, ONE) ** (1 - order) / UnitTable().unit("ms")

    def _constants(self) -> Iterator[tuple[str, UnitValue | None, str]]:
        """Name, unit and number of constants; of those that equations know the name is noted."""
        for line in self.draft.program.units:
            if line.constant:
                found = self._constant(line)
                if found is not None:
                    yield found
        for one in self.draft.program.declarations:
            if one.section == "CONSTANT" and one.value is not None:
                unit = self._unit(one.unit, one.at)
                unit = self.table.per_mole(one.value, unit) if unit is not None else unit
                yield one.name, unit, _plain(one.value)

    def _constant(self, line: Unit) -> tuple[str, UnitValue, str] | None:
        try:
            known = self.table.constant(line)
        except EquationError as error:
            raise self.refuse(line.at, error.message, "write its value", "UNITS") from error
        if known.name:
            self.texts[line.name] = known.name
        return line.name, known.unit, _plain(known.value)

    # --- lines ---

    def assembled(self) -> Assembled:
        """All of it."""
        draft = self.draft
        formulas, places = self._formulas()
        inference = self._inferred(formulas)
        if self.strict:
            self._check_fit(inference)
        for name, text in self.numbers.items():
            self.texts.setdefault(name, inference.units.get(name, ONE).times(text))
        defaults: dict[str, Quantity | float | str] = {}
        lines, parameters = [], []
        for line in draft.lines:
            unit = inference.units.get(line.name, ONE) if line.name != "T" else UnitTable().unit("K")
            lines.append(self._text(line, unit, inference, places))
            if isinstance(line.default, float):
                defaults[line.name] = _value(unit, line.default)
            if line.kind == GIVEN and line.variable and line.name != "T" and isinstance(line.default, float):
                parameters.append(_parameter(line, unit))
        for name, default in places:  # the last, since they are computed from the others
            if default:
                defaults[name] = inference.text(places[name, True], self.texts)
        place = max((k + 1 for k, line in enumerate(draft.lines) if line.kind == SPECIES), default=0)
        lines[place:place] = self._reactions(inference, places)
        notices = tuple(dict.fromkeys((*self.notices, *inference.notices)))
        pathways = MappingProxyType({one.name: self._pathway(one, inference, places) for one in draft.pathways})
        return Assembled(tuple(lines), draft.own, MappingProxyType(defaults), tuple(parameters), notices, pathways)

    def _pathway(self, pathway: DraftPathway, inference: Inference, places: Mapping[tuple[str, bool], int]) -> str:
        return "\n".join(
            f"{target} = {inference.text(places[f'{pathway.name} {k}', False], self.texts)}"
            for k, (target, _) in enumerate(pathway.statements)
        )

    def _check_fit(self, inference: Inference) -> None:
        """In strict mode, refuse the first place where units do not fit."""
        for inferred in inference.formulas:
            for message in inferred.messages:
                place, _, rest = message.partition(": ")
                at = Place(int(place.removeprefix("line ")), 1)
                raise self.refuse(at, rest, "units='check' takes the numbers as NEURON does", "UNITS")

    def _literals(self, node: Expression) -> Expression:
        given = (part for part in walk(node) if isinstance(part, Number) and part.unit is not None)
        return node if all(self._unit(part.unit, part.at) is not None for part in given) else self._known(node)

    def _known(self, node: Expression) -> Expression:
        """An expression without units of numbers that are no units."""
        if isinstance(node, Number):
            known = self._unit(node.unit, node.at) is not None
            return node if known else Number(node.text, None, node.factor, at=node.at)
        parts = tuple(self._known(part) for part in children(node))
        return rebuilt(node, parts) if parts else node

    def _reactions(self, inference: Inference, places: Mapping[tuple[str, bool], int]) -> Iterator[str]:
        texts = iter(
            inference.text(places[f"rate {k}", False], self.texts) for k, _ in enumerate(self._all_rates())
        )
        for reaction in self.draft.reactions:
            arrow = "=>" if reaction.whole else "<->" if len(reaction.rates) == 2 else "->"
            rates = ", ".join(next(texts) for _ in reaction.rates)
            yield f"{_side(reaction.left)} {arrow} {_side(reaction.right)} : {rates}"

    def _inferred(self, formulas: Sequence[Formula]) -> Inference:
        """Units of everything; a state without a unit that would be a time or a voltage is a number instead."""
        inference = infer(formulas, self.declared, self.table, lenient=self.lenient, values=self._values())
        odd = [line.name for line in self.draft.lines if line.kind == RATE and line.name not in self.declared
               and any(inference.units.get(line.name, ONE).dimension.exponents[_OF_NO_STATE])]  # fmt: skip
        if not odd:
            return inference
        self.declared.update(dict.fromkeys(odd, ONE))
        return infer(formulas, self.declared, self.table, lenient=self.lenient, values=self._values())

    def _values(self) -> dict[str, float]:
        """Constants and parameters without a unit."""
        values = {name: float(text) for name, text in self.numbers.items() if name not in self.declared}
        for line in self.draft.lines:
            if line.name not in self.declared and isinstance(line.default, float):
                values[line.name] = line.default
        return values

    def _formulas(self) -> tuple[list[Formula], dict[tuple[str, bool], int]]:
        """Formulas, and where they are by the name of the line and whether it is about its default."""
        formulas: list[Formula] = []
        places: dict[tuple[str, bool], int] = {}
        for line in self.draft.lines:
            if line.expression is not None:
                places[line.name, False] = len(formulas)
                formulas.append(Formula(line.name, self._literals(line.expression), line.at, line.kind == RATE))
        for k, (reaction, rate) in enumerate(self._all_rates()):
            places[f"rate {k}", False] = len(formulas)
            formulas.append(Formula(f"rate {k}", self._literals(rate), reaction.at))
        for pathway in self.draft.pathways:
            for k, (target, expression) in enumerate(pathway.statements):
                places[f"{pathway.name} {k}", False] = len(formulas)
                formulas.append(Formula(target, self._literals(expression), pathway.at))
        for line in self.draft.lines:
            if line.default is not None and not isinstance(line.default, float):
                places[line.name, True] = len(formulas)
                formulas.append(Formula(line.name, self._literals(line.default), line.at))
        return formulas, places

    def _text(
        self, line: DraftLine, unit: UnitValue, inference: Inference, places: Mapping[tuple[str, bool], int]
    ) -> str:
        tail = f" : {_unit_name(unit)}" + (f" ({', '.join(line.flags)})" if line.flags else "")
        if line.kind in (GIVEN, SPECIES):
            return line.name + tail
        left = f"d{line.name}/dt" if line.kind == RATE else line.name
        return f"{left} = {inference.text(places[line.name, False], self.texts)}{tail}"


def _side(side: tuple[tuple[int, str], ...]) -> str:
    return " + ".join(name if count == 1 else f"{count} {name}" for count, name in side) or "0"


def _plain(value: float) -> str:
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _value(unit: UnitValue, value: float) -> Quantity | float:
    quantity = unit.quantity(value)
    return float(quantity) if unit.is_dimensionless else quantity


def _unit_name(unit: UnitValue) -> str:
    if unit.is_dimensionless:
        return "1"
    return "mM" if unit.dimension is MILLIMOLAR else str(unit.dimension)


def _parameter(line: DraftLine, unit: UnitValue) -> Parameter:
    assert isinstance(line.default, float)
    limits = None if line.limits is None else (_value(unit, line.limits[0]), _value(unit, line.limits[1]))
    text = "1" if unit.is_plain else str(unit)
    shared = "shared" in line.flags
    return Parameter(line.variable, line.name, _value(unit, line.default), text, _value(unit, 1.0), limits, shared)
