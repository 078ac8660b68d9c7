# Eight doubles that are added and multiplied side by side, whatever the width of the registers: a sum formed in them has
# the same bits everywhere. (Left to itself the compiler keeps several accumulators apart, one addition at a time.) A
# compiler without vector types gets a plain struct: the same bits, less speed. With gcc they are two vectors of four: one
# of eight, where registers hold four, is kept in memory, and every addition waits for a store.
from fastgrad._kernels.wide cimport real

cdef extern from *:
    """
    #include <string.h>
    #if defined(__GNUC__)
    #define FASTGRAD_INLINE static inline __attribute__((always_inline))
    typedef double fastgrad_half __attribute__((vector_size(32)));
    typedef double fastgrad_quarter __attribute__((vector_size(16)));
    typedef float fastgrad_narrow __attribute__((vector_size(16)));
    typedef fastgrad_half fastgrad_half_at __attribute__((aligned(8), may_alias));
    typedef fastgrad_narrow fastgrad_narrow_at __attribute__((aligned(4), may_alias));
    typedef struct { fastgrad_half low, high; } fastgrad_lanes;
    FASTGRAD_INLINE void fastgrad_load_doubles(fastgrad_lanes *s, const double *a) {
        s->low = *(const fastgrad_half_at *)a;
        s->high = *(const fastgrad_half_at *)(a + 4);
    }
    FASTGRAD_INLINE void fastgrad_load_floats(fastgrad_lanes *s, const float *a) {
        s->low = __builtin_convertvector(*(const fastgrad_narrow_at *)a, fastgrad_half);
        s->high = __builtin_convertvector(*(const fastgrad_narrow_at *)(a + 4), fastgrad_half);
    }
    FASTGRAD_INLINE void fastgrad_fill(fastgrad_lanes *s, double c) { s->low = s->high = (fastgrad_half){c, c, c, c}; }
    FASTGRAD_INLINE void fastgrad_spread(fastgrad_lanes *s, const fastgrad_lanes *t, int k) {
        fastgrad_fill(s, k < 4 ? t->low[k] : t->high[k - 4]);
    }
    FASTGRAD_INLINE void fastgrad_multiply(fastgrad_lanes *s, const fastgrad_lanes *t) {
        s->low *= t->low;
        s->high *= t->high;
    }
    FASTGRAD_INLINE void fastgrad_add(fastgrad_lanes *s, const fastgrad_lanes *t) {
        s->low += t->low;
        s->high += t->high;
    }
    FASTGRAD_INLINE void fastgrad_subtract(fastgrad_lanes *s, const fastgrad_lanes *t) {
        s->low -= t->low;
        s->high -= t->high;
    }
    FASTGRAD_INLINE void fastgrad_add_product(fastgrad_lanes *s, const fastgrad_lanes *t, const fastgrad_lanes *u) {
        s->low += t->low * u->low;
        s->high += t->high * u->high;
    }
    FASTGRAD_INLINE void fastgrad_store(double *a, const fastgrad_lanes *s) {
        *(fastgrad_half_at *)a = s->low;
        *(fastgrad_half_at *)(a + 4) = s->high;
    }
    FASTGRAD_INLINE void fastgrad_store_floats(float *a, const fastgrad_lanes *s) {
        *(fastgrad_narrow_at *)a = __builtin_convertvector(s->low, fastgrad_narrow);
        *(fastgrad_narrow_at *)(a + 4) = __builtin_convertvector(s->high, fastgrad_narrow);
    }
    FASTGRAD_INLINE double fastgrad_total(const fastgrad_lanes *s) {
        const fastgrad_half sum = s->low + s->high;
        const fastgrad_quarter four = (fastgrad_quarter){sum[0], sum[1]} + (fastgrad_quarter){sum[2], sum[3]};
        return four[0] + four[1];
    }
    #else
    #define FASTGRAD_INLINE static inline
    #define FASTGRAD_EACH for (int k = 0; k < 8; k++)
    typedef struct { double at[8]; } fastgrad_lanes;
    FASTGRAD_INLINE void fastgrad_load_doubles(fastgrad_lanes *s, const double *a) { memcpy(s, a, sizeof *s); }
    FASTGRAD_INLINE void fastgrad_load_floats(fastgrad_lanes *s, const float *a) { FASTGRAD_EACH s->at[k] = a[k]; }
    FASTGRAD_INLINE void fastgrad_fill(fastgrad_lanes *s, double c) { FASTGRAD_EACH s->at[k] = c; }
    FASTGRAD_INLINE void fastgrad_spread(fastgrad_lanes *s, const fastgrad_lanes *t, int lane) {
        const double c = t->at[lane];
        FASTGRAD_EACH s->at[k] = c;
    }
    FASTGRAD_INLINE void fastgrad_multiply(fastgrad_lanes *s, const fastgrad_lanes *t) {
        FASTGRAD_EACH s->at[k] *= t->at[k];
    }
    FASTGRAD_INLINE void fastgrad_add(fastgrad_lanes *s, const fastgrad_lanes *t) { FASTGRAD_EACH s->at[k] += t->at[k]; }
    FASTGRAD_INLINE void fastgrad_subtract(fastgrad_lanes *s, const fastgrad_lanes *t) {
        FASTGRAD_EACH s->at[k] -= t->at[k];
    }
    FASTGRAD_INLINE void fastgrad_add_product(fastgrad_lanes *s, const fastgrad_lanes *t, const fastgrad_lanes *u) {
        FASTGRAD_EACH s->at[k] += t->at[k] * u->at[k];
    }
    FASTGRAD_INLINE double fastgrad_total(const fastgrad_lanes *s) {
        const double *a = s->at;
        return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
    }
    FASTGRAD_INLINE void fastgrad_store(double *a, const fastgrad_lanes *s) { memcpy(a, s, sizeof *s); }
    FASTGRAD_INLINE void fastgrad_store_floats(float *a, const fastgrad_lanes *s) { FASTGRAD_EACH a[k] = (float)s->at[k]; }
    #endif
    """
    ctypedef struct lanes "fastgrad_lanes":
        pass
    void load_doubles "fastgrad_load_doubles"(lanes* s, const double* a) noexcept nogil
    void load_floats "fastgrad_load_floats"(lanes* s, const float* a) noexcept nogil
    void fill "fastgrad_fill"(lanes* s, double c) noexcept nogil
    void spread "fastgrad_spread"(lanes* s, const lanes* t, int k) noexcept nogil    # s = t[k], in all eight
    void multiply "fastgrad_multiply"(lanes* s, const lanes* t) noexcept nogil
    void add "fastgrad_add"(lanes* s, const lanes* t) noexcept nogil
    void subtract "fastgrad_subtract"(lanes* s, const lanes* t) noexcept nogil
    void add_product "fastgrad_add_product"(lanes* s, const lanes* t, const lanes* u) noexcept nogil
    void store "fastgrad_store"(double* a, const lanes* s) noexcept nogil
    void store_floats "fastgrad_store_floats"(float* a, const lanes* s) noexcept nogil
    double total "fastgrad_total"(const lanes* s) noexcept nogil


cdef inline void load(lanes* s, const real* a) noexcept nogil:
    if real is double:
        load_doubles(s, a)
    else:
        load_floats(s, a)


# The same of either dtype, rounded where that is float.
cdef inline void save(real* a, const lanes* s) noexcept nogil:
    if real is double:
        store(a, s)
    else:
        store_floats(a, s)
