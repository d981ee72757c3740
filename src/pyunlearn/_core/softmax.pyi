import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

def probabilities(scores: F64, probabilities_out: F64, num_threads: int) -> None: ...
def curvature(probabilities: F64, change: F64, product_out: F64, num_threads: int) -> None: ...
