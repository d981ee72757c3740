"""Laws of the command line: exit status, one JSON object, one line for an error."""

import gzip
import json
import subprocess
import sys

import pytest

from pyunlearn import Store, cli

FIT = ["--topics", "3", "--core-min-df", "2", "--min-df", "2"]

WORDS = ["red", "blue", "green", "dog", "cat", "bird", "piano", "violin", "drum"]
RECORDS = [
    {"id": f"d{i}", "text": " ".join(WORDS[(i * j + i % 3 * 3 + j % 3) % 9] for j in range(9))}
    for i in range(30)
]


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    return path


@pytest.fixture
def directory(corpus, tmp_path, capsys):
    directory = tmp_path / "store"
    assert cli.main(["fit", str(corpus), "--store", str(directory), *FIT]) == 0
    capsys.readouterr()
    return str(directory)


def run_json(capsys, *arguments):
    status = cli.main([*arguments, "--json"])
    printed = capsys.readouterr()
    assert printed.err == ""
    return status, json.loads(printed.out)


def refused(capsys, *arguments):
    """The one line that a refused command prints."""
    assert cli.main(list(arguments)) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("pyunlearn: ")
    assert printed.err.count("\n") == 1
    return printed.err


def test_a_large_fit_says_on_stderr_how_much_memory_it_takes(corpus, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("pyunlearn._cooccurrence.statistics.LARGE", 1000)
    assert cli.main(["fit", str(corpus), "--store", str(tmp_path / "s"), *FIT]) == 0
    assert capsys.readouterr().err == (
        "pyunlearn: counting 30 documents; the statistics will take at most 0.0 GiB of memory\n"
    )


def test_whole_path_in_json(corpus, tmp_path, capsys):
    where = ["--store", str(tmp_path / "s")]
    status, fitted = run_json(capsys, "fit", str(corpus), *where, *FIT)
    assert (status, fitted["n_documents"], fitted["n_topics"]) == (0, 30, 3)
    status, topics = run_json(capsys, "topics", *where, "--words", "4")
    assert [len(topic["words"]) for topic in topics["topics"]] == [4, 4, 4]
    status, certificate = run_json(capsys, "forget", "d1", "d2", *where)
    assert certificate["model_before"] == fitted["model_digest"]
    status, verified = run_json(capsys, "verify", *where)
    assert (status, verified["ok"], verified["n_documents"]) == (0, True, 28)
    status, info = run_json(capsys, "info", *where)
    assert info["model_digest"] == verified["model_relearned"] == certificate["model_after"]


def test_deletion_by_command_equals_a_fit_without_the_documents(directory, corpus, tmp_path):
    cli.main(["forget", "d3", "--store", directory])
    corpus.write_text("".join(json.dumps(r) + "\n" for r in RECORDS if r["id"] != "d3"))
    cli.main(["fit", str(corpus), "--store", str(tmp_path / "again"), *FIT])
    with Store.open(directory) as one, Store.open(tmp_path / "again") as other:
        assert one.info().model_digest == other.info().model_digest


def test_gzip_corpus_gives_the_same_model(directory, corpus, tmp_path):
    packed = tmp_path / "corpus.jsonl.gz"
    packed.write_bytes(gzip.compress(corpus.read_bytes()))
    cli.main(["fit", str(packed), "--store", str(tmp_path / "again"), *FIT])
    with Store.open(directory) as one, Store.open(tmp_path / "again") as other:
        assert one.info().model_digest == other.info().model_digest


@pytest.mark.parametrize("command", ["topics", "info", "verify", "compact"])
def test_table_is_printed_for_people(directory, capsys, command):
    assert cli.main([command, "--store", directory]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert len(printed.out.splitlines()) >= 4 or command == "compact"
    assert all(line == line.rstrip() for line in printed.out.splitlines())


def test_ids_come_from_a_file_and_from_the_command(directory, tmp_path, capsys):
    (tmp_path / "ids").write_text("d1\nd2\n\n")
    command = ["forget", "d3", "--ids", str(tmp_path / "ids"), "--store", directory]
    assert run_json(capsys, *command)[1]["n_documents_removed"] == 3


def test_ids_that_are_not_utf8_are_refused(directory, tmp_path, capsys):
    (tmp_path / "ids").write_bytes(b"d1\n\xff\n")
    arguments = ("forget", "--ids", str(tmp_path / "ids"), "--store", directory)
    assert "line 2: not UTF-8" in refused(capsys, *arguments)


def test_unknown_id_is_refused_and_nothing_changes(directory, capsys):
    _, before = run_json(capsys, "info", "--store", directory)
    message = refused(capsys, "forget", "d1", "nobody", "--store", directory)
    assert "not in the store: 'nobody'" in message
    assert run_json(capsys, "info", "--store", directory)[1] == before


def test_fit_refuses_a_store_in_use_and_says_what_to_do(directory, corpus, capsys):
    message = refused(capsys, "fit", str(corpus), "--store", directory)
    assert "choose another directory, or delete that one first" in message


def test_failed_fit_can_be_tried_again_with_other_rules(corpus, tmp_path, capsys):
    where = ["--store", str(tmp_path / "s")]
    assert "n_topics=99" in refused(capsys, "fit", str(corpus), *where, "--topics", "99")
    assert cli.main(["fit", str(corpus), *where, *FIT]) == 0


def test_bad_line_is_refused_by_number_and_can_be_skipped(corpus, tmp_path, capsys):
    corpus.write_text(corpus.read_text() + "{nope\n")
    command = ["fit", str(corpus), "--store", str(tmp_path / "s"), *FIT]
    assert "corpus.jsonl, line 31: not JSON" in refused(capsys, *command)
    assert run_json(capsys, *command, "--skip-bad")[1]["n_skipped"] == 1


def test_missing_file_and_missing_store_are_refused(tmp_path, capsys):
    missing = str(tmp_path / "none")
    assert "No such file" in refused(capsys, "fit", missing, "--store", str(tmp_path / "s"))
    assert not (tmp_path / "s").exists()
    for command in ("topics", "info", "verify"):
        assert "no store at" in refused(capsys, command, "--store", missing)


def test_no_ids_are_refused(directory, capsys):
    assert "no ids to forget" in refused(capsys, "forget", "--store", directory)


def test_failed_verification_ends_with_status_1(directory, capsys):
    with Store.open(directory) as store:
        store._db.execute("DELETE FROM documents WHERE id = 'd5'")
    status, verified = run_json(capsys, "verify", "--store", directory)
    assert (status, verified["ok"]) == (1, False)
    cli.main(["verify", "--store", directory])
    assert "NOT verified" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fit"],
        ["unfit"],
        ["topics"],
        ["fit", "x.jsonl", "--store", "s", "--topics", "many"],
        ["fit", "x.jsonl", "--store", "s", "--solver", "magic"],
    ],
)
def test_wrong_usage_ends_with_status_2(arguments, capsys):
    assert cli.main(arguments) == 2
    assert "usage: pyunlearn" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--topics", "0"], ["--min-df", "1.5"], ["--jobs", "0"]])
