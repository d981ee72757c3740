"""The house: imports go one way, names tell what is private, kernels see no Python."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import pyunlearn

PACKAGE = Path(pyunlearn.__file__).parent
KERNELS = PACKAGE.parent / "_core"

# What users import; every other module has an underscore in its name, or stands below one that has.
PUBLIC = {
    "anchor_topic_model",
    "certificates",
    "cli",
    "datasets",
    "errors",
    "heads",
    "io",
    "metrics",
    "privacy",
    "records",
    "retrieval",
    "store",
    "text",
    "topic_model",
}

CIMPORTS = {
    "_clones.pxd": set(),
    "_exp.pxd": {"_portable"},
    "_lanes.pxd": {"_portable"},
    "_openmp.pxd": set(),
    "_portable.pxd": set(),
    "_search.pxd": set(),
    "_status.pxd": set(),
    "parallel.pyx": {"_openmp", "_portable"},
    "words.pyx": {"_portable"},
    "counts.pyx": {"_portable", "_search", "_status"},
    "rows.pyx": {"_portable", "_search", "_status"},
    "packing.pyx": {"_portable", "_status"},
    "anchors.pyx": {"_lanes", "_portable"},
    "gram.pyx": {"_portable", "_search"},
    "exponentiated.pyx": {"_clones", "_exp", "_lanes", "_portable"},
    "simplex.pyx": {"_lanes", "_portable"},
    "newton.pyx": {"_lanes", "_portable"},
    "factorise.pyx": {"_clones", "_portable"},
    "infer.pyx": {"_clones", "_lanes", "_portable"},
    "products.pyx": {"_clones", "_lanes", "_portable"},
    "softmax.pyx": {"_portable"},
}
PERSISTENCE_BY_CODE = {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"}


def sources():
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    """ "pyunlearn.heads._features"; a package goes by the name of its folder."""
    parts = ["pyunlearn", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """Every imported name, inside functions too, but for those that only type hints need."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hints = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and ast.unparse(test.test) == "TYPE_CHECKING"
        for node in ast.walk(test)
    }
    for node in ast.walk(tree):
        if id(node) in hints:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules():
    return {name_of(path): path for path in sources()}


def imported_modules(path):
    """Modules of the package that a module imports; the package itself does not count."""
    known = modules()
    for name in imports(path):
        while name not in known and "." in name:
            name = name.rpartition(".")[0]
        if name in known and name != "pyunlearn":
            yield name


def graph(layer):
    """Which of the layers import which; `layer` names that of a module."""
    found = {layer(name): set() for name in modules()}
    for name, path in modules().items():
        found[layer(name)] |= {layer(other) for other in imported_modules(path)} - {layer(name)}
    return found


def first_part(name):
    return name.split(".")[1] if "." in name else name


@pytest.mark.parametrize("layer", [str, first_part], ids=["modules", "packages"])
def test_no_circle_of_imports(layer):
    # TopologicalSorter names the circle in its error.
    assert list(TopologicalSorter(graph(layer)).static_order())


def test_nothing_below_imports_privacy():
    users = {name for name, others in graph(first_part).items() if "privacy" in others}
    assert users <= {"io", "cli"}


def test_modules_that_users_do_not_import_have_an_underscore():
    for name, path in modules().items():
        parts = name.split(".")[1:]
        private = any(part.startswith("_") for part in parts)
        assert private or (len(parts) <= 1 and set(parts) <= PUBLIC), path


def test_no_name_of_a_module_stands_twice():
    names = [
        own
        for name in modules()
        for package, _, own in [name.replace("_", "").rpartition(".")]
        if own != package.rpartition(".")[2]  # the class that a package is about
    ]
    assert sorted(names) == sorted(set(names))


def test_learners_are_asked_for_by_the_type_of_their_settings_only():
    for name, path in modules().items():
        if not name.startswith("pyunlearn._learners"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"learner\s*(==|!=|in)\s", text), path


# What takes longer to import than a deletion takes.
SLOW = {"sklearn", "pandas", "scipy"}
RUN = """
import sys
from pyunlearn.cli import main

done = [main([*words.split(), "--store", sys.argv[1]]) for words in sys.argv[2:]]
print(done)
print(*sys.modules)
"""
COMMANDS = ["forget d1", "forget d2 --later", "refresh", "topics", "search red", "info", "verify"]


@pytest.mark.parametrize("learner", ["factor", "anchor"])
def test_a_store_without_heads_needs_no_scikit_learn(learner, tmp_path):
    texts = ["red blue red", "blue green", "green red green", "red blue blue green", "red blue"]
    with pyunlearn.Store.open(tmp_path, n_jobs=1) as store:
        records = [{"id": f"d{row}", "text": text} for row, text in enumerate(texts)]
        store.train(records, n_topics=1, learner=learner)
    run = [sys.executable, "-c", RUN, str(tmp_path), *COMMANDS]
    lines = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[-2] == str([0] * len(COMMANDS))
    assert not SLOW & set(lines[-1].split())


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_stored_as_code(path):
    assert not PERSISTENCE_BY_CODE & {name.split(".")[0] for name in imports(path)}


def test_what_decides_a_digest_is_not_summed_by_python():
    # `sum` of floats rounds otherwise from Python 3.12 on. Sums of integers are exact.
    for path in [PACKAGE / "_linalg.py", *(PACKAGE / "_learners").glob("*.py")]:
        calls = re.findall(r"(?<![\w.])sum\(.*", path.read_text(encoding="utf-8"))
        assert calls in ([], ["sum(self.mass.tolist()))"]), (path, calls)


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
