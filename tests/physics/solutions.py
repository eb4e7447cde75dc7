"""Closed-form solutions of passive cables, in ms, mV, nA, Mohm, nF (so uS) and um."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Passive:
    """A passive cylinder.

    Parameters
    ----------
    length, diameter : float
        In um.
    ri : float
        Resistivity in ohm cm.
    rm : float
        Specific membrane resistance in ohm cm2.
    cm : float
        Specific capacitance in uF/cm2.
    """

    length: float
    diameter: float
    ri: float = 150.0
    rm: float = 20000.0
    cm: float = 1.0

    @property
    def tau(self) -> float:
        """Membrane time constant in ms."""
        return self.rm * self.cm * 1e-3

    @property
    def space_constant(self) -> float:
        """Length constant in um."""
        return float(np.sqrt(self.rm * self.diameter * 1e-4 / (4 * self.ri)) * 1e4)

    @property
    def infinite(self) -> float:
        """Input conductance of the endless cylinder in uS: (pi/2) d**1.5 / sqrt(Rm Ri)."""
        return float(0.5 * np.pi * (self.diameter * 1e-4) ** 1.5 / np.sqrt(self.rm * self.ri) * 1e6)

    @property
    def ends(self) -> float:
        """Electrotonic length."""
        return self.length / self.space_constant

    @property
    def conductance(self) -> float:
        """Whole membrane conductance in uS."""
        return float(np.pi * self.diameter * self.length * 1e-8 / self.rm * 1e6)

    def steady(self, x: Floats, current: float, at: float = 0.0) -> Floats:
        """Depolarisation (mV) at x for a constant current (nA) at `at`, both ends sealed (Rall 1959)."""
        near, far = np.minimum(x, at) / self.space_constant, np.maximum(x, at) / self.space_constant
        shape = np.cosh(near) * np.cosh(self.ends - far) / np.sinh(self.ends)
        return np.asarray(current / self.infinite * shape)

    def step(self, t: Floats, x: float, current: float, at: float, modes: int = 4000) -> Floats:
        """Depolarisation (mV) at x after a current step at `at`: steady state minus cosine modes (Rall 1969)."""
        k = np.arange(modes)
        decay = (1 + (k * np.pi / self.ends) ** 2) / self.tau
        weight = np.where(k == 0, 1.0, 2.0) * np.cos(k * np.pi * x / self.length)
        weight *= np.cos(k * np.pi * at / self.length) * current / self.conductance / (decay * self.tau)
        return np.asarray(
            self.steady(np.array(x), current, at) - np.array([weight @ np.exp(-decay * s) for s in t])
        )

    def chain(self, t: Floats, n: int, element: int, current: float) -> Floats:
        """The same for a chain of n equal compartments with the current in the first: exact in time alone."""
        k = np.arange(n)
        axial = np.pi * (self.diameter * 1e-4) ** 2 / 4 / (self.ri * self.length * 1e-4 / n) * 1e6
        leak = self.conductance / n
        conductance = leak + 4 * axial * np.sin(k * np.pi / (2 * n)) ** 2
        weight = np.where(k == 0, 1.0, 2.0) / n * np.cos(k * np.pi / (2 * n)) * current / conductance
        weight *= np.cos(k * np.pi * (element + 0.5) / n)
        rate = conductance / (leak * self.tau)
        return np.array([weight @ -np.expm1(-rate * s) for s in t])


@dataclass(frozen=True)
class BallAndStick:
    """An isopotential soma with one sealed cylinder and the same membrane.

    Parameters
    ----------
    soma : float
        Diameter in um; the area is pi d**2.
    stick : Passive
        The cylinder.
    """

    soma: float
    stick: Passive

    @property
    def soma_conductance(self) -> float:
        """In uS."""
        return float(np.pi * self.soma**2 * 1e-8 / self.stick.rm * 1e6)

    def steady(self, x: Floats, current: float) -> Floats:
        """Depolarisation (mV) at x um from the soma for a constant current (nA) into the soma."""
        far = self.stick.ends - np.asarray(x) / self.stick.space_constant
        whole = self.soma_conductance + self.stick.infinite * np.tanh(self.stick.ends)
        return np.asarray(current / whole * np.cosh(far) / np.cosh(self.stick.ends))

    def impedance(self, frequency: float, x: float = 0.0) -> complex:
        """Voltage at x over current into the soma (Mohm) at a frequency in Hz."""
        q = np.sqrt(1 + 2j * np.pi * frequency * self.stick.tau * 1e-3)
        ends = self.stick.ends
        whole = self.soma_conductance * q**2 + self.stick.infinite * q * np.tanh(q * ends)
        return complex(np.cosh(q * (ends - x / self.stick.space_constant)) / np.cosh(q * ends) / whole)

    def roots(self, count: int) -> Floats:
        """Solutions b of tan(b l) = -(G_soma/G_inf) b, zero included (Rall 1969), by bisection."""
        ends, ratio = self.stick.ends, self.soma_conductance / self.stick.infinite
        n = np.arange(1, count)
        low, high = (n - 0.5) * np.pi, n * np.pi
        for _ in range(80):
            middle = 0.5 * (low + high)
            # cos changes sign at low; sin + ratio*b*cos has one root inside.
            value = (np.sin(middle) + ratio / ends * middle * np.cos(middle)) * np.sin(low)
            low, high = np.where(value > 0, middle, low), np.where(value > 0, high, middle)
        return np.concatenate([[0.0], 0.5 * (low + high) / ends])

    def step(self, t: Floats, x: float, current: float, terms: int = 2000) -> Floats:
        """Depolarisation (mV) at x after a current step into the soma: sum of residues over `roots`."""
        b, g, ends = self.roots(terms), self.stick.infinite, self.stick.ends
        bl = b * ends
        slope = 2 * self.soma_conductance * b * np.cos(bl) - self.soma_conductance * b**2 * ends * np.sin(bl)
        slope = slope + g * np.sin(bl) + g * bl * np.cos(bl)
        slope = np.where(b == 0, self.soma_conductance + g * ends, slope / np.where(b == 0, 1, 2 * b))
        rate = 1 + b**2
        weight = np.cos(b * (ends - x / self.stick.space_constant)) / (slope * rate) * current
        final = self.steady(np.array(x), current)
        return np.asarray(final - np.array([weight @ np.exp(-rate * s / self.stick.tau) for s in t]))


def tapered(x: Floats, current: float, ends: tuple[float, float], length: float, ri: float, rm: float) -> Floats:
    """Steady depolarisation (mV) of a sealed frustum with a current (nA) at x = 0.

    The cable equation for a radius r that changes linearly, k = 2 (Ri/Rm) sqrt(1 + r'**2), has the solutions
    r**-1/2 I1(z) and r**-1/2 K1(z) with z = 2 sqrt(k r)/|slope of r| (Rall 1962; slanted membrane area).

    Parameters
    ----------
    ends : tuple of float
        Diameters at x = 0 and x = length in um.
    """
    from scipy.special import iv, kv

    slope = 0.5 * (ends[1] - ends[0]) / length
    k = 2 * (ri / rm) * np.sqrt(1 + slope**2)

    def solutions(r: Floats) -> tuple[Floats, Floats]:
        z = 2 * np.sqrt(k * r) / abs(slope)
        return iv(1, z) / np.sqrt(r), kv(1, z) / np.sqrt(r)

    def slopes(r: float) -> tuple[float, float]:
        """Derivatives by x: (I1/z)' = I2/z, (K1/z)' = -K2/z, and 1/sqrt(r) is proportional to 1/z."""
        z = 2 * np.sqrt(k * r) / abs(slope)
        by_r = z / (2 * r)
        return slope * by_r * iv(2, z) / np.sqrt(r), -slope * by_r * kv(2, z) / np.sqrt(r)

    radius = [0.5 * d * 1e-4 for d in ends]
    axial = -ri / (np.pi * radius[0] ** 2) * current * 1e-9
    matrix = np.array([slopes(radius[0]), slopes(radius[1])])
    factors = np.linalg.solve(matrix, [axial, 0.0])
    local = radius[0] + slope * np.asarray(x) * 1e-4
    first, second = solutions(local)
    return np.asarray((factors[0] * first + factors[1] * second) * 1e3)
