"""The exponential of many small matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["expm"]

_Matrices = NDArray[np.float64]
#: Coefficients of the [13/13] Pade approximant and the norm up to which it is exact in doubles (Higham, SIAM
#: J. Matrix Anal. Appl. 26:1179, 2005, equation 2.3 and table 2.3).
_PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
_THETA = 5.371920351148152
_CHUNK = 4096
_SWEEPS = 12


def expm(matrices: _Matrices) -> _Matrices:
    """Exponentials by scaling and squaring (Higham 2005), one for each matrix of a stack.

    Two things differ from the textbook.  Rows and columns are balanced first, because the entries of one
    matrix have different units, and a norm of nothing but units would cost accuracy in squarings.  And the
    squarings work on ``F = exp(A) - 1``, by ``F <- 2 F + F F``, which keeps the slow modes of stiff matrices
    to full precision.

    Parameters
    ----------
    matrices : ndarray, shape (n, k, k)
        Dimensionless but for the balanced units of rows and columns.

    Returns
    -------
    ndarray, shape (n, k, k)
        NaN where a matrix is not finite.
    """
    result = np.empty_like(matrices, dtype=np.float64)
    for start in range(0, len(matrices), _CHUNK):
        part = np.array(matrices[start : start + _CHUNK], dtype=np.float64)
        bad = ~np.isfinite(part).all(axis=(1, 2))
        part[bad] = 0.0
        scale = _balance(part)
        ratio = scale[:, :, None] / scale[:, None, :]
        done = _expm1(part / ratio) * ratio + np.eye(part.shape[1])
        done[bad] = np.nan
        result[start : start + _CHUNK] = done
    return result


def _balance(a: _Matrices) -> _Matrices:
    """Powers of two d, so that ``a_ij d_j/d_i`` has off-diagonal rows and columns of similar size (Osborne).

    The largest diagonal entry is a floor: below it an off-diagonal entry costs nothing, and without a floor
    the triangular matrices of cascades would be scaled for ever.
    """
    size = a.shape[1]
    scale = np.ones(a.shape[:2])
    off = np.abs(a) * (1.0 - np.eye(size))
    floor = np.abs(np.diagonal(a, axis1=1, axis2=2)).max(axis=1)
    floor = np.where(floor > 0.0, floor, 1.0)
    for _ in range(_SWEEPS):
        for i in range(size):
            row, column = off[:, i, :].sum(axis=1), off[:, :, i].sum(axis=1)
            factor = np.exp2(np.round(0.5 * np.log2(np.maximum(row, floor) / np.maximum(column, floor))))
            off[:, i, :] /= factor[:, None]
            off[:, :, i] *= factor[:, None]
            scale[:, i] *= factor
    return scale


def _expm1(a: _Matrices) -> _Matrices:
    norm = np.abs(a).sum(axis=1).max(axis=1)
    squarings = np.ceil(np.log2(np.maximum(norm / _THETA, 1.0))).astype(int)
    one = np.eye(a.shape[1])
    a = a / np.exp2(squarings)[:, None, None]
    b, a2 = _PADE, a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one
    u = a @ odd
    v = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * one
    f: _Matrices = np.asarray(np.linalg.solve(v - u, 2.0 * u), dtype=np.float64)
    for k in range(int(squarings.max(initial=0))):
        f = np.where((squarings > k)[:, None, None], 2.0 * f + f @ f, f)
    return f
