"""Imports point down only, and no file knows what it may not know. The tables below are the house."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "fastgrad"

#: From top to bottom, and within a row from left to right: a file imports only what stands behind it.
ROWS = {
    "skin": "__main__ _cli _cli_bench _cli_check _exit_codes _demo plot _landscape_picture _pattern_picture",
    "bench": (
        "_bench.command _bench.opaque _bench.layers _bench.outer _bench.least_squares _bench.sparse _bench.picture "
        "_bench.tables _bench.record _bench.rows _bench.timing _bench.machine"
    ),
    "judge": (
        "testing _replay _matrix_check.check _matrix_check.dense "
        "_matrix_check.sparse _matrix_check.colored_check _matrix_check.colored_recheck "
        "_matrix_check.judgement _matrix_check.forgotten _matrix_check.stored _matrix_check.claim "
        "_matrix_check.recheck _layer_check.check _layer_check.outputs _layer_check.calls _layer_check.parameters "
        "_layer_check.result _check _elsewhere _judge.ordinary _modes "
        "_search.search _search.sample _search.norm _search.rows _search.looks "
        "_search.decode _search.found _search.calibration _search.line _search.projections _diagnosis.stale "
        "_judge.structured _judge.passing _judge.witness _judge.shown_by_rows _judge.shown _judge.unmoved "
        "_judge.verdict _judge.summary "
        "_diagnosis.diagnosis _diagnosis.precision _diagnosis.suppositions _diagnosis.rearranged _diagnosis.totals "
        "_diagnosis.regions _diagnosis.words _diagnosis.evidence _judge.recheck _judge.recheck_structured _judge.probe "
        "_judge.claim _judge.tolerance _weight_check _result _outcome _report.serial _report.html _report.svg "
        "_report.text _report.picture _drawing _report.pictured"
    ),
    "use": (
        "losses _losses.linear _losses.two_layer _losses.named _losses.input_moves _losses.parts _losses.criteria "
        "layers _weight_gradient _least_squares"
    ),
    "verbs": "_plan _products _vjp _hessian _gradient _jacobian _derivative _one_sided",
    "notions": (
        "_ahead _colored.product _colored.jacobian _colored.hessian _colored.bars _colored.adaptive "
        "_colored.complex _calls _foreseen _parts _stacks _colored.symmetry _colored.missing_entries "
        "_colored.compression _colored.forms _colored.reader _two_steps _pairings _direction _adaptive.pairs "
        "_complex.plane _complex.step _complex.cauchy_riemann _complex.surroundings _complex.holomorphic _noise.choice "
        "sparsity sparsity._detection sparsity._verification sparsity._color sparsity._bicoloring sparsity._greedy "
        "sparsity._coloring sparsity._orders sparsity._makers sparsity._pattern _stencils.guarded _loops native _rows "
        "_addresses _c_signature _spans _stencils.entries _stencils.structured_bars _adaptive.entries _around "
        "_stencils.bars _adaptive.method _adaptive.step_search _adaptive.line _adaptive.extrapolation "
        "_stencils.scheme steps _noise.steps _noise.neighbourhood _noise.measurement _noise.precision _bounds "
        "_stencils.table sparsity._caller _point"
    ),
    "switch": "_backend",
    "engine": "cython_api _kernels reference",
    "side": "problems",
    "ground": (
        "_layer_check.names _workers _layer_check.object_state _seeds _tree _containers _regression _curvature "
        "_choices _formats _worst _complex.reading _progress _progress_bar _stack_reading _reading _layer_arrays "
        "_arrays _runs _errors _estimates _budget _typing _blas _later _threads"
    ),
}
ORDER = ["__init__", *" ".join(ROWS.values()).split()]
GROUND = set(ROWS["ground"].split())

#: Files that may import less than the order allows: whose they are, whom they may know, and why.
FENCES = {
    "_gradient": (
        GROUND
        | {
            "_backend",
            "_loops",
            "_rows",
            "steps",
            "_point",
            "_stencils.scheme",
            "_adaptive.entries",
            "_complex.plane",
            "_stencils.guarded",
            "_parts",
            "_stacks",
            "_noise.choice",
            "_stencils.entries",
            "_stencils.structured_bars",
        },
        "verbs do not know each other's insides",
    ),
    "_jacobian": (
        GROUND
        | {
            "_loops",
            "steps",
            "_point",
            "_stencils.scheme",
            "_adaptive.entries",
            "_complex.plane",
            "_stencils.guarded",
            "_parts",
            "_stacks",
            "_calls",
            "_colored.jacobian",
            "_noise.choice",
            "_stencils.entries",
        },
        "verbs do not know each other's insides",
    ),
    "_diagnosis.diagnosis": (
        GROUND
        | {
            "_diagnosis.precision",
            "_diagnosis.suppositions",
            "_diagnosis.rearranged",
            "_diagnosis.totals",
            "_diagnosis.regions",
            "_diagnosis.words",
            "_diagnosis.evidence",
        },
        "a diagnosis sees numbers, and calls nothing",
    ),
    "_diagnosis.evidence": (GROUND, "a diagnosis sees numbers, and calls nothing"),
    "_result": (
        GROUND | {"_outcome", "_report.html", "_report.serial", "_report.text", "_report.picture", "_report.pictured"},
        "a result does not know how it was computed",
    ),
    "_report.html": (GROUND | {"_report.text", "_report.svg"}, "a report does not know how its data were computed"),
    "_report.svg": (GROUND | {"_report.pictured"}, "a report does not know how its data were computed"),
    "_report.picture": (GROUND | {"_drawing", "_report.pictured"}, "a report does not know how its data were computed"),
    "_report.text": (GROUND, "a report does not know how its data were computed"),
    "_adaptive.method": (
        {"_adaptive.step_search", "_adaptive.line", "_adaptive.extrapolation"},
        "the adaptive method knows numbers, not arrays",
    ),
    "_adaptive.step_search": (
        {"_adaptive.line", "_adaptive.extrapolation"},
        "the adaptive method knows numbers, not arrays",
    ),
    "_adaptive.line": (
        {"_adaptive.extrapolation", "_errors", "_noise.precision"},
        "the adaptive method knows numbers, not arrays",
    ),
    "_adaptive.extrapolation": (set(), "the adaptive method knows numbers, not arrays"),
    "sparsity._coloring": (GROUND | {"_backend", "sparsity._pattern"}, "patterns and colours know no f and no step"),
    "sparsity._color": (
        GROUND | {"sparsity._bicoloring", "sparsity._greedy", "sparsity._coloring", "sparsity._makers"},
        "patterns and colours know no f and no step",
    ),
    "sparsity._pattern": (GROUND | {"_backend"}, "patterns and colours know no f and no step"),
    "_point": (GROUND, "a point knows no derivative"),
    "_workers": ({"_errors"}, "workers know no derivative"),
    "_layer_check.calls": (GROUND | {"_layer_check.parameters", "_point"}, "what calls a layer measures nothing"),
    "_layer_check.parameters": (GROUND | {"_point"}, "what moves a layer's arrays measures nothing"),
    "_layer_check.result": (
        GROUND | {"_result", "_outcome", "_report.text"},
        "a result does not know how it was computed",
    ),
    "_bench.timing": (set(), "a clock knows nothing of what it times"),
    "_bench.rows": ({"_bench.timing"}, "figures do not know how they were measured"),
    "_bench.tables": ({"_bench.rows"}, "a table does not know how its figures were measured"),
    "_bench.record": ({"_bench.rows"}, "a record does not know how its figures were measured"),
    "_weight_check": (
        GROUND | {"_result", "_outcome", "_report.serial", "_report.text"},
        "the accused must not be its own witness",
    ),
    "layers": (GROUND | {"_weight_gradient"}, "the accused must not be its own witness"),
    "_weight_gradient": (GROUND | {"_backend"}, "the accused must not be its own witness"),
    "reference": (GROUND | {"reference"}, "the reference is plain NumPy"),
    "_rows": (GROUND | {"_spans"}, "who measures rows does not ask what they are"),
    "_spans": ({"_threads", "_typing"}, "what shares out the entries knows no derivative"),
    "_addresses": (GROUND, "where a function is has nothing to do with what is asked of it"),
    "_c_signature": (GROUND, "where a function is has nothing to do with what is asked of it"),
    "_kernels": ({"_kernels"}, "a kernel knows nothing of our Python"),
}

#: Words that may not occur in a file as a name, an argument or an attribute.
WORDS = {
    "_gradient": {"atol", "rtol", "print"},
    "_jacobian": {"atol", "rtol", "print"},
    "_check": {"_kernels", "print", "stdout", "pytest"},
    "_result": {"print", "stdout", "_backend"},
    "steps": {"f"},
    "layers": {"eps", "numerical_gradient", "numerical_jacobian"},
    "reference": {"cython", "_kernels"},
}

#: Folders that stand in the tables as one.
WHOLE = {"_demo", "_kernels", "problems", "reference"}
#: The files that say what a private room is for, and nothing else.
SIGNS = sorted(path for path in SOURCE.glob("_*/__init__.py") if path.parent.name not in WHOLE)
PYTHON = sorted(set(SOURCE.rglob("*.py")) - set(SIGNS))
CYTHON = sorted([*SOURCE.rglob("*.pyx"), *SOURCE.rglob("*.pxd")])


def part(path: Path) -> str:
    """Return the name under which a file stands in the tables: its own, with its room's, or that of its folder."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return parts[0] if parts[0] in WHOLE or parts[-1] == "__init__" else ".".join(parts)


