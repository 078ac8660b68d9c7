# A core declared with one of these result types is compiled once for each register width (SSE2, AVX2, AVX-512) where
# gcc and glibc can choose at load time, and once otherwise. The function returns what stands behind the underscore. An
# inline function with `part_int` becomes part of every core that calls it: by itself it would have the narrowest registers.
cdef extern from *:
    """
    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__) \
        && !defined(FASTGRAD_ONE_LEVEL)
    #define FASTGRAD_WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
    #define FASTGRAD_CHOOSES 1
    #else
    #define FASTGRAD_WIDE
    #define FASTGRAD_CHOOSES 0
    #endif
    #if defined(__GNUC__)
    #define part_int __attribute__((always_inline)) int
    #else
    #define part_int int
    #endif
    #define wide_int FASTGRAD_WIDE int
    #define wide_double FASTGRAD_WIDE double
    """
    ctypedef int part_int
    ctypedef int wide_int
    ctypedef double wide_double
    const bint FASTGRAD_CHOOSES

ctypedef fused real:
    float
    double
