"""Functions in machine code, however they come wrapped, measure what the same functions called from Python do."""

import copy
import ctypes
import gc
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import cython_api
from fastgrad._c_signature import COUNT_FIRST, DATA, INT_COUNT, form_of

X = np.array([1.3, -0.7, 0.4, 2.0, 1.1])
SCALAR = {"p": "pn", "np": "np", "pi": "pi", "ip": "ip", "npd": "npd", "pid": "pid", "ipd": "ipd", "scaled": "pnd"}
VECTOR = {"v": "ppnn", "vi": "ppii", "vid": "ppiid", "tridiagonal": "ppnnd"}


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def capsule(name: str) -> Any:
    return cython_api.__pyx_capi__[name]


@pytest.mark.parametrize("name", SCALAR)
def test_each_way_to_take_the_arguments(native: Callable[..., Any], name: str) -> None:
    data = np.array([3.0]) if "d" in SCALAR[name] else None
    f = fg.native.function(native(name, SCALAR[name]), data=data)
    factor = 1.0 if data is None else 3.0
    assert f(X) == pytest.approx(factor * rosenbrock(X), rel=1e-14)
    grad = fg.numerical_gradient(f, X)
    np.testing.assert_allclose(grad, factor * fg.numerical_gradient(rosenbrock, X), rtol=1e-7)
    assert grad.tobytes() == fg.numerical_gradient(lambda x: f(x), X).tobytes()


@pytest.mark.parametrize("name", VECTOR)
@pytest.mark.parametrize("m", [1, 5, 13])
def test_each_way_to_take_the_arguments_of_a_vector_function(native: Callable[..., Any], name: str, m: int) -> None:
    data = np.array([3.0]) if name == "vid" else None
    f = fg.native.vector_function(native(name, VECTOR[name], is_void=True), m, data=data)
    J = fg.numerical_jacobian(f, X)
    assert J.shape == (m, 5)
    assert J[0, 0] == pytest.approx((3.0 if name == "vid" else 1.0) * (3 - 4 * X[0]), rel=1e-8)
    assert J.tobytes() == fg.numerical_jacobian(lambda x: f(x), X).tobytes()


