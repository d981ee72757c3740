# The one place that knows whether OpenMP is there. Without it the kernels run on one thread.
cdef extern from *:
    """
    #ifdef _OPENMP
        #include <omp.h>
        #define PYUNLEARN_OPENMP 1
    #else
        #define PYUNLEARN_OPENMP 0
        static inline int omp_get_max_threads(void) { return 1; }
        static inline int omp_get_num_procs(void) { return 1; }
    #endif
    """
    const bint PYUNLEARN_OPENMP
    int omp_get_max_threads() noexcept nogil
    int omp_get_num_procs() noexcept nogil
