import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

SINGLE_COLUMNS: int

def pack(right: F64, panels_out: F64, num_threads: int) -> None: ...
def multiply(left: F64, panels: F64, product_out: F64, num_threads: int) -> None: ...
def multiply_single(left: F32, panels: F32, product_out: F32, num_threads: int) -> None: ...
def multiply_wide(left: F32, panels: F64, product_out: F64, num_threads: int) -> None: ...
def multiply_each(matrices: F64, vectors: F64, product_out: F64) -> None: ...
def document_means(
    document_start: I64,
    columns: I32,
    counts: I32,
    rows: F64,
    means_out: F64,
    num_threads: int,
) -> None: ...