@pytest.mark.parametrize(
    "options",
    [{}, {"order": 8}, {"method": "forward", "order": 3}, {"method": "backward"}, {"eps": "auto"}, {"eps": X**2},
     {"bounds": (X, np.inf)}, {"bounds": (-2, X + 1e-7)}, {"method": "adaptive"}, {"eps": "noise"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_all_methods_have_the_bits_of_calls_from_python(options: dict[str, Any], dtype: Any) -> None:
    x = X.astype(dtype)
    if "bounds" in options and dtype is np.float32:
        options = {"bounds": (x, np.inf)}
    f, g = fg.native.function(capsule("rosenbrock")), fg.native.vector_function(capsule("broyden"), 5)
    grad = fg.numerical_gradient(f, x, **options)
    assert grad.dtype == dtype
    assert grad.tobytes() == fg.numerical_gradient(lambda x: f(x), x, **options).tobytes()
    J = fg.numerical_jacobian(g, x, **options)
    assert J.tobytes() == fg.numerical_jacobian(lambda x: g(x), x, **options).tobytes()


def test_shapes_and_places_of_x_and_of_the_result() -> None:
    f = fg.native.function(capsule("rosenbrock"))
    x = np.arange(12.0).reshape(3, 4)[:, ::-1] / 7
    out = np.empty((3, 4))
    assert fg.numerical_gradient(f, x, out=out) is out
    np.testing.assert_array_equal(out.reshape(-1), fg.numerical_gradient(f, x.reshape(-1)))
    g = fg.native.vector_function(capsule("broyden"), 12)
    assert fg.numerical_jacobian(g, x).shape == (12, 3, 4)
    assert fg.numerical_gradient(f, np.empty(0)).shape == (0,)
    assert fg.numerical_jacobian(fg.native.vector_function(capsule("broyden"), 1), 2.0).shape == (1,)
    assert isinstance(fg.numerical_gradient(f, 2.0), np.float64)


def test_details_and_checks() -> None:
    f = fg.native.function(capsule("rosenbrock"))
    found = fg.numerical_gradient(f, X, details=True)
    assert found.value.tobytes() == fg.numerical_gradient(f, X).tobytes()
    assert fg.gradient_check(f, found.value, X).calls == 10
    wrong = found.value * [1, 1, 2, 1, 1]
    worst = fg.gradient_check(f, wrong, X).worst
    assert worst is not None
    assert worst.name == "x[2]"
    assert not fg.gradient_check(f, wrong, X, indices=[2])


def test_non_finite_values_go_where_they_belong_or_to_the_other_side(native: Callable[..., Any]) -> None:
    f = fg.native.function(capsule("rosenbrock"))
    assert np.isnan(fg.numerical_gradient(f, np.array([1.0, np.nan, 1.0]))).all()
    huge = np.array([1e154, 1.0])
    assert np.isnan(fg.numerical_gradient(f, huge, eps=1e140)[0])


def test_values_that_are_not_written_are_undefined(native: Callable[..., Any]) -> None:
    f = fg.native.vector_function(native("leaves_out", "ppnnd", is_void=True), 2)
    for J in (fg.numerical_jacobian(f, X), fg.numerical_jacobian(lambda x: f(x), X)):
        assert J[0, 0] == pytest.approx(2.0)
        assert np.isnan(J[1]).all()


def test_a_low_level_callable_brings_its_data(native: Callable[..., Any]) -> None:
    scipy = pytest.importorskip("scipy")
    weight = ctypes.c_double(4.0)
    data = ctypes.cast(ctypes.pointer(weight), ctypes.c_void_p)
    f = fg.native.function(scipy.LowLevelCallable(native("scaled"), data))
    assert f(X) == pytest.approx(4 * rosenbrock(X), rel=1e-14)
    f = fg.native.function(scipy.LowLevelCallable(native("ip", "ip")))
    np.testing.assert_allclose(fg.numerical_gradient(f, X), fg.numerical_gradient(rosenbrock, X), rtol=1e-7)
    f = fg.native.function(scipy.LowLevelCallable.from_cython(cython_api, "rosenbrock"))
    assert f(X) == pytest.approx(rosenbrock(X), rel=1e-14)
    f = fg.native.function(scipy.LowLevelCallable(capsule("rosenbrock")))
    assert f.signature == "double (double const *, Py_ssize_t, void *)"


def test_numba() -> None:
    numba = pytest.importorskip("numba")
    types = numba.types

    @numba.cfunc(types.float64(types.CPointer(types.float64), types.intp, types.voidptr))  # type: ignore[untyped-decorator]
    def norm2(x: Any, n: int, data: Any) -> float:
        total = 0.0
        for i in range(n):
            total += x[i] ** 2
        return total

    @numba.cfunc(types.void(*[types.CPointer(types.float64)] * 2, types.intp, types.intp))  # type: ignore[untyped-decorator]
    def squares(x: Any, y: Any, n: int, m: int) -> None:
        for i in range(m):
            y[i] = x[i] ** 2

    np.testing.assert_allclose(fg.numerical_gradient(fg.native.function(norm2), X), 2 * X, rtol=1e-8)
    np.testing.assert_allclose(
        fg.numerical_jacobian(fg.native.vector_function(squares, 5), X), np.diag(2 * X), rtol=1e-8
    )
    with pytest.raises(TypeError, match=r"numba\.cfunc"):
        fg.native.function(numba.njit(lambda x: x))


def test_cffi(native_library: ctypes.CDLL) -> None:
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()
    ffi.cdef(
        "double scaled(const double *, intptr_t, void *); double rosenbrock(const double *, float, void *);"
        "void v(const double *, double *, intptr_t, intptr_t);"
    )
    library = ffi.dlopen(native_library._name)
    f = fg.native.function(library.scaled, data=ffi.new("double *", 5.0))
    gc.collect()
    assert f(X) == pytest.approx(5 * rosenbrock(X), rel=1e-14)
    assert fg.numerical_jacobian(fg.native.vector_function(library.v, 5), X)[0, 1] == pytest.approx(-2)
    with pytest.raises(TypeError, match="float"):
        fg.native.function(library.rosenbrock)
    with pytest.raises(TypeError, match="Python function"):
        fg.native.function(ffi.callback("double(double *, intptr_t)", lambda x, n: 0.0))


def test_an_address_has_the_signature_that_is_given(native: Callable[..., Any]) -> None:
    address = ctypes.cast(native("rosenbrock"), ctypes.c_void_p).value
    f = fg.native.function(address, signature="double (double *, intptr_t, void *)")
    assert f(X) == pytest.approx(rosenbrock(X), rel=1e-14)
    with pytest.raises(TypeError, match="needs a signature"):
        fg.native.function(address)
    with pytest.raises(TypeError, match="must not be 0"):
        fg.native.function(0, signature="double (double *, intptr_t)")
    with pytest.raises(TypeError, match="knows its own"):
        fg.native.function(native("rosenbrock"), signature="double (double *, intptr_t)")


@pytest.mark.parametrize(
    ("signature", "form"),
    [
        ("double f(const double *x, intptr_t n, void *data)", DATA),
        ("double (double const *, Py_ssize_t)", 0),
        ("double(*)(double *, ssize_t, void*)", DATA),
        ("double f(size_t n, const double x[], void *data)", COUNT_FIRST | DATA),
        ("  double   g ( int , double* ) noexcept nogil", COUNT_FIRST | INT_COUNT),
        ("double (double * restrict x, int32_t n)", INT_COUNT),
    ],
)
def test_signatures_that_are_taken(signature: str, form: int) -> None:
    assert form_of(signature, is_scalar=True) == form


@pytest.mark.parametrize(
    "signature",
    ["", "double", "double ()", "double (double)", "double (double, int)", "float (float *, int)", "double (double *)",
     "double * (double *, int)", "double *f(double *, int)", "long double (double *, int)", "double (double **, int)",
     "double (double *, short)", "double (double *, void *, int)", "double (double *, int, int)",
     "void (double *, int)",
     "double (double *, int, void **)", "double (struct point *, int)", "double (double *, int, double *)",
     "double (void *, int, void *)", "double (double *, float)", "double (double *, int, ...)"],
)  # fmt: skip
def test_signatures_that_are_refused(signature: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        form_of(signature, is_scalar=True)


@pytest.mark.parametrize(
    "signature", ["void (double *, double *, int, intptr_t)", "void (double *, double *, int)", "void (double *, int)",
                  "double (double *, double *, int, int)", "void (int, double *, int, double *)"],
)  # fmt: skip
def test_vector_signatures_that_are_refused(signature: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        form_of(signature, is_scalar=False)


def test_a_wrong_signature_is_told_with_the_right_one(native: Callable[..., Any]) -> None:
    with pytest.raises(
        TypeError, match=r"CFunctionType|_FuncPtr.*'double \(double \*, int64_t, int32_t\)'.*void \*data"
    ):
        fg.native.function(native("rosenbrock", "pni"))
    with pytest.raises(TypeError, match="double \\*y"):
        fg.native.vector_function(capsule("rosenbrock"), 2)
    with pytest.raises(TypeError, match="intptr_t n, void"):
        fg.native.function(capsule("broyden"))


def test_what_is_no_function_in_machine_code_is_refused(native_library: ctypes.CDLL) -> None:
    with pytest.raises(TypeError, match="set its argtypes"):
        fg.native.function(native_library["rosenbrock"])
    kind = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.POINTER(ctypes.c_double), ctypes.c_ssize_t)
    with pytest.raises(TypeError, match="needs the interpreter"):
        fg.native.function(kind(lambda x, n: 0.0))
    for thing in (rosenbrock, "rosenbrock", None, 1.5, True):
        with pytest.raises(TypeError, match="got"):
            fg.native.function(thing)
    with pytest.raises(TypeError, match="null"):
        fg.native.function(kind(0))
    for m in (0, -1):
        with pytest.raises(ValueError, match="at least 1"):
            fg.native.vector_function(capsule("broyden"), m)


def test_more_values_than_an_int_counts_are_refused_where_it_is_to_count_them(native: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="takes m as an int, which cannot be 2147483648"):
        fg.native.vector_function(native("vi", VECTOR["vi"], is_void=True), 2**31)
    assert fg.native.vector_function(capsule("broyden"), 2**31).m == 2**31


def test_data_are_pointers_and_are_kept_alive(native: Callable[..., Any]) -> None:
    class Weight(ctypes.Structure):
        _fields_ = (("w", ctypes.c_double),)

    makers: list[Callable[[], Any]] = [
        lambda: np.array([6.0]), lambda: ctypes.c_double(6.0), lambda: (ctypes.c_double * 1)(6.0), lambda: Weight(6.0),
        lambda: ctypes.pointer(ctypes.c_double(6.0)),
    ]  # fmt: skip
    made = [fg.native.function(native("scaled"), data=maker()) for maker in makers]
    gc.collect()
    junk = [np.full(1, k) for k in range(1000)]
    assert [f(X) / rosenbrock(X) for f in made] == pytest.approx([6.0] * len(made))
    assert len(junk) == 1000
    for wrong in (1.5, "w", object(), True):
        with pytest.raises(TypeError, match="data must be"):
            fg.native.function(native("scaled"), data=wrong)
    with pytest.raises(TypeError, match="C-contiguous"):
        fg.native.function(native("scaled"), data=np.ones(6)[::2])


def test_it_is_frozen_and_stays_in_its_process() -> None:
    f = fg.native.vector_function(capsule("broyden"), 3)
    for name in ("address", "m"):
        with pytest.raises(AttributeError):
            setattr(f, name, 1)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(f)
    with pytest.raises(TypeError, match="cannot be pickled"):
        copy.copy(f)
    assert "void (double const *" in repr(f)


def test_workers_are_a_number_of_threads_for_native_callables() -> None:
    f = fg.native.function(capsule("rosenbrock"))
    g = fg.native.vector_function(capsule("broyden"), len(X))
    verbs: list[Any] = [lambda **k: fg.numerical_gradient(f, X, **k), lambda **k: fg.numerical_jacobian(g, X, **k)]
    for verb in verbs:
        for wrong in (0, -2):
            with pytest.raises(ValueError, match=f"positive number of threads, or -1 for one a processor; got {wrong}"):
                verb(workers=wrong)
        with pytest.raises(TypeError, match="workers must be a number of processes"):
            verb(workers=True)
        for workers in (2, -1, np.int64(2), np.array(2)):
            np.testing.assert_array_equal(verb(workers=workers), verb())


@pytest.mark.parametrize("m", [2.5, "3", None])
def test_the_number_of_values_is_an_integer(m: Any) -> None:
    with pytest.raises(TypeError, match="m, the number of values, must be an integer; got "):
        fg.native.vector_function(capsule("broyden"), m)
