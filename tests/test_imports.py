"""Layers: a module imports only what stands to its left (docs of the architecture)."""

import ast
import re
from pathlib import Path

import pytest

import pyunlearn

PACKAGE = Path(pyunlearn.__file__).parent
KERNELS = PACKAGE.parent / "_core"

# Each module may import those of the lines above it, and the shared ones.
SHARED = ["_version", "errors", "_core", "_validation", "_ordered"]
LAYERS = [
    *SHARED,
    "_rows",
    "_hashing",
    "statistics",
    "anchor_search",
    "refined",
    "learner",
    "datasets",
    "newton",
    "unlearning",
    "certificate",
    "alignment",
    "privacy",
    "topics",
    "deletion",
    "model",
    "metrics",
    "selection",
    "heads",
    "similarity",
    "retrieval",
    "io",
    "records",
    "dictionary",
    "store",
    "cli_tasks",
    "cli",
    "__main__",
    "__init__",
]
# Saving is a method of the model, and the file format lives in io: imported when called.
UPWARD_WHEN_CALLED = {("model", "io")}

CIMPORTS = {
    "_clones.pxd": set(),
    "_lanes.pxd": set(),
    "_openmp.pxd": set(),
    "_status.pxd": set(),
    "parallel.pyx": {"_openmp"},
    "counts.pyx": {"_status"},
    "rows.pyx": {"_status"},
    "anchors.pyx": {"_lanes"},
    "gram.pyx": set(),
    "exponentiated.pyx": {"_lanes"},
    "simplex.pyx": {"_lanes", "_status"},
    "newton.pyx": {"_lanes"},
    "factorise.pyx": {"_clones", "_lanes"},
    "infer.pyx": {"_clones", "_lanes"},
    "products.pyx": {"_clones", "_lanes"},
    "softmax.pyx": set(),
}
PERSISTENCE_BY_CODE = {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"}


def sources():
    return sorted(PACKAGE.rglob("*.py"))


def layer_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path):
    """(imported module, whether inside a function) of every import but those for type hints."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hints = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and ast.unparse(test.test) == "TYPE_CHECKING"
        for node in ast.walk(test)
    }
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if id(node) in hints:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module, id(node) in inside
            for alias in node.names:
                yield f"{node.module}.{alias.name}", id(node) in inside


def imported_layers(path):
    for name, inside in imports(path):
        parts = name.split(".")
        if parts[0] == "pyunlearn" and len(parts) > 1 and parts[1] in LAYERS:
            yield parts[1], inside


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_layers_import_downwards_only(path):
    layer = layer_of(path)
    assert layer in LAYERS, f"{layer} has no place in the layers yet"
    for other, inside in imported_layers(path):
        allowed = LAYERS.index(other) <= LAYERS.index(layer)
        assert allowed or (inside and (layer, other) in UPWARD_WHEN_CALLED), f"{layer} <- {other}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_stored_as_code(path):
    assert not PERSISTENCE_BY_CODE & {name.split(".")[0] for name, _ in imports(path)}


def test_what_decides_a_digest_is_not_summed_by_python():
    # `sum` of floats rounds otherwise from Python 3.12 on. Sums of integers are exact.
    for name in ("refined", "learner", "_ordered", "anchor_search", "unlearning"):
        text = (PACKAGE / f"{name}.py").read_text(encoding="utf-8")
        calls = re.findall(r"(?<![\w.])sum\(.*", text)
        assert calls in ([], ["sum(self.mass.tolist()))"]), (name, calls)


def test_the_shared_modules_import_nothing_but_each_other():
    for name in ("errors", "_validation", "_version", "_ordered"):
        assert {layer for layer, _ in imported_layers(PACKAGE / f"{name}.py")} <= set(SHARED)


def kernel_sources():
    return [*sorted((PACKAGE / "_core").glob("_*.pxd")), *sorted(KERNELS.glob("*.pyx"))]


@pytest.mark.skipif(not KERNELS.is_dir(), reason="needs the source tree")
@pytest.mark.parametrize("path", kernel_sources(), ids=lambda path: path.name)
def test_kernels_see_no_python(path):
    if path.name == "__init__.pxd":
        assert path.read_text() == ""
        return
    text = path.read_text(encoding="utf-8")
    own = set(re.findall(r"^(?:from|cimport) pyunlearn\._core\.(\w+)", text, re.M))
    assert own <= CIMPORTS[path.name]
    others = set(re.findall(r"^from ([\w.]+) cimport", text, re.M))
    assert {name.split(".")[0] for name in others} <= {"libc", "cython", "pyunlearn"}
    assert not re.search(r"^(import|from \S+ import)\s", text, re.M)
