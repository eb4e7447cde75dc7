"""Mechanisms of channels: equations for whoever names parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from rall.equations import Equations
from rall.errors import EquationError, NmodlError, RallError
from rall.plugins.nmodl.assemble import Assembled, Parameter
from rall.plugins.nmodl.syntax import Program
from rall.registry import closest
from rall.units import Quantity, dimension_of, kelvin
from rall.units.constants import zero_celsius

__all__ = ["Mechanism", "renamed", "replaced"]


class Mechanism:
    """A mechanism: call it with values for its parameters to get equations.

    Parameters
    ----------
    program : Program
        The file.
    assembled : Assembled
        Its equations as text.
    lenient : bool
        Whether plain numbers are taken in the file's units.

    Attributes
    ----------
    name : str
        What SUFFIX says.
    kind : str
        ``'SUFFIX'``.
    title : str
        Of the file.
    parameters : mapping of str to Parameter
        By the names of the file: default, unit, limits.
    notices : tuple of str
        What was assumed, and what was left out.
    equations : Equations
        With the file's own values.
    """

    def __init__(self, program: Program, assembled: Assembled, lenient: bool) -> None:
        self.name, self.kind, self.title = program.neuron.name, program.neuron.kind, program.title
        self.file = program.file
        self.parameters: Mapping[str, Parameter] = MappingProxyType({p.name: p for p in assembled.parameters})
        self.notices = assembled.notices
        self._assembled, self._lenient = assembled, lenient
        self.equations = self._equations(self.name)

    def _equations(self, name: str) -> Equations:
        """The equations, with another name than the file's or with its own."""
        return self._of(self._assembled, name)

    def _of(self, assembled: Assembled, name: str) -> Equations:
        text, defaults = "\n".join(assembled.lines), dict(assembled.defaults)
        if name != self.name:
            if not re.fullmatch(r"[A-Za-z0-9]\w*", name):
                raise RallError(f"the name of a mechanism is letters and digits, and {name!r} is not")
            table = {one: renamed(one, self.name, name) for one in assembled.names}
            text = replaced(text, table)
            defaults = {
                table.get(key, key): replaced(value, table) if isinstance(value, str) else value
                for key, value in defaults.items()
            }
        source = f"{Path(self.file).name}: {self.title}" if self.title else Path(self.file).name
        try:
            return Equations(text, defaults=defaults, sources=(source,))
        except EquationError as error:
            raise NmodlError(f"the equations of this file cannot be used: {error}", self.file) from error

    def __call__(
        self,
        name: str | None = None,
        celsius: float | None = None,
        T: Quantity | None = None,
        **parameters: Quantity | float | str,
    ) -> Equations:
        """Equations for a cell.

        Parameters
        ----------
        name : str, optional
            What the names of its variables end in, the file's own name if not given.
        celsius : float, optional
            The temperature in degrees Celsius; 6.3 if nothing is given, as in NEURON.
        T : Quantity, optional
            The absolute temperature instead.
        **parameters : Quantity, float or str
            Values by the names in the file; a text is an expression of compartments.

        Returns
        -------
        Equations

        Raises
        ------
        RallError
            For a parameter that there is not, or a number without its unit.
        """
        own = name or self.name
        base = self.equations if own == self.name else self._equations(own)
        values = self._values(parameters, own, self.parameters)
        if celsius is not None or T is not None:
            values |= self._temperature(celsius, T, base)
        return Equations(base, defaults=values) if values else base

    def _values(
        self, parameters: Mapping[str, Quantity | float | str], own: str, known: Mapping[str, Parameter]
    ) -> dict[str, Quantity | float | str]:
        """Values by the names of equations, of a mechanism called `own`."""
        values: dict[str, Quantity | float | str] = {}
        for key, value in parameters.items():
            one = self._known(key, known)
            values[renamed(one.shown, self.name, own)] = self._value(one, value)
        return values

    def _known(self, key: str, known: Mapping[str, Parameter]) -> Parameter:
        if key not in known:
            listed = ", ".join(known) or "none"
            raise RallError(f"{self.name} has no parameter '{key}'{closest(key, known)}; its parameters: {listed}")
        return known[key]

    def _temperature(self, celsius: float | None, T: Quantity | None, base: Equations) -> dict[str, Quantity | float]:
        if celsius is not None and T is not None:
            raise RallError("give the temperature as celsius= or as T=, not as both")
        absolute = T if T is not None else float(celsius or 0.0) * kelvin + zero_celsius
        return {"T": absolute} if "T" in base else {}

    def _value(self, known: Parameter, value: Quantity | float | str) -> Quantity | float | str:
        if isinstance(value, str):
            return value
        wanted, given = dimension_of(known.default), dimension_of(value)
        if wanted is given:
            return value
        if self._lenient and not isinstance(value, Quantity):
            return value * known.one
        example = f"{known.name}={value}*{known.unit}" if not isinstance(value, Quantity) else ""
        hint = f", as in {example}" if example else ""
        raise RallError(f"'{known.name}' of {self.name} has the unit {known.unit}, and {value} has not{hint}")

    def __repr__(self) -> str:
        shown = ", ".join(f"{p.name}={p.default}" for p in self.parameters.values())
        return f"<{self.kind} {self.name}({shown})>"


def renamed(name: str, old: str, new: str) -> str:
    """A variable's name with another mechanism's name: ``m_Ih``, ``I_Ih_Na``.

    Parameters
    ----------
    name : str
        Of the variable.
    old, new : str
        Names of the mechanism.
    """
    return re.sub(rf"_{re.escape(old)}(?=_[A-Za-z0-9]+$|$)", f"_{new}", name, count=1)


def replaced(text: str, table: Mapping[str, str]) -> str:
    """Text with whole words replaced; of a rate, ``dm_Ih/dt``, the variable's.

    Parameters
    ----------
    text : str
        Of equations.
    table : mapping of str to str
        Words and what replaces them.
    """

    def word(match: re.Match[str]) -> str:
        found = match[0]
        if found in table:
            return table[found]
        return f"d{table[found[1:]]}" if found[0] == "d" and found[1:] in table else found

    return re.sub(r"[A-Za-z_]\w*", word, text)
