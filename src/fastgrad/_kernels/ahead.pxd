# What is soon read or written is asked for in advance. Processors foresee what will be read where it goes on as it did,
# but not from one array to another, nor what will be written.
cdef extern from *:
    """
    #define FASTGRAD_AHEAD 3072
    #if defined(__GNUC__)
    #define fastgrad_soon_read(a) __builtin_prefetch((const char *)(a) + FASTGRAD_AHEAD)
    #define fastgrad_soon_written(a) __builtin_prefetch((const char *)(a) + FASTGRAD_AHEAD, 1)
    #else
    #define fastgrad_soon_read(a) ((void)(a))
    #define fastgrad_soon_written(a) ((void)(a))
    #endif
    """
    # the line of cache that is so many bytes further on
    void soon_read "fastgrad_soon_read"(const void* a) noexcept nogil
    void soon_written "fastgrad_soon_written"(const void* a) noexcept nogil
