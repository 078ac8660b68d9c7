# Its functions are for cimport; Python sees their capsules.
__pyx_capi__: dict[str, object]
