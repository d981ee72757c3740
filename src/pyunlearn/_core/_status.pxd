# What a kernel returns; pyunlearn.errors turns it into a typed error.
cdef enum Status:
    OK = 0
    OVERFLOW = 1        # a word's mass would reach 2**62
    NOT_IN_MODEL = 2    # a subtraction would make an entry negative