def test_option_out_of_range_ends_with_status_2_and_no_store(corpus, tmp_path, capsys, option):
    assert cli.main(["fit", str(corpus), "--store", str(tmp_path / "s"), *option]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_fewer_topics_are_a_warning_on_one_line(directory, capsys):
    ids = [record["id"] for record in RECORDS]
    assert cli.main(["forget", *ids, "--store", directory]) == 0
    printed = capsys.readouterr()
    assert "0 are left" in printed.out
    assert printed.err.startswith("pyunlearn: warning: 0 documents remain")
    assert printed.err.count("\n") == 1


def test_store_that_cannot_be_written_is_refused(tmp_path, corpus, capsys):
    (tmp_path / "file").write_text("")
    refused(capsys, "fit", str(corpus), "--store", str(tmp_path / "file" / "s"))


@pytest.mark.parametrize(
    "command",
    [
        [],
        *([name] for name in ("fit", "topics", "forget", "verify", "info", "compact")),
        *([name] for name in ("head", "search", "redact")),
        *(["head", name] for name in ("fit", "predict", "score", "list", "delete")),
    ],
)
def test_help_is_printed_and_fits_a_terminal(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert cli.main([*command, "--help"]) == 0
    assert all(len(line) <= 100 for line in capsys.readouterr().out.splitlines())


def test_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "pyunlearn", "--version"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout[:10]) == (0, "pyunlearn ")


def test_the_package_runs_as_a_module():
    said = subprocess.run(
        [sys.executable, "-m", "pyunlearn", "--help"], capture_output=True, text=True, check=True
    )
    assert "usage: pyunlearn" in said.stdout
