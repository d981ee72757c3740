import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

def exponentiated_gradient(
    G: F64,
    gram: F64,
    rows: I32,
    gap_tolerance: float,
    max_iter: int,
    work: F64,
    weights_out: F64,
    gap_out: F64,
    steps_out: I32,
    num_threads: int,
) -> None: ...
