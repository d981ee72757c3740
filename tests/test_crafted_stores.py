"""Files of stores are not trusted: whatever stands in a row, an error is typed.

PYUNLEARN_EVERY_VALUE=1 tries all values in all columns, some minutes; else a part of them.
"""

import contextlib
import os
import shutil
import sqlite3

import pytest

from pyunlearn import Store, TextRules
from pyunlearn.errors import PyUnlearnError
from pyunlearn.store import _database as database

WORDS = ["ant", "bee", "cat", "dog", "eel", "fox"]
RECORDS = [
    {
        "id": f"d{row}",
        "text": " ".join(WORDS[(row * k + k) % 6] for k in range(5)),
        "label": "xy"[row % 2],
    }
    for row in range(10)
]
VALUES = {
    "nothing": None,
    "a number": 7,
    "a negative number": -3,
    "a large number": 2**62,
    "a float": 0.5,
    "infinity": float("inf"),
    "text": "text",
    "no text": "",
    "an object": '{"a": 1}',
    "a list": "[[1]]",
    "deep nesting": "[" * 100_000,
    "many digits": "1" * 5000,
    "NaN": "NaN",
    "bytes": b"\xff" * 24,
    "zeros": b"\x00" * 16,
    "no bytes": b"",
}
USES = {
    "info": lambda store: store.info(),
    "topics": lambda store: store.topics(),
    "predict": lambda store: store.predict(["ant bee"]),
    "search": lambda store: store.search("ant bee"),
    "ledger": lambda store: store.ledger(),
    "certificates": lambda store: store.certificates(),
    "verify": lambda store: store.verify(),
    "forget": lambda store: store.forget(["d3"]),
    "add": lambda store: store.add([{"id": "new", "text": "ant gnu"}]),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("made")
    with Store.open(path, rules=TextRules(), keep_text=True, n_jobs=1) as store:
        store.train(RECORDS, n_topics=2, core_min_df=1)
        store.set_labels("kind", {f"d{row}": "pq"[row % 2] for row in range(8)})
        store.fit_head(loss="squared", features="linear")
        store.fit_head("kind")
        store.search("ant bee")
        store.forget(["d9"])
    return path


KEYS = {
    "meta": (
        "key",
        "text_rules keep_text n_documents model_parameters digests learned_digest index_digest",
    ),
    "arrays": (
        "name",
        "word_mass document_frequency columns slots row_hashes mass core weights proportions "
        "prior own sums totals",
    ),
}
EVERY = os.environ.get("PYUNLEARN_EVERY_VALUE") == "1"
STEP = 1 if EVERY else 23


def cases(path):
    """Table, column, which rows, and the value."""
    connection = sqlite3.connect(path / database.FILE_NAME)
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    for (table,) in names:
        key, found = KEYS.get(table, ("1", "1"))
        for _, column, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall():
            for where in found.split():
                for value in VALUES.values():
                    yield table, column, (key, where), value
    connection.close()


def written(made, path, table, column, where, value):
    """Whether a copy of the store could be given another value, past triggers."""
    shutil.copytree(made, path)
    connection = sqlite3.connect(path / database.FILE_NAME, isolation_level=None)
    for name in ("ledger_keeps_entries", "ledger_keeps_values"):
        connection.execute(f"DROP TRIGGER {name}")
    try:
        connection.execute(
            f"UPDATE {table} SET {column} = ? WHERE {where[0]} = ?",
            (value, int(where[1]) if where[1] == "1" else where[1]),
        )
    except sqlite3.IntegrityError:
        return False
    finally:
        connection.close()
    return True


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(8))
def test_no_value_in_a_row_ends_untyped(made, tmp_path, part):
    n_written = 0
    for number, case in enumerate(list(cases(made))[part * STEP :: 8 * STEP]):
        path = tmp_path / str(number)
        if written(made, path, *case):
            n_written += 1
            for name in USES if EVERY else list(USES)[number % 3 :: 3]:
                used(path, USES[name])
        shutil.rmtree(path)
    assert n_written


def used(path, use):
    with (
        contextlib.suppress(PyUnlearnError),
        Store.open(path, create=False, n_jobs=1) as store,
    ):
        use(store)


@pytest.mark.parametrize("statement", ["DROP TABLE words", "ALTER TABLE heads DROP COLUMN state"])
def test_a_store_without_a_part_of_its_tables_is_refused(made, tmp_path, statement):
    shutil.copytree(made, tmp_path / "s")
    with sqlite3.connect(tmp_path / "s" / database.FILE_NAME) as connection:
        connection.execute(statement)
    connection.close()
    with Store.open(tmp_path / "s", create=False) as store, pytest.raises(PyUnlearnError):
        store.verify()
