# How many hold an object, and whether that can be relied upon.
cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(object o)

cdef extern from *:
    """
    #ifdef Py_GIL_DISABLED
    #define FASTGRAD_COUNTS_ARE_EXACT 0
    #else
    #define FASTGRAD_COUNTS_ARE_EXACT 1
    #endif
    """
    const bint FASTGRAD_COUNTS_ARE_EXACT
