# How much a loop does between two looks for Ctrl-C.
cdef enum:
    SPAN = 1 << 24    # numbers that are read, or terms that are formed: some 20 ms at most, wherever they lie
