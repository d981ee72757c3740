"""Whether OpenMP is in, and how many threads a call may use."""
cimport pyunlearn._core._portable
from pyunlearn._core._openmp cimport PYUNLEARN_OPENMP, omp_get_max_threads, omp_get_num_procs


def openmp_enabled():
    """Whether the kernels were built with OpenMP."""
    return bool(PYUNLEARN_OPENMP)


def effective_num_threads():
    """Threads used when nothing is asked for: the processors at hand, at most OMP_NUM_THREADS."""
    return max(1, min(omp_get_max_threads(), omp_get_num_procs()))