def running_code(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk all nodes but those that only a type checker reads."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"):
            yield from running_code(child)


def imported(path: Path) -> Iterator[str]:
    """Return the parts of fastgrad that a Python file imports when it runs."""
    for node in running_code(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            if node.module and f"{node.module}.".startswith("fastgrad."):
                yield from (named(f"{node.module}.{name.name}") for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (named(name.name) for name in node.names if name.name.startswith("fastgrad."))


def named(dotted: str) -> str:
    """Return the part of fastgrad that a dotted name lies in."""
    _, first, *rest = dotted.split(".")
    return f"{first}.{rest[0]}" if rest and f"{first}.{rest[0]}" in ORDER else first


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    own = part(path)
    assert own in ORDER, f"{own} has no place in the house: give it one in ROWS"
    for other in imported(path):
        assert other in ORDER, f"{own} imports {other}, which has no place in ROWS"
        if path.name != "__init__.py" or own != "__init__":
            below = ORDER.index(other) > ORDER.index(own)
            assert below or own == other, f"{own} imports {other}, which stands above it"


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: str(p.relative_to(SOURCE)))
def test_no_file_looks_over_its_fence(path: Path) -> None:
    allowed, why = FENCES.get(part(path), (set(ORDER), ""))
    assert set(imported(path)) <= allowed, why


@pytest.mark.parametrize("path", [p for p in PYTHON if part(p) in WORDS], ids=lambda p: str(p.relative_to(SOURCE)))
def test_no_file_speaks_of_what_it_may_not_know(path: Path) -> None:
    words: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.alias(name=word):
                words.add(word)
    assert not words & WORDS[part(path)]


@pytest.mark.parametrize("path", CYTHON, ids=lambda p: p.name)
def test_a_kernel_knows_other_kernels_at_most(path: Path) -> None:
    for line in path.read_text().splitlines():
        if re.match(r"\s*(from|import|cimport)\b", line) and "fastgrad" in line:
            assert re.match(r"from fastgrad\._kernels\.\w+ cimport ", line), line
        assert not re.match(r"\s*c?import numpy\.|\s*(from|cimport) numpy|\s*#\s*(cython|distutils):", line), line


@pytest.mark.parametrize("path", SIGNS, ids=lambda p: p.parent.name)
def test_a_room_says_what_it_is_for_and_nothing_else(path: Path) -> None:
    (sign,) = ast.parse(path.read_text()).body
    assert isinstance(getattr(sign, "value", None), ast.Constant)


def test_the_tables_speak_of_files_that_may_exist() -> None:
    assert len(ORDER) == len(set(ORDER))
    assert set(FENCES) | set(WORDS) <= set(ORDER)
    assert {part(path) for path in PYTHON} & {"_gradient", "_jacobian", "reference"}


def test_the_walk_sees_imports_inside_functions_and_passes_over_those_of_types(tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from fastgrad._check import x\n"
        "def g():\n    from fastgrad._gradient import y\n    import fastgrad._point\n    from fastgrad import steps\n"
    )
    assert sorted(imported(file)) == ["_gradient", "_point", "steps"]
