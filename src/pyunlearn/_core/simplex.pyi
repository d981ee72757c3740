import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

def active_set(
    G: F64,
    gram: F64,
    rows: I32,
    tolerance: float,
    warm: bool,
    weight_margin: float,
    gradient_margin: float,
    work: F64,
    support: I32,
    blocked: U8,
    weights_out: F64,
    steps_out: I32,
    num_threads: int,
) -> None: ...
