# The one binary search of the kernels.
from libc.stdint cimport int32_t, int64_t


cdef inline int64_t first_at_least(
    const int32_t* sorted_values, int64_t low, int64_t high, int64_t target
) noexcept nogil:
    """The first position from `low` on, at most `high`, whose value is not below the target."""
    cdef int64_t middle
    while low < high:
        middle = (low + high) >> 1
        if sorted_values[middle] < target:
            low = middle + 1
        else:
            high = middle
    return low
