"""Physical constants (CODATA 2018: Tiesinga et al., Reviews of Modern Physics 93:025010, 2021)."""

from __future__ import annotations

from rall.units.quantity import Quantity
from rall.units.stdunits import amp, coulomb, farad, joule, kelvin, kilogram, metre, mole

__all__ = [
    "avogadro_constant", "boltzmann_constant", "electric_constant", "electron_mass", "elementary_charge",
    "faraday_constant", "gas_constant", "magnetic_constant", "molar_mass_constant", "zero_celsius",
]  # fmt: skip

#: Exact.
avogadro_constant: Quantity = 6.02214076e23 * mole**-1
#: Exact.
boltzmann_constant: Quantity = 1.380649e-23 * (joule / kelvin)
electric_constant: Quantity = 8.8541878128e-12 * (farad / metre)
electron_mass: Quantity = 9.1093837015e-31 * kilogram
#: Exact.
elementary_charge: Quantity = 1.602176634e-19 * coulomb
#: Exact: the product of the Avogadro constant and the elementary charge.
faraday_constant: Quantity = 96485.33212331 * (coulomb / mole)
#: Exact: the product of the Avogadro and Boltzmann constants.
gas_constant: Quantity = 8.31446261815324 * (joule / mole / kelvin)
magnetic_constant: Quantity = 1.25663706212e-6 * (joule / amp**2 / metre)
molar_mass_constant: Quantity = 0.99999999965e-3 * (kilogram / mole)
#: 0 degrees Celsius.
zero_celsius: Quantity = 273.15 * kelvin
