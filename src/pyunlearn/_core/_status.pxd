# What a kernel returns; pyunlearn.errors turns it into a typed error.
from libc.stdint cimport int64_t

cdef extern from *:
    """
    #define PYUNLEARN_MASS_LIMIT (((int64_t) 1) << 62)
    """
    const int64_t MASS_LIMIT "PYUNLEARN_MASS_LIMIT"

cdef enum Status:
    OK = 0
    OVERFLOW = 1        # a word's mass would reach 2**62
    NOT_IN_MODEL = 2    # a subtraction would make an entry negative
    NOT_CANONICAL = 3   # a row that is not sorted, or has an entry that cannot be
