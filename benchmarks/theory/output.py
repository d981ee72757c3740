"""Command line, table and figure of an experiment."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def arguments(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a small version, in seconds")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the figure")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table in Markdown."""
    cells = [[_text(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    print("\n".join([lines[0], rule, *lines[1:]]), end="\n\n")


def figure(columns: int, width: float = 4.6, height: float = 3.6) -> tuple[Any, Sequence[Any]]:
    """A figure with axes side by side; needs the extra [plot]."""
    try:
        import matplotlib
    except ImportError:
        raise SystemExit("figures need matplotlib: pip install 'pyunlearn[plot]'") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    made, axes = pyplot.subplots(1, columns, figsize=(width * columns, height), squeeze=False)
    return made, axes[0]


def save(made: Any, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    made.tight_layout()
    made.savefig(folder / name, dpi=100, pil_kwargs={"optimize": True})


def _text(cell: Any) -> str:
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)
