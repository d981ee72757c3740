import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

TOGETHER: int

def fill_roots(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    position: I32,
    scale: F64,
    rows: I32,
    own_scale: F64,
    places: I32,
    entries: F32,
    roots_out: F32,
    sums_out: F64,
    squares_out: F64,
    num_threads: int,
) -> None: ...
def root_products(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    position: I32,
    scale: F64,
    rows: I32,
    own_scale: F64,
    factors: F32,
    places: I32,
    entries: F32,
    products_out: F32,
    sums_out: F64,
    num_threads: int,
) -> None: ...
def descend(
    cross: F32,
    inverse: F32,
    sweeps: int,
    residual: F32,
    weights: F32,
    num_threads: int,
) -> None: ...
