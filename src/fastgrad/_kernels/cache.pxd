# What the loops know of memory.
cdef enum:
    LINE = 64       # bytes in a line of cache
    PAGE = 4096     # bytes in a page of memory
    COLUMNS = 8     # of a Jacobian that are gathered before they are written: a line of doubles a row
