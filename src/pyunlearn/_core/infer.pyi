import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

def proportions(
    document_start: I64,
    columns: I32,
    counts: I32,
    A: F64,
    tolerance: float,
    max_iter: int,
    work: F64,
    theta_out: F64,
    steps_out: I32,
    num_threads: int,
) -> None: ...
