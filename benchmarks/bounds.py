"""What this machine can do at most: bytes copied, places incremented, numbers multiplied.

Each bound is measured on all cores at once, after one warm-up run, as the best of several runs.
"""

import ctypes
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from benchmarks.report import cores

SOURCE = Path(__file__).with_name("bounds.c")
FLAGS = ["-O3", "-ffp-contract=off", "-shared", "-fPIC"]
RUNS = 5


@cache
def loops() -> ctypes.CDLL:
    """`bounds.c`, compiled with the flags of the kernels."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "bounds.so"
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, *FLAGS, str(SOURCE), "-o", str(library)], check=True)
        loaded = ctypes.CDLL(str(library))
    loaded.multiply_add.restype = ctypes.c_double
    return loaded


def best_on_all_cores(job: Callable[[int], object]) -> float:
    """Seconds of the best run of `job(thread)` in one thread a core."""
    seconds = []
    with ThreadPoolExecutor(cores()) as pool:
        for _ in range(1 + RUNS):
            begin = time.perf_counter()
            list(pool.map(job, range(cores())))
            seconds.append(time.perf_counter() - begin)
    return min(seconds[1:])


def copy_bandwidth(megabytes: int = 256) -> float:
    """Bytes a second, read and written together, of copying arrays that fit no cache."""
    source = np.ones((cores(), megabytes * 2**17))
    target = np.ones_like(source)
    seconds = best_on_all_cores(lambda i: np.copyto(target[i], source[i]))
    return 2 * source.nbytes / seconds


def increments(X: sp.csr_array, repeat: int = 20) -> float:
    """Increments a second of one array a core, at the places where a corpus has its words."""
    columns, counts = X.indices.astype(np.int32), X.data.astype(np.int32)
    places = np.zeros((cores(), X.shape[1]), np.int64)

    def job(thread: int) -> None:
        for _ in range(repeat):
            loops().increment(
                pointer(columns), pointer(counts), ctypes.c_int64(X.nnz), pointer(places[thread])
            )

    return cores() * repeat * X.nnz / best_on_all_cores(job)


def multiply_adds(millions: int = 20) -> float:
    """Multiplications, each with an addition, a second, of numbers in the nearest cache."""
    weights, values = np.ones((256, 16)), np.ones(256)
    n = millions * 10**6 // 16

    def job(thread: int) -> None:
        loops().multiply_add(pointer(weights), pointer(values), ctypes.c_int64(n))

    return cores() * 16 * n / best_on_all_cores(job)


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
