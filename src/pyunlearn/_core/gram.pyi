import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

ROWS_TOGETHER: int

def gram_column(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    mass: I64,
    rows: I32,
    anchor_row: F64,
    column_out: F64,
    num_threads: int,
) -> None: ...
def gram_rows(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    mass: I64,
    rows: I32,
    anchor_rows: F64,
    work: F64,
    gram_out: F64,
    num_threads: int,
) -> None: ...
