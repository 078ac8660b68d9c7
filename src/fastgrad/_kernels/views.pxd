# Pointers as the memoryviews that cores take, without the interpreter: the view owns nothing, and nothing may keep it.
cdef extern from *:
    """
    #define fastgrad_line(v, p, n) ((v).memview = NULL, (v).data = (char *)(p), (v).shape[0] = (n), \
        (v).strides[0] = (Py_ssize_t)sizeof *(p), (v).suboffsets[0] = -1)
    #define fastgrad_table(v, p, m, n) (fastgrad_line(v, p, m), (v).shape[1] = (n), \
        (v).strides[1] = (v).strides[0], (v).suboffsets[1] = -1, (v).strides[0] *= (n))
    """
    # v becomes p's n entries in a line, or its (m, n) entries in C order
    void line "fastgrad_line"(const double[::1] v, const double* p, Py_ssize_t n) noexcept nogil
    void table "fastgrad_table"(const double[:, ::1] v, const double* p, Py_ssize_t m, Py_ssize_t n) noexcept nogil
