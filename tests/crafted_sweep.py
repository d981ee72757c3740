"""Random crafted files for as long as you like: `python tests/crafted_sweep.py 600`.

Each file is a saved model with one to three places changed and its digests computed anew. It must
end in a CorruptStateError, or in a model with which everything works. Prints each that does
neither, then how many were accepted, by what was changed.
"""

from __future__ import annotations

import copy
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import crafted
import numpy as np
from test_crafted_files import COUNTS, MANY, MODELS

from pyunlearn import load
from pyunlearn.errors import CorruptStateError, PyUnlearnError

NUMBERS = (0, 1, -1, 2, 7, 2**31 - 1, 2**31, 2**62, 2**63 - 1, -(2**63), 10**30)
FLOATS = (0.0, -0.0, 0.5, 1.0, -1.0, 1e-320, 1e-9, 1e300, np.nan, np.inf, -np.inf)
VALUES = (*NUMBERS, *FLOATS, None, True, False, "", "text", "anchor", [], [1], {}, {"a": [[]]})


def change_array(random: np.random.Generator, arrays: crafted.Arrays) -> str:
    """Change an array in one way; its name."""
    name = str(random.choice(sorted(arrays)))
    array = arrays[name] = arrays[name].copy()
    way = random.integers(8)
    if way < 4 and array.size:
        place = int(random.integers(array.size))
        pool = FLOATS if array.dtype.kind == "f" else NUMBERS
        value = pool[random.integers(len(pool))]
        if array.dtype.kind != "f":
            value = (
                value % 2**8 if array.itemsize == 1 else int(np.clip(value, -(2**63), 2**63 - 1))
            )
            value = np.asarray(value).astype(array.dtype)
        array.flat[place] = value
    elif way == 4:
        arrays[name] = random.permutation(array) if array.ndim else array
    elif way == 5 and array.size:
        array.flat[random.integers(array.size)] = array.flat[random.integers(array.size)]
    elif way == 6:
        kind = random.choice(sorted(crafted.TYPES))
        with np.errstate(all="ignore"):
            arrays[name] = array.astype(kind)
    else:
        other = arrays[str(random.choice(sorted(arrays)))]
        arrays[name] = random.choice([True, False]) * other if random.integers(2) else array[:-1]
    return name


def change_header(random: np.random.Generator, header: crafted.Header) -> str:
    """Change a value of the header, at any depth; its name."""
    part: Any = header
    while True:
        name = str(random.choice(sorted(part)))
        if not isinstance(part[name], dict) or not part[name] or random.random() < 0.1:
            break
        part = part[name]
    if random.random() < 0.1:
        del part[name]
    else:
        part[name] = copy.deepcopy(VALUES[random.integers(len(VALUES))])
    return name


def use(model: Any, counts: np.ndarray) -> None:
    """All that can be done with a model of some documents."""
    model.transform(counts)
    model.components_, model.topic_correlation_, model.top_words(), model.score(counts)
    model.partial_fit(counts[:5])
    model.forget(counts[:5])
    model.forget(counts[5:9], refresh="later")
    model.refresh()
    model.digest()


def ending(path: Path, counts: np.ndarray) -> str | None:
    """How loading and using a file ends, where that is not as it should be."""
    try:
        model = load(path, n_jobs=1)
    except CorruptStateError:
        return None
    except BaseException:
        return traceback.format_exc()
    try:
        use(model, counts)
    except PyUnlearnError:
        return "accepted"
    except BaseException:
        return traceback.format_exc()
    return "accepted"


def main(seconds: float, seed: int = 0) -> int:
    """The number of files that ended otherwise."""
    random, found, tried, accepted = np.random.default_rng(seed), 0, 0, Counter[str]()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path, good = Path(folder) / "model", {}
        for name, model in MODELS.items():
            model().save(path)
            good[name] = crafted.unpacked(path)
        saved = {crafted.packed(*one) for one in good.values()}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            kind = str(random.choice(sorted(good)))
            header, arrays = copy.deepcopy(good[kind])
            names = [
                change_array(random, arrays) if wide else change_header(random, header)
                for wide in random.random(random.integers(1, 4)) < 0.6
            ]
            try:
                content = crafted.packed(header, arrays)
            except (TypeError, ValueError, KeyError):
                continue  # cannot be written
            if content in saved:
                continue
            path.write_bytes(content)
            tried += 1
            end_of_it = ending(path, MANY if kind == "contexts" else COUNTS)
            if end_of_it == "accepted":
                accepted[", ".join(sorted(set(names)))] += 1
            elif end_of_it:
                found += 1
                sys.stdout.write(f"{names}\n{end_of_it}\n")
    lines = [f"{count:6} {names}" for names, count in accepted.most_common(40)]
    total = f"{tried} files, {sum(accepted.values())} accepted, {found} to be looked at"
    sys.stdout.write("\n".join([total, *lines]) + "\n")
    return found


if __name__ == "__main__":
    sys.exit(bool(main(*map(float, sys.argv[1:2]), *map(int, sys.argv[2:3]))))
