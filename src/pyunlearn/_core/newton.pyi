import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

def factorise(G: F64, factor_out: F64) -> int: ...
def newton_rows(
    G: F64,
    factor: F64,
    gram: F64,
    rows: I32,
    work: F64,
    weights_out: F64,
    num_threads: int,
) -> None: ...
def project_rows(rows_out: F64, work: F64, num_threads: int) -> None: ...
