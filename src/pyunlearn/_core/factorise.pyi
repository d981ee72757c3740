import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

def count_chosen(
    start: I64,
    length: I64,
    indices: I32,
    position: I32,
    rows: I32,
    chosen_out: I64,
    num_threads: int,
) -> None: ...
def fill_roots(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    position: I32,
    scale: F64,
    rows: I32,
    root_start: I64,
    columns_out: I32,
    roots_out: F64,
    sums_out: F64,
    squares_out: F64,
    num_threads: int,
) -> None: ...
def multiply_vector(
    root_start: I64,
    columns: I32,
    roots: F64,
    vector: F64,
    product_out: F64,
    num_threads: int,
) -> None: ...
def multiply(
    root_start: I64,
    columns: I32,
    roots: F64,
    factors: F64,
    product_out: F64,
    num_threads: int,
) -> None: ...
def cross_product(factors: F64, cross_out: F64, num_threads: int) -> None: ...
def descend(
    target: F64,
    cross: F64,
    n_topics: int,
    sweeps: int,
    weights: F64,
    num_threads: int,
) -> None: ...
