import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

def kept_mass(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    keep: U8,
    rows: I32,
    mass_out: I64,
    num_threads: int,
) -> None: ...
def squared_norms(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    keep: U8,
    all_kept: bool,
    mass: I64,
    rows: I32,
    norms_out: F64,
    num_threads: int,
) -> None: ...
def scatter_row(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    keep: U8,
    mass: int,
    word: int,
    row_out: F64,
) -> None: ...
def cholesky_step(
    gram: F64,
    anchor: int,
    topic: int,
    pivot: float,
    factor_out: F64,
    residual_out: F64,
    num_threads: int,
) -> None: ...
def follow_pivots(
    gram: F64,
    norms: F64,
    words: I32,
    rows: I32,
    anchors: I32,
    anchor_positions: I32,
    pivots: F64,
    n_steps: int,
    factor_out: F64,
    wins_out: I32,
    num_threads: int,
) -> None: ...
