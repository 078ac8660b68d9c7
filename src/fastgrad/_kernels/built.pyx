"""How the kernels were built: for which widths of registers, by which compiler and with which flags."""
from fastgrad._kernels.wide cimport FASTGRAD_CHOOSES

cdef extern from *:
    """
    #include "fastgrad_build.h"
    /* The widest level that the processor has, as the loader takes it for a core that comes for several. */
    static const char *fastgrad_widest(void) {
    #if FASTGRAD_CHOOSES
        __builtin_cpu_init();
        if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
        if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
    #endif
        return FASTGRAD_LEVEL;
    }
    """
    const char* FASTGRAD_COMPILER
    const char* FASTGRAD_FLAGS
    const char* FASTGRAD_LEVEL
    const char* widest "fastgrad_widest"() noexcept


def level():
    """Return the name of the level that runs."""
    return widest().decode()


def choices():
    """Return the names of the levels that were built, the narrowest first."""
    return ("baseline", "x86-64-v3", "x86-64-v4") if FASTGRAD_CHOOSES else (FASTGRAD_LEVEL.decode(),)


def compiler():
    """Return the name and the version of the C compiler."""
    return FASTGRAD_COMPILER.decode()


def flags():
    """Return what the C compiler was told."""
    return FASTGRAD_FLAGS.decode()
