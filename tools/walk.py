"""The walk of a document: which modules `fit` and a deletion pass through, and what climbs back up.

    python tools/walk.py [anchor]

Prints, for fit to digest and for a deletion to its certificate, the modules in the order in which
they are first entered, the number of moves from one module into another, and the calls that go up:
into a module that itself imports the caller. It runs on older commits as well.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import pyunlearn

PACKAGE = Path(pyunlearn.__file__).parent
ROOT_NAME = "__init__"


def name_of(path: Path) -> str:
    """Of a module within the package, with dots."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == ROOT_NAME and len(parts) > 1 else parts)


def import_graph() -> dict[str, set[str]]:
    """For each module all that it imports, directly or not."""
    modules = {name_of(path): path for path in PACKAGE.rglob("*.py")}
    direct: dict[str, set[str]] = {name: set() for name in modules}
    for name, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    for full in (f"{node.module}.{alias.name}", node.module):
                        other = full.removeprefix("pyunlearn.")
                        if full.startswith("pyunlearn.") and other in modules:
                            direct[name].add(other)
                            break
    closed = {name: set(others) for name, others in direct.items()}
    for _ in modules:
        for others in closed.values():
            others |= {far for near in tuple(others) for far in closed[near]}
    return closed


class Walk:
    """Records calls between modules of the package while it is the profile function."""

    def __init__(self, graph: dict[str, set[str]]) -> None:
        self.graph = graph
        self.entered: list[str] = []
        self.moves = 0
        self.climbs: list[tuple[str, str]] = []

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """One event; only calls from one module of the package into another count."""
        if event != "call":
            return
        here, caller = self.module(frame), self.calling_module(frame)
        if here is None or here == caller:
            return
        self.moves += 1
        if here not in self.entered:
            self.entered.append(here)
        if caller is not None and caller in self.graph[here]:
            self.climbs.append((caller, here))

    def module(self, frame: FrameType) -> str | None:
        """Of a frame; None outside of the package."""
        path = Path(frame.f_code.co_filename)
        return name_of(path) if PACKAGE in path.parents else None

    def calling_module(self, frame: FrameType) -> str | None:
        """The nearest module of the package among the callers."""
        caller = frame.f_back
        while caller is not None:
            if self.module(caller) is not None:
                return self.module(caller)
            caller = caller.f_back
        return None


def walked(graph: dict[str, set[str]], act: Callable[[], object]) -> Walk:
    """The walk of one action."""
    walk = Walk(graph)
    sys.setprofile(walk)
    try:
        act()
    finally:
        sys.setprofile(None)
    return walk


def new_model(learner: str, n_topics: int, **parameters: Any) -> Any:
    """A model of this commit or of an older one."""
    if hasattr(pyunlearn, "TopicModel"):
        models = {"factor": pyunlearn.TopicModel, "anchor": pyunlearn.AnchorTopicModel}
        return models[learner](n_topics, **parameters)
    names = {"factor": "refined", "anchor": "anchor"}
    return pyunlearn.AnchorTopicModel(n_topics, learner=names[learner], **parameters)


def main() -> None:
    """Print both walks."""
    X = np.random.default_rng(0).poisson(1.0, size=(40, 8))
    model = new_model(sys.argv[1] if len(sys.argv) > 1 else "factor", 3, n_jobs=1)
    graph = import_graph()
    forget = getattr(model, "forget", None) or model.unlearn
    for title, act in (
        ("fit to digest", lambda: model.fit(X).digest()),
        ("deletion to certificate", lambda: forget(X[:5]).to_json()),
    ):
        walk = walked(graph, act)
        print(f"{title}: {len(walk.entered)} modules, {walk.moves} moves, {len(walk.climbs)} up")
        print("   ", " > ".join(walk.entered))
        for caller, callee in sorted(set(walk.climbs)):
            print(f"    up: {caller} calls {callee}")


if __name__ == "__main__":
    main()
