"""Imports point down only, and no file knows what it may not know. The tables below are the house."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "fastgrad"

#: From top to bottom, and within a row from left to right: a file imports only what stands behind it.
ROWS = {
    "skin": "__main__ _cli _cli_check _demo plot _pattern_picture",
    "judge": (
        "testing _replay _matrix_assertions _matrix_check _matrix_claim _matrix_recheck _layer_check "
        "_layer_outputs _layer_calls _layer_parameters _layer_result _check _elsewhere _modes "
        "_search _sample _search_norm "
        "_looks _decode _calibration _projections _stale _witness _verdict "
        "_diagnosis _precision _suppositions _rearranged _totals _regions _evidence _recheck "
        "_recheck_structured _probe _claim _weight_check _result _serial _html _svg _render _picture _drawing "
        "_pictured"
    ),
    "use": "losses _input_moves _loss_parts _criteria layers _weight_gradient _least_squares",
    "verbs": "_plan _products _hessian _gradient _jacobian _derivative _one_sided",
    "notions": (
        "_foreseen _parts _stacks "
        "_compressed_product _sparse_hessian _sparse_jacobian _missing_entries _compression _sparse_array "
        "_color_reader _pairings _direction _adaptive_pairs _complex_plane _complex_step "
        "_cauchy_riemann _surroundings _holomorphic _step_by_noise sparsity _detection _pattern_check _color "
        "_bicoloring _greedy _coloring _column_orders _pattern_makers _pattern _guarded _loops native "
        "_addresses _c_signature _spans _stencil_entries "
        "_structured_bars _adaptive_entries _around _bars _adaptive _step_search _line _extrapolation _scheme "
        "steps _noise_steps _neighbourhood _noise _bounds _stencils _pattern_caller _point"
    ),
    "switch": "_backend",
    "engine": "cython_api _kernels reference",
    "side": "problems",
    "ground": (
        "_layer_names _workers _object_state _seeds _tree _containers _regression _complex_reading "
        "_progress _stack_reading _reading "
        "_arrays _errors _estimates _budget _typing _later"
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
            "steps",
            "_point",
            "_scheme",
            "_adaptive_entries",
            "_complex_plane",
            "_guarded",
            "_parts",
            "_stacks",
            "_step_by_noise",
            "_stencil_entries",
            "_structured_bars",
        },
        "verbs do not know each other's insides",
    ),
    "_jacobian": (
        GROUND
        | {
            "_loops",
            "steps",
            "_point",
            "_scheme",
            "_adaptive_entries",
            "_complex_plane",
            "_guarded",
            "_parts",
            "_stacks",
            "_sparse_jacobian",
            "_step_by_noise",
            "_stencil_entries",
        },
        "verbs do not know each other's insides",
    ),
    "_diagnosis": (
        GROUND | {"_precision", "_suppositions", "_rearranged", "_totals", "_regions", "_evidence"},
        "a diagnosis sees numbers, and calls nothing",
    ),
    "_evidence": (GROUND, "a diagnosis sees numbers, and calls nothing"),
    "_result": (
        GROUND | {"_render", "_html", "_serial", "_picture", "_pictured"},
        "a result does not know how it was computed",
    ),
    "_html": (GROUND | {"_render", "_svg"}, "a report does not know how its data were computed"),
    "_svg": (GROUND | {"_pictured"}, "a report does not know how its data were computed"),
    "_picture": (GROUND | {"_drawing", "_pictured"}, "a report does not know how its data were computed"),
    "_render": (GROUND, "a report does not know how its data were computed"),
    "_adaptive": ({"_step_search", "_line", "_extrapolation"}, "the adaptive method knows numbers, not arrays"),
    "_step_search": ({"_line", "_extrapolation"}, "the adaptive method knows numbers, not arrays"),
    "_line": ({"_extrapolation", "_errors"}, "the adaptive method knows numbers, not arrays"),
    "_extrapolation": (set(), "the adaptive method knows numbers, not arrays"),
    "_coloring": (GROUND | {"_backend", "_pattern"}, "patterns and colours know no f and no step"),
    "_color": (
        GROUND | {"_bicoloring", "_greedy", "_coloring", "_pattern_makers"},
        "patterns and colours know no f and no step",
    ),
    "_pattern": (GROUND | {"_backend"}, "patterns and colours know no f and no step"),
    "_point": (GROUND, "a point knows no derivative"),
    "_workers": ({"_errors"}, "workers know no derivative"),
    "_layer_calls": (GROUND | {"_layer_parameters", "_point"}, "what calls a layer measures nothing"),
    "_layer_parameters": (GROUND | {"_point"}, "what moves a layer's arrays measures nothing"),
    "_layer_result": (GROUND | {"_result"}, "a result does not know how it was computed"),
    "_weight_check": (GROUND | {"_result", "_render"}, "the accused must not be its own witness"),
    "layers": (GROUND | {"_weight_gradient"}, "the accused must not be its own witness"),
    "_weight_gradient": (GROUND | {"_backend"}, "the accused must not be its own witness"),
    "reference": (GROUND | {"reference"}, "the reference is plain NumPy"),
    "_spans": ({"_typing"}, "what shares out the entries knows no derivative"),
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

PYTHON = sorted(SOURCE.rglob("*.py"))
CYTHON = sorted([*SOURCE.rglob("*.pyx"), *SOURCE.rglob("*.pxd")])


def part(path: Path) -> str:
    """Return the name under which a file stands in the tables: its own, or that of its folder."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


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
            if node.module == "fastgrad":
                yield from (name.name for name in node.names)
            elif node.module and node.module.startswith("fastgrad."):
                yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (name.name.split(".")[1] for name in node.names if name.name.startswith("fastgrad."))


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
