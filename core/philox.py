"""Random numbers that are a function of where they are used: the NumPy counterpart of `rall_random.h`.

A number is fixed by (seed, stream, step, element, draw); see the header for the layout of key and counter.
Uniforms have the same bits as in generated code, normals agree to rounding (1e-15 relative), Poisson and
binomial numbers are equal unless a comparison falls within rounding.

Source of the generator: Philox4x32-10 of Salmon, Moraes, Dror & Shaw, SC'11 (2011).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["binomial", "normal", "philox", "poisson", "stream_key", "uniform"]

_Floats: TypeAlias = NDArray[np.float64]
_Words: TypeAlias = tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]

_MASK32 = 0xFFFFFFFF
_MASK64 = 0xFFFFFFFFFFFFFFFF
_WEYL = 0x9E3779B97F4A7C15
_LOW = np.uint64(_MASK32)
_HALF = np.uint64(32)
_MULTIPLY_A, _MULTIPLY_C = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_BUMP = (0x9E3779B9, 0xBB67AE85)
_ATTEMPTS = 65536


def _mix(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK64
    return x ^ (x >> 31)


def stream_key(seed: int, stream: int) -> int:
    """The key of one object's numbers.

    Parameters
    ----------
    seed : int
        Taken modulo 2^64.
    stream : int
        Number of the object; different streams of a seed have different keys.

    Returns
    -------
    int
        64 bits.
    """
    return _mix((seed & _MASK64) ^ _mix((stream * _WEYL + _WEYL) & _MASK64))


def philox(words: _Words, key: int) -> _Words:
    """Ten rounds of Philox4x32 on 32-bit words that are kept in 64 bits.

    Parameters
    ----------
    words : tuple of four ndarrays of uint64
        The counters.
    key : int
        64 bits, the low half first.

    Returns
    -------
    tuple of four ndarrays of uint64
        Random words below 2^32.
    """
    a, b, c, d = words
    k, m = key & _MASK32, key >> 32
    for _ in range(10):
        p, q = a * _MULTIPLY_A, c * _MULTIPLY_C
        a, b = (q >> _HALF) ^ b ^ np.uint64(k), q & _LOW
        c, d = (p >> _HALF) ^ d ^ np.uint64(m), p & _LOW
        k, m = (k + _BUMP[0]) & _MASK32, (m + _BUMP[1]) & _MASK32
    return a, b, c, d


def _block(key: int, step: int, elements: ArrayLike, draw: int, attempt: int = 0) -> _Words:
    a = np.atleast_1d(np.asarray(elements)).astype(np.uint64) & _LOW
    last = ((step >> 32) & 0xFFFF) | ((attempt & 0xFFFF) << 16)
    b, c, d = (np.full_like(a, word) for word in (draw & _MASK32, step & _MASK32, last))
    return philox((a, b, c, d), key)


def _unit(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> _Floats:
    bits = ((high >> np.uint64(5)) << np.uint64(26)) | (low >> np.uint64(6))
    return bits.astype(np.float64) * 2.0**-53


def uniform(seed: int, stream: int, step: int, elements: ArrayLike, draw: int = 0) -> _Floats:
    """Uniform numbers in [0, 1), multiples of 2^-53.

    Parameters
    ----------
    seed, stream : int
        Of the run and of the object.
    step : int
        Number of the time step, counted modulo 2^48.
    elements : array_like of int
        Indices in the user's order, modulo 2^32.
    draw : int
        Which of the draws of one evaluation.

    Returns
    -------
    ndarray
        One number for each element.
    """
    a, b, _, _ = _block(stream_key(seed, stream), step, elements, draw)
    return _unit(a, b)


def normal(seed: int, stream: int, step: int, elements: ArrayLike, draw: int = 0) -> _Floats:
    """Standard normal numbers, by Box & Muller (Ann. Math. Stat. 29, 1958).

    Parameters
    ----------
    seed, stream, step, elements, draw
        As of `uniform`.

    Returns
    -------
    ndarray
        One number for each element; their magnitude is at most 8.6.
    """
    a, b, c, d = _block(stream_key(seed, stream), step, elements, draw)
    radius = np.sqrt(-2.0 * np.log(1.0 - _unit(a, b)))
    turns = 4.0 * _unit(c, d)
    quarter = np.rint(turns)
    angle = (turns - quarter) * (np.pi / 2)
    which = quarter.astype(np.int64)
    y = np.where(which & 1, np.sin(angle), np.cos(angle))
    return radius * np.where((which + 1) & 2, -y, y)


def _log_factorial(k: _Floats) -> _Floats:
    x, lift = k + 1.0, np.ones_like(k)
    for _ in range(10):
        small = x < 10.0
        lift = np.where(small, lift * x, lift)
        x = np.where(small, x + 1.0, x)
    z = 1.0 / (x * x)
    z = (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188))))) / x
    result: _Floats = (x - 0.5) * np.log(x) - x + 0.9189385332046727 + z - np.log(lift)
    return result


def _poisson_search(u: _Floats, mean: _Floats) -> _Floats:
    u, p, k = u.copy(), np.exp(-mean), np.zeros_like(u)
    active = u >= p
    while active.any():
        u = np.where(active, u - p, u)
        k = np.where(active, k + 1.0, k)
        p = np.where(active, p * (mean / np.maximum(k, 1.0)), p)
        active &= (u >= p) & (k < 128.0)
    return k


def _uv(key: int, step: int, elements: NDArray[np.uint64], draw: int, attempt: int) -> tuple[_Floats, ...]:
    a, b, c, d = _block(key, step, elements, draw, attempt)
    u = _unit(a, b) - 0.5
    return u, 1.0 - _unit(c, d), 0.5 - np.abs(u) + 1e-300


def _poisson_reject(key: int, step: int, elements: NDArray[np.uint64], draw: int, mean: _Floats) -> _Floats:
    result = np.zeros_like(mean)
    left = np.arange(len(mean))
    for attempt in range(_ATTEMPTS):
        if not len(left):
            break
        m = mean[left]
        b = 0.931 + 2.53 * np.sqrt(m)
        a = -0.059 + 0.02483 * b
        u, v, us = _uv(key, step, elements[left], draw, attempt)
        k = np.floor((2.0 * a / us + b) * u + m + 0.43)
        quick = (us >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2.0))
        never = (k < 0.0) | ((us < 0.013) & (v > us))
        bound = k * np.log(m) - m - _log_factorial(np.maximum(k, 0.0))
        ratio = v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (us * us) + b)
        accept = quick | (~never & (np.log(ratio) <= bound))
        result[left[accept]] = k[accept]
        left = left[~accept]
    return result


def poisson(
    seed: int, stream: int, step: int, elements: ArrayLike, mean: ArrayLike, draw: int = 0
) -> _Floats:
    """Poisson numbers: sequential search below a mean of 10, PTRS (Hormann 1993) from there on.

    Parameters
    ----------
    seed, stream, step, elements, draw
        As of `uniform`.
    mean : array_like
        One for all or one for each element; 0 is the result where it is not positive.

    Returns
    -------
    ndarray
        Whole numbers as floats, one for each element.
    """
    who = np.atleast_1d(np.asarray(elements)).astype(np.uint64)
    means = np.broadcast_to(np.asarray(mean, dtype=np.float64), who.shape)
    result = np.where(np.isnan(means), np.nan, 0.0)
    small, large = (means > 0.0) & (means < 10.0), means >= 10.0
    if small.any():
        result[small] = _poisson_search(uniform(seed, stream, step, who[small], draw), means[small])
    if large.any():
        key = stream_key(seed, stream)
        result[large] = _poisson_reject(key, step, who[large], draw, means[large])
    return result


def _binomial_search(u: _Floats, n: _Floats, p: _Floats) -> _Floats:
    u, f, k = u.copy(), np.exp(n * np.log1p(-p)), np.zeros_like(u)
    odds = p / (1.0 - p)
    active = (u >= f) & (k < n)
    while active.any():
        u = np.where(active, u - f, u)
        k = np.where(active, k + 1.0, k)
        f = np.where(active, f * ((n - k + 1.0) / np.maximum(k, 1.0) * odds), f)
        active &= (u >= f) & (k < n) & (k < 160.0)
    return k


def _binomial_reject(
    key: int, step: int, elements: NDArray[np.uint64], draw: int, n: _Floats, p: _Floats
) -> _Floats:
    result = np.zeros_like(n)
    left = np.arange(len(n))
    for attempt in range(_ATTEMPTS):
        if not len(left):
            break
        m, r = n[left], p[left]
        width = np.sqrt(m * r * (1.0 - r))
        b = 1.15 + 2.53 * width
        a = -0.0873 + 0.0248 * b + 0.01 * r
        mode = np.floor((m + 1.0) * r)
        u, v, us = _uv(key, step, elements[left], draw, attempt)
        k = np.floor((2.0 * a / us + b) * u + m * r + 0.5)
        quick = (us >= 0.07) & (v <= 0.92 - 4.2 / b)
        inside = np.clip(k, 0.0, m)
        bound = _log_factorial(mode) + _log_factorial(m - mode)
        bound = bound - _log_factorial(inside) - _log_factorial(m - inside)
        bound = bound + (k - mode) * np.log(r / (1.0 - r))
        ratio = v * ((2.83 + 5.1 / b) * width) / (a / (us * us) + b)
        accept = quick | ((inside == k) & (np.log(ratio) <= bound))
        result[left[accept]] = k[accept]
        left = left[~accept]
    return result


def binomial(
    seed: int, stream: int, step: int, elements: ArrayLike, n: ArrayLike, p: ArrayLike, draw: int = 0
) -> _Floats:
    """Numbers of successes: sequential search for few, BTRS (Hormann 1993) for many.

    Parameters
    ----------
    seed, stream, step, elements, draw
        As of `uniform`.
    n : array_like
        Trials, rounded down; one for all or one for each element.
    p : array_like
        Probability of success, clipped to [0, 1]; likewise.

    Returns
    -------
    ndarray
        Whole numbers as floats, one for each element.
    """
    who = np.atleast_1d(np.asarray(elements)).astype(np.uint64)
    trials = np.floor(np.broadcast_to(np.asarray(n, dtype=np.float64), who.shape))
    chance = np.broadcast_to(np.asarray(p, dtype=np.float64), who.shape)
    likely = chance > 0.5
    rare = np.where(likely, 1.0 - chance, chance)
    k = np.zeros(who.shape)
    real = (trials >= 1.0) & (rare > 0.0)
    few, many = real & (trials * rare < 10.0), real & (trials * rare >= 10.0)
    if few.any():
        k[few] = _binomial_search(uniform(seed, stream, step, who[few], draw), trials[few], rare[few])
    if many.any():
        key = stream_key(seed, stream)
        k[many] = _binomial_reject(key, step, who[many], draw, trials[many], rare[many])
    k = np.where(likely, np.maximum(trials, 0.0) - k, k)
    return np.where(np.isnan(trials) | np.isnan(chance), np.nan, k)
