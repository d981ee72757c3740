import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

def fill_roots(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    position: I32,
    scale: F64,
    rows: I32,
    roots_out: F64,
    sums_out: F64,
    squares_out: F64,
    num_threads: int,
) -> None: ...
def descend(
    cross: F64,
    inverse: F64,
    sweeps: int,
    residual: F64,
    weights: F64,
    num_threads: int,
) -> None: ...
