from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_Floats: TypeAlias = NDArray[np.float64]
_Indices: TypeAlias = NDArray[np.int32]
_Longs: TypeAlias = NDArray[np.int64]

def tree_factor(
    order: _Indices, parent: _Indices, g: _Floats, d: _Floats, w: _Floats, iv: _Floats
) -> None: ...
def tree_solve(
    order: _Indices, parent: _Indices, w: _Floats, iv: _Floats, r: _Floats, x: _Floats
) -> None: ...
def uniforms(seed: int, stream: int, step: int, elements: _Longs, draw: int, out: _Floats) -> None: ...
def normals(seed: int, stream: int, step: int, elements: _Longs, draw: int, out: _Floats) -> None: ...
