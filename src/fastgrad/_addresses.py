"""The address, the signature and the data of whatever a function in machine code comes wrapped in."""

import ctypes
import sys
from _ctypes import CFuncPtr
from typing import Any, NamedTuple

_PYTHON_API = 4  # FUNCFLAG_PYTHONAPI of ctypes: the function wants the interpreter's lock
_INTEGERS = {8: "int64_t", 4: "int32_t"}
_api = ctypes.pythonapi


class Address(NamedTuple):
    """Where a function is, its C signature, its data, and what must live as long as it is called."""

    address: int
    signature: str
    data: int
    kept: tuple[Any, ...]


def locate(f: Any, data: Any, signature: str | None) -> Address:
    """Return the address of f with all that belongs to it.

    Parameters
    ----------
    f : object
        A `scipy.LowLevelCallable`, `numba.cfunc`, ctypes or cffi function pointer, PyCapsule, or an integer.
    data : object
        None, an integer, an array, or a pointer of ctypes or cffi; a LowLevelCallable and a capsule bring their own.
    signature : str, optional
        Of an integer, which does not know its own.

    Raises
    ------
    TypeError
        If f is nothing of the kind, wants the interpreter or does not tell its signature, or data is no pointer.
    """
    if isinstance(f, int) and not isinstance(f, bool):
        if f <= 0 or signature is None:
            raise TypeError(f"an address needs a signature, and must not be 0; got {f:#x} and {signature!r}.")
        found = Address(f, signature, 0, ())
    else:
        if signature is not None:
            raise TypeError("signature is for a bare address: anything else knows its own, which is what counts.")
        found = _located(f)
    if data is None:
        return found
    pointer, kept = _pointer(data)
    return found._replace(data=pointer, kept=(*found.kept, kept))


def _located(f: Any) -> Address:
    if _is_low_level_callable(f):
        found = _located(f.function)
        if f.user_data is None:
            return found._replace(kept=(f, *found.kept))
        return found._replace(data=_pointer(f.user_data)[0], kept=(f, *found.kept))
    if type(f).__name__ == "PyCapsule":
        return _of_capsule(f)
    if isinstance(f, CFuncPtr):
        return _of_ctypes(f)
    if type(f).__module__ == "_cffi_backend":
        return _of_cffi(f)
    wrapped = getattr(f, "ctypes", None)  # a numba.cfunc
    if isinstance(wrapped, CFuncPtr):
        return _of_ctypes(wrapped)._replace(kept=(f, wrapped))
    hint = " Compile it with numba.cfunc, or" if callable(f) else " It is not callable:"
    raise TypeError(
        f"a native callable is made of a scipy.LowLevelCallable, numba.cfunc, ctypes or cffi function pointer or "
        f"PyCapsule; got {type(f).__name__}.{hint} pass a Python function to the verbs as it is."
    )


def _is_low_level_callable(f: Any) -> bool:
    kind = getattr(sys.modules.get("scipy._lib._ccallback"), "LowLevelCallable", None)  # who has one has loaded it
    return kind is not None and isinstance(f, kind)


def _of_capsule(capsule: Any) -> Address:
    name = _capsule("PyCapsule_GetName", ctypes.c_char_p)(capsule)
    if name is None:
        raise TypeError("the PyCapsule has no name, which must be the signature of the function.")
    address = _capsule("PyCapsule_GetPointer", ctypes.c_void_p, ctypes.c_char_p)(capsule, name)
    data = _capsule("PyCapsule_GetContext", ctypes.c_void_p)(capsule)
    return Address(address, name.decode(), data or 0, (capsule,))


def _capsule(name: str, returned: Any, *more: Any) -> Any:
    return ctypes.PYFUNCTYPE(returned, ctypes.py_object, *more)((name, _api))


def _of_ctypes(f: Any) -> Address:
    if f.argtypes is None:
        raise TypeError(
            "the ctypes function does not tell its signature: set its argtypes, as "
            "(ctypes.POINTER(ctypes.c_double), ctypes.c_ssize_t, ctypes.c_void_p), and its restype."
        )
    kept = f._objects if isinstance(f._objects, dict) else {}
    if f._flags_ & _PYTHON_API or any(type(owner).__name__ == "CThunkObject" for owner in kept.values()):
        raise TypeError("the ctypes function needs the interpreter, as Python functions do: pass those as they are.")
    arguments = ", ".join(_c_name(kind) for kind in f.argtypes)
    address = ctypes.cast(f, ctypes.c_void_p).value
    if not address:
        raise TypeError("the ctypes function is a null pointer.")
    return Address(address, f"{_c_name(f.restype)} ({arguments})", 0, (f,))


def _c_name(kind: Any) -> str:
    """Return the name in C of a ctypes type."""
    if kind is None:
        return "void"
    if kind is ctypes.c_double:
        return "double"
    if kind is ctypes.POINTER(ctypes.c_double) or str(getattr(kind, "_dtype_", "")) == "float64":
        return "double *"
    if kind is ctypes.c_void_p:
        return "void *"
    if getattr(kind, "_type_", "") in tuple("ilqILQ"):
        return _INTEGERS[ctypes.sizeof(kind)]
    return str(kind.__name__)


def _of_cffi(f: Any) -> Address:
    import _cffi_backend as cffi

    if not isinstance(f, cffi.FFI.CData):
        raise TypeError("a function of a cffi library in API mode is passed as a pointer: ffi.addressof(lib, 'name').")
    kind = cffi.typeof(f)
    if kind.kind != "function" or kind.ellipsis:
        raise TypeError(f"a cffi function pointer is expected, got {kind.cname!r}.")
    if " calling " in repr(f):
        raise TypeError("the cffi callback is a Python function: pass that as it is.")
    arguments = ", ".join(argument.cname for argument in kind.args)
    address = int(cffi.cast(cffi.new_primitive_type("uintptr_t"), f))
    return Address(address, f"{kind.result.cname} ({arguments})", 0, (f,))


def _pointer(data: Any) -> tuple[int, Any]:
    """Return the address that data are passed as, and what keeps them alive."""
    if isinstance(data, int) and not isinstance(data, bool):
        return data, None
    if type(data).__name__ == "PyCapsule":
        name = _capsule("PyCapsule_GetName", ctypes.c_char_p)(data)
        return _capsule("PyCapsule_GetPointer", ctypes.c_void_p, ctypes.c_char_p)(data, name), data
    if type(data).__module__ == "_cffi_backend":
        import _cffi_backend as cffi

        if cffi.typeof(data).kind in ("pointer", "array"):
            return int(cffi.cast(cffi.new_primitive_type("uintptr_t"), data)), data
    elif hasattr(data, "__array_interface__"):
        if not data.flags.c_contiguous:
            raise TypeError("data given as an array must be C-contiguous: f sees an address and no strides.")
        return data.ctypes.data, data
    elif isinstance(data, ctypes.c_void_p):
        return data.value or 0, data
    elif isinstance(data, ctypes._Pointer):
        return ctypes.cast(data, ctypes.c_void_p).value or 0, data
    elif isinstance(data, ctypes.Structure | ctypes.Array | ctypes._SimpleCData):
        return ctypes.addressof(data), data
    raise TypeError(
        f"data must be None, an address, an array, or a pointer of ctypes or cffi; got {type(data).__name__}."
    )
