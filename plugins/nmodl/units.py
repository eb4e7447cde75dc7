"""Units of NMODL: their texts, their values, and how equations spell them.

NMODL writes units as a product with blanks or hyphens, one slash before all denominators and powers as digits
(``mA/cm2``, ``/ms-mV``, ``k-mole``).  Its vocabulary is that of the old Unix program ``units``, where a mole is a
plain number; here amounts of substance keep their dimension, because rall's concentrations have it: a ``liter``
below a fraction bar is one that holds moles, and a charge that is Faraday's constant is one per mole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from rall.errors import EquationError
from rall.plugins.nmodl.syntax import Unit
from rall.plugins.nmodl.unitvalue import ONE, UnitValue
from rall.units import Quantity
from rall.units.constants import boltzmann_constant, elementary_charge, faraday_constant, gas_constant
from rall.units.dimension import Dimension

__all__ = ["ONE", "STANDARD", "VOCABULARY", "Constant", "UnitTable", "UnitValue"]

# Names, exponents of metre, kilogram, second, amp, kelvin, mole, candle, power of ten, factor.
_ROWS = """
m meter metre | 1 ; cm | 1 | -2 ; mm | 1 | -3 ; micron um | 1 | -6 ; angstrom | 1 | -10 ; inch | 1 | -4 | 254
kg | 0 1 ; g gm gram gramme | 0 1 | -3 ; dalton amu | 0 1 | -27 | 1.66053906660
s sec second | 0 0 1 ; ms msec | 0 0 1 | -3 ; us usec | 0 0 1 | -6 ; min minute | 0 0 1 | 0 | 60
h hr hour | 0 0 1 | 0 | 3600 ; day | 0 0 1 | 0 | 86400
A amp ampere | 0 0 0 1 ; C coul coulomb | 0 0 1 1 ; K kelvin degC degK deg | 0 0 0 0 1 ; cd candela | 0 0 0 0 0 0 1
mol mole | 0 0 0 0 0 1 ; M molar Molar | -3 0 0 0 0 1 | 3 ; l L liter litre | 3 | -3 ; cc | 3 | -6
N nt newton | 1 1 -2 ; Pa pascal | -1 1 -2 ; J joule | 2 1 -2 ; W watt | 2 1 -3 ; erg | 2 1 -2 | -7
atm | -1 1 -2 | 0 | 101325
V volt v | 2 1 -3 -1 ; ohm Ohm | 2 1 -3 -2 ; mho S siemens Siemens | -2 -1 3 2 ; F farad | -2 -1 4 2
H henry | 2 1 -2 -2 ; T tesla | 0 1 -2 -1 ; Wb weber | 2 1 -2 -1
Hz hertz hz | 0 0 -1 ; rad radian sr steradian ion molecule | ; % percent | | -2
"""
# What stands for a number in the old vocabulary: of moles it is 1 here, as in (mol) = (1).
_PREFIXES = {
    "yotta": 24, "zetta": 21, "exa": 18, "peta": 15, "tera": 12, "giga": 9, "mega": 6, "meg": 6, "kilo": 3, "hecto": 2,
    "deka": 1, "deci": -1, "centi": -2, "milli": -3, "micro": -6, "nano": -9, "pico": -12, "femto": -15, "atto": -18,
    "da": 1, "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "d": -1, "c": -2, "m": -3,
    "u": -6, "n": -9, "p": -12, "f": -15, "a": -18,
}  # fmt: skip


def _read_rows() -> dict[str, UnitValue]:
    found = {}
    for row in _ROWS.replace("\n", ";").split(";"):
        names, _, rest = row.partition("|")
        exponents, tens, factor = ([part.strip() for part in rest.split("|")] + ["", "", ""])[:3]
        unit = UnitValue.of(map(int, exponents.split()), int(tens or 0), Fraction(factor or "1"))
        found.update(dict.fromkeys(names.split(), unit))
    return found


#: Units that need no definition.
VOCABULARY: Mapping[str, UnitValue] = _read_rows()
_MOLAR, _LITRE, _MOLE = VOCABULARY["molar"], VOCABULARY["liter"], VOCABULARY["mole"]
_PER_MOLE = _LITRE / _MOLE
# These mean concentrations in every file, however it defines them ((mM) = (millimole) is among the ways).
_CONCENTRATIONS = frozenset(("M", "molar", "mM", "uM", "nM", "millimolar", "micromolar", "nanomolar"))

_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+)|([+-]\d+)(?![\d.]))?"  # 1-3: number, exponents as 1e-3 or as 1-3
    r"|([A-Za-z_%$]+)(?:\^|\*\*)?(-?\d+)?"  # 4, 5: name and power
    r"|([-/*|.])"  # 6: operator
    r"|(\S))"  # 7: anything else is a mistake
)


class UnitTable:
    """The units of a file: the vocabulary and what its UNITS block defines.

    Parameters
    ----------
    definitions : iterable of Unit
        Of UNITS, in their order; constants among them are left out.
    """

    def __init__(self, definitions: Iterable[Unit] = ()) -> None:
        self._own: dict[str, UnitValue] = {}
        self._known: dict[str, UnitValue] = {}
        for line in definitions:
            if line.constant or line.name in _CONCENTRATIONS:
                continue
            # The old vocabulary counts moles, so that files say that one of them is 1.
            value = _MOLE if line.name in ("mol", "mole") else self.unit(line.value)
            self._own[line.name] = value
            self._known.clear()

    def unit(self, text: str) -> UnitValue:
        """The value of a unit.

        Parameters
        ----------
        text : str
            What stands in parentheses: ``mA/cm2``, ``/ms``, ``1/ms``, ``ms-1``, ``1000/sec``; empty is 1.

        Returns
        -------
        UnitValue

        Raises
        ------
        EquationError
            If it has a name that is no unit; the error says which.
        """
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = self._read(text)
        return found

    def constant(self, line: Unit) -> Constant:
        """A constant of the UNITS block, such as ``F = (faraday) (coulombs)`` or ``k = 0.0853 (mV/degC)``.

        Parameters
        ----------
        line : Unit
            Whose `constant` is true.

        Returns
        -------
        Constant

        Raises
        ------
        EquationError
            If a name is no unit.
        """
        unit = self.unit(line.unit or "1")
        try:
            value = float(line.value)
        except ValueError:
            return self._physical(line.value, unit)
        return Constant(value, self.per_mole(value, unit))

    def per_mole(self, value: float, unit: UnitValue) -> UnitValue:
        """The unit of a parameter or constant, in which Faraday's and the gas constant are ones per mole.

        Parameters
        ----------
        value : float
            Its value: 96485 or about that in coulomb is one per mole, and so is 8.314 joule/degC.
        unit : UnitValue
            What the file says.

        Returns
        -------
        UnitValue
        """
        for constant in (faraday_constant, gas_constant):
            whole = Dimension(e + (1 if n == 5 else 0) for n, e in enumerate(constant.dim.exponents))
            if unit.dimension is whole and abs(value * unit.scale / float(constant.value) - 1) < 0.005:
                return unit / _MOLE
        return unit

    def _physical(self, text: str, unit: UnitValue) -> Constant:
        name, quantity = _PHYSICAL.get(re.sub(r"\s+|\*", "-", text.strip()), ("", None))
        if quantity is None:
            ratio = self.unit(text) / unit
            return Constant(ratio.scale, unit)
        si = float(quantity.value) if isinstance(quantity, Quantity) else quantity
        unit = self.per_mole(si / unit.scale, unit)
        return Constant(si / unit.scale, unit, name)

    def _read(self, text: str) -> UnitValue:
        code = 0
        sign, number = 1, Fraction(1)
        moles = False
        litres = 0
        for match in _TOKEN.finditer(text):
            digits, power, old_power, name, exponent, operator, wrong = match.groups()
            if digits:
                value = Fraction(digits) * Fraction(10) ** int(power or old_power or 0)
                if value <= 0:
                    raise EquationError(f"the unit '({text})' is zero")
                number = number * value if sign > 0 else number / value
            elif name:
                one = self._lookup(name, text)
                times = sign * int(exponent or 1)
                code += one.code * times
                moles = moles or bool(one.exponents[5])
                litres += times if name.lower() in ("liter", "liters", "litre", "litres", "l") else 0
            elif operator in ("/", "|"):
                sign = -1
            elif wrong:
                raise EquationError(f"'{wrong}' cannot stand in a unit, as it does in '({text})'")
        if litres < 0 and not moles:  # 1/liter is NMODL's way to write a concentration
            code += _MOLE.code * -litres
        return UnitValue(code) * UnitValue.of((), 0, number)

    def _lookup(self, name: str, text: str) -> UnitValue:
        for word in (name, name[:-1] if name.endswith("s") else ""):
            if word in self._own:
                return self._own[word]
            if word in VOCABULARY:
                return VOCABULARY[word]
            for prefix, tens in _PREFIXES.items():
                rest = word.removeprefix(prefix)
                if rest == word:
                    continue
                if not rest:
                    return UnitValue.of((), tens)
                base = self._own.get(rest) or VOCABULARY.get(rest)
                if base is not None:
                    return base * UnitValue.of((), tens)
        raise EquationError(f"'{name}' in '({text})' is no unit; define it in UNITS, as in (mV) = (millivolt)")


@dataclass(frozen=True)
class Constant:
    """A constant of the UNITS block.

    Parameters
    ----------
    value : float
        In its unit.
    unit : UnitValue
        Its unit; of Faraday's and the gas constant one per mole.
    name : str
        What equations know it by (``faraday_constant``, ``gas_constant``, ``pi``); empty for others.
    """

    value: float
    unit: UnitValue
    name: str = ""


_PHYSICAL: Mapping[str, tuple[str, Quantity | float]] = {
    "faraday": ("faraday_constant", faraday_constant), "e-mole": ("faraday_constant", faraday_constant),
    "k-mole": ("gas_constant", gas_constant), "mole-k": ("gas_constant", gas_constant),
    "R": ("gas_constant", gas_constant), "gasconstant": ("gas_constant", gas_constant), "pi": ("pi", math.pi),
    "k": ("", boltzmann_constant), "boltzmann": ("", boltzmann_constant), "e": ("", elementary_charge),
    "mole": ("", 6.02214076e23), "c": ("", Quantity(299792458.0, (VOCABULARY["m"] / VOCABULARY["s"]).dimension)),
}  # fmt: skip

#: Units of what NEURON gives to every mechanism, whatever the file says.
STANDARD: Mapping[str, UnitValue] = {
    name: UnitTable().unit(text) for name, text in (
        ("v", "mV"), ("t", "ms"), ("dt", "ms"), ("celsius", "degC"), ("area", "um2"), ("diam", "um"),
    )
}  # fmt: skip
