"""Laws of the command line: exit status, one JSON object, one line for an error."""

import argparse
import gzip
import inspect
import io
import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import contextmanager

import pytest
from sklearn.feature_extraction.text import CountVectorizer

import pyunlearn
from pyunlearn import (
    AnchorTopicModel,
    LinearHeadClassifier,
    Store,
    TextRules,
    TopicModel,
    cli,
)
from pyunlearn._similarity import SIMILARITIES
from pyunlearn.cli._fit_command import OF_LEARNER
from pyunlearn.cli._program import parser
from pyunlearn.heads._features import FEATURES
from pyunlearn.heads._training import LOSSES, TASKS

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
    assert (certificate["n_documents_removed"], certificate["n_documents_left"]) == (2, 28)
    status, verified = run_json(capsys, "verify", *where)
    assert (status, verified["ok"], verified["n_documents"]) == (0, True, 28)
    status, info = run_json(capsys, "info", *where)
    assert info["digest"] != fitted["digest"]
    assert verified["model_stored"] == verified["model_relearned"]


def test_deletion_by_command_equals_a_fit_without_the_documents(directory, corpus, tmp_path):
    cli.main(["forget", "d3", "--store", directory])
    corpus.write_text("".join(json.dumps(r) + "\n" for r in RECORDS if r["id"] != "d3"))
    cli.main(["fit", str(corpus), "--store", str(tmp_path / "again"), *FIT])
    with Store.open(directory) as one, Store.open(tmp_path / "again") as other:
        assert one.info().digest == other.info().digest


def test_rules_of_words_are_those_of_the_options(corpus, tmp_path, capsys):
    rules = {"min_df": 2, "max_df": 0.9, "max_features": 20, "stop_words": "english"}
    rules |= {"ngram_range": (1, 2), "token_pattern": "[a-z]+", "lowercase": False}
    options = ["--min-df", "2", "--max-df", "0.9", "--max-features", "20", "--ngrams", "1", "2"]
    options += ["--stop-words", "english", "--token-pattern", "[a-z]+", "--keep-case"]
    where = ["--store", str(tmp_path / "s")]
    _, fitted = run_json(capsys, "fit", str(corpus), *where, "--topics", "2", *options)
    with Store.open(tmp_path / "s") as store:
        info = store.info()
    assert TextRules(**info.text_rules) == TextRules(**rules)
    assert fitted["n_words"] == info.n_columns == 20 < info.n_words


@pytest.mark.parametrize(
    "command", [["forget", "d1"], ["forget", "d1", "--later"], ["refresh"], ["redact", "d1", "red"]]
)
def test_the_digest_after_a_deletion_and_what_it_equals_are_said(directory, capsys, command):
    if command == ["refresh"]:
        cli.main(["forget", "d1", "--later", "--store", directory])
        capsys.readouterr()
    assert cli.main([*command, "--store", directory]) == 0
    said = capsys.readouterr().out.splitlines()
    with Store.open(directory) as store:
        certificate = store.certificates()[-1]
        waits = store.info().digest is None
        digest = None if waits else store.digest()
    assert waits == ("--later" in command)
    if waits:
        assert f"What is left equals {certificate.comparator}." in said
    else:
        at = said.index(f"model {digest}")
        assert said[at + 1] == f"It equals {certificate.comparator}."


def test_gzip_corpus_gives_the_same_model(directory, corpus, tmp_path):
    packed = tmp_path / "corpus.jsonl.gz"
    packed.write_bytes(gzip.compress(corpus.read_bytes()))
    cli.main(["fit", str(packed), "--store", str(tmp_path / "again"), *FIT])
    with Store.open(directory) as one, Store.open(tmp_path / "again") as other:
        assert one.info().digest == other.info().digest


def test_the_word_that_represents_a_topic_has_one_name_for_both_learners(corpus, tmp_path, capsys):
    for learner, model in (("factor", TopicModel), ("anchor", AnchorTopicModel)):
        where = ["--store", str(tmp_path / learner)]
        assert cli.main(["fit", str(corpus), *where, "--topics", "3", "--learner", learner]) == 0
        assert cli.main(["topics", *where]) == 0
        title = capsys.readouterr().out.splitlines()[-4]
        assert title.split() == ["topic", "share", "representative", "words"]
        topics = run_json(capsys, "topics", *where)[1]["topics"]
        assert set(topics[0]) == {"number", "proportion", "representative", "words"}
        counter = CountVectorizer()
        fitted = model(3).fit(counter.fit_transform(record["text"] for record in RECORDS))
        words = counter.get_feature_names_out()[fitted.topics_.representatives]
        assert [topic["representative"] for topic in topics] == words.tolist()


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
    assert "--topics 99, but" in refused(capsys, "fit", str(corpus), *where, "--topics", "99")
    assert cli.main(["fit", str(corpus), *where, *FIT]) == 0


def test_bad_line_is_refused_by_number_and_can_be_skipped(corpus, tmp_path, capsys):
    corpus.write_text("{nope\n" + corpus.read_text() + "{nope\n" * 5)
    command = ["fit", str(corpus), *FIT, "--store"]
    assert "corpus.jsonl, line 1: not JSON" in refused(capsys, *command, str(tmp_path / "s"))
    _, fitted = run_json(capsys, *command, str(tmp_path / "s"), "--skip-bad")
    assert (fitted["n_skipped"], fitted["skipped_lines"]) == (6, [1, 32, 33, 34, 35])
    assert cli.main([*command, str(tmp_path / "t"), "--skip-bad"]) == 0
    assert "\n6 bad lines passed over: 1, 32, 33, 34, 35, ...\n" in capsys.readouterr().out


def test_missing_file_and_missing_store_are_refused(tmp_path, capsys):
    missing = str(tmp_path / "none")
    assert "No such file" in refused(capsys, "fit", missing, "--store", str(tmp_path / "s"))
    assert not (tmp_path / "s").exists()
    for command in ("topics", "info", "verify"):
        assert "no store at" in refused(capsys, command, "--store", missing)


def test_no_ids_are_wrong_usage_and_a_file_without_any_is_bad_input(directory, tmp_path, capsys):
    assert cli.main(["forget", "--store", directory]) == 2
    assert "no ids to forget: give ID, or --ids FILE\n" in capsys.readouterr().err
    (tmp_path / "ids").write_text("\n")
    arguments = ("forget", "--ids", str(tmp_path / "ids"), "--store", directory)
    assert "no ids to forget" in refused(capsys, *arguments)


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
        *([name] for name in ("fit", "add", "topics", "forget", "verify", "info")),
        *([name] for name in ("head", "search", "redact", "refresh", "compact")),
        *(["head", name] for name in ("fit", "predict", "score", "list", "delete")),
    ],
)
def test_help_is_printed_and_fits_a_terminal(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert cli.main([*command, "--help"]) == 0
    assert all(len(line) <= 100 for line in capsys.readouterr().out.splitlines())


def test_the_package_runs_as_a_module():
    said = subprocess.run(
        [sys.executable, "-m", "pyunlearn", "--help"], capture_output=True, text=True, check=True
    )
    assert "usage: pyunlearn" in said.stdout


# ---- more documents ----------------------------------------------------------------------------


def corpus_of(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)


def test_documents_added_by_command_are_as_if_they_had_been_there(tmp_path, capsys):
    where = ["--store", str(tmp_path / "s")]
    first = corpus_of(tmp_path / "first", RECORDS[:20])
    more = corpus_of(tmp_path / "more", RECORDS[20:])
    fit = [*FIT, "--topics", "2"]
    run_json(capsys, "fit", first, *where, *fit)
    _, added = run_json(capsys, "add", more, *where)
    assert (added["n_added"], added["n_documents"], added["n_topics"]) == (10, 30, 2)
    both = corpus_of(tmp_path / "both", RECORDS)
    _, fitted = run_json(capsys, "fit", both, "--store", str(tmp_path / "t"), *fit)
    assert added["digest"] == fitted["digest"]
    assert run_json(capsys, "verify", *where)[0] == 0


def test_an_id_that_the_store_holds_is_refused_and_nothing_is_added(directory, tmp_path, capsys):
    _, before = run_json(capsys, "info", "--store", directory)
    more = corpus_of(tmp_path / "more", [{"id": "new", "text": "red"}, RECORDS[3]])
    said = refused(capsys, "add", more, "--store", directory)
    assert "more, line 2: id 'd3' is in the store already" in said
    assert run_json(capsys, "info", "--store", directory)[1] == before


def test_add_passes_over_bad_lines_and_needs_a_store(directory, tmp_path, capsys):
    more = tmp_path / "more"
    more.write_text('{nope\n{"id": "new", "text": "red dog"}\n')
    command = ["add", str(more), "--store", directory]
    assert "more, line 1: not JSON" in refused(capsys, *command)
    assert cli.main([*command, "--skip-bad"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("added 1 document in ")
    assert "; the store has 31\n1 bad line passed over: 1\n" in said
    assert "no store at" in refused(capsys, "add", str(more), "--store", str(tmp_path / "none"))


def test_documents_are_added_to_a_store_without_topics(corpus, tmp_path, capsys):
    with Store.open(tmp_path / "s") as store:
        store.add([{"id": "new", "text": "red dog"}])
    assert cli.main(["add", str(corpus), "--store", str(tmp_path / "s")]) == 0
    assert capsys.readouterr().out.endswith("no topics were learned yet: Store.fit does so\n")


# ---- what is said -------------------------------------------------------------------------------


def test_a_request_during_a_wait_says_that_the_refresh_is_done_first(directory, tmp_path, capsys):
    more = corpus_of(tmp_path / "more", [{"id": "new", "text": "red dog"}])
    requests = (["forget", "d4"], ["add", more], ["redact", "d5", "red"])
    for one, request in zip(("d1", "d2", "d3"), requests, strict=True):
        assert cli.main(["forget", one, "--later", "--store", directory]) == 0
        capsys.readouterr()
        assert cli.main([*request, "--store", directory]) == 0
        assert capsys.readouterr().err == (
            "pyunlearn: the refresh that waited is done first, with a certificate of its own "
            "(documents forgotten before: 1)\n"
        )
        assert cli.main(["verify", "--store", directory]) == 0
        assert capsys.readouterr().err == ""


class SlowImport:
    """A module that takes an hour to import, by a clock that stands still otherwise."""

    def __init__(self, name):
        self.name, self.now = name, 0.0

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            self.now += 3600

    def __call__(self):
        return self.now


def test_seconds_do_not_include_imports(directory, tmp_path, capsys, monkeypatch):
    more = corpus_of(tmp_path / "more", [{"id": "new", "text": "red dog"}])
    commands = (
        ["fit", more, "--topics", "1"],
        ["add", more],
        ["forget", "d1"],
        ["forget", "d2", "--later"],
        ["refresh"],
    )
    for command in commands:
        where = str(tmp_path / "new") if command[0] == "fit" else directory
        with monkeypatch.context() as patch:
            clock = SlowImport("pyunlearn.cli._bars")
            patch.delitem(sys.modules, clock.name)
            patch.setattr(sys, "meta_path", [clock, *sys.meta_path])
            patch.setattr("time.perf_counter", clock)
            assert cli.main([*command, "--store", where]) == 0
        assert clock.now == 3600
        assert " in 0.0 s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--topics", "0"], "--topics must be from 1 "),
        (["--topics", "3", "--core-min-df", "40"], ", by --core-min-df 40); "),
        (["--topics", "99"], ", by the default --core-min-df); "),
        (["--learner", "anchor", "--max-iter", "0"], "--max-iter must be from 1 "),
        (["--updates", "0"], "--updates must be from 1 "),
        (
            ["--min-df", "99"],
            "(--min-df 99, --max-df 1.0); change these, or look at --token-pattern",
        ),
    ],
)
def test_errors_name_the_options_of_the_command(corpus, tmp_path, capsys, options, said):
    assert cli.main(["fit", str(corpus), "--store", str(tmp_path / "s"), *options]) in (1, 2)
    printed = capsys.readouterr().err
    assert said in printed
    assert not re.search(r"[a-z]_df|n_topics|None", printed)


def test_an_id_that_is_the_name_of_a_parameter_stays(directory, capsys):
    said = refused(capsys, "redact", "n_topics", "red", "--store", directory)
    assert "'n_topics'" in said
    with Store.open(directory) as store:
        store.add([{"id": "n_topics", "text": "red"}])
    said = refused(capsys, "redact", "n_topics", "dog", "--store", directory)
    assert "'n_topics'" in said
    assert cli.main(["search", "red", "--top", "0", "--store", directory]) == 2
    assert capsys.readouterr().err.startswith("pyunlearn: --top must be at least 1")


@pytest.mark.parametrize("learner", ["factor", "anchor"])
def test_values_that_an_error_proposes_are_enough(corpus, tmp_path, capsys, learner):
    options = {"factor": "--core-min-df", "anchor": "--anchor-min-df"}
    command = ["fit", str(corpus), "--learner", learner, "--store"]
    given = ["--topics", "9", options[learner], "30"]
    said = refused(capsys, *command, str(tmp_path / "s"), *given)
    threshold = re.search(rf"{options[learner]} (\d+)\n", said)[1]
    assert int(threshold) < 30
    rarest = min(sum(word in one["text"].split() for one in RECORDS) for word in WORDS)
    assert int(threshold) == rarest


# ---- options ------------------------------------------------------------------------------------


def commands(top=None, name=""):
    """Every command, "head fit" among them, with its parser."""
    for action in (top or parser())._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, command in action.choices.items():
                yield from commands(command, f"{name} {word}".strip())
                if command.get_default("run"):
                    yield f"{name} {word}".strip(), command


COMMANDS = dict(commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_of_the_help_are_commands(name):
    _, *examples = COMMANDS[name].epilog.splitlines()
    assert examples
    for example in examples:
        program, *arguments = shlex.split(example)
        assert parser().parse_args(arguments).run == COMMANDS[name].get_default("run")
        assert (program, " ".join(arguments).startswith(name)) == ("pyunlearn", True)


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("fit", Store.fit),
        ("fit", TextRules),
        ("fit", TopicModel),
        ("fit", AnchorTopicModel),
        ("topics", Store.topics),
        ("search", Store.search),
        ("head fit", LinearHeadClassifier),
    ],
)
def test_defaults_stand_in_the_classes_and_the_help_says_them(name, called):
    defaults = {name: one.default for name, one in inspect.signature(called).parameters.items()}
    n_compared = 0
    for action in COMMANDS[name]._actions:
        default = defaults.get(action.dest)
        if isinstance(default, str | int | float) and not isinstance(default, bool):
            said = re.search(r"\(default (\S+)\)", action.help)[1]
            assert (said if isinstance(default, str) else float(said)) == default
            assert action.default in (None, default)
            n_compared += 1
    assert n_compared


def test_choices_are_those_of_the_library():
    choices = {
        (name, action.dest): action.choices
        for name, command in COMMANDS.items()
        for action in command._actions
    }
    assert choices["head fit", "loss"] == LOSSES
    assert choices["head fit", "features"] == FEATURES
    assert choices["head fit", "task"] == TASKS
    assert choices["search", "similarity"] == SIMILARITIES


GIVEN = {
    "factor": {"core_min_df": "2", "background": "0.5", "n_updates": "3"},
    "anchor": {"anchor_min_df": "2", "solver": "eg", "tol": "1e-4", "max_iter": "50"},
}


def options(learner):
    return [part for name, at in GIVEN[learner].items() for part in (OF_LEARNER[learner][name], at)]


@pytest.mark.parametrize("learner", ["factor", "anchor"])
def test_only_options_that_were_given_are_passed_on(corpus, tmp_path, capsys, learner):
    command = ["fit", str(corpus), "--topics", "3", "--learner", learner]
    run_json(capsys, *command, "--store", str(tmp_path / "given"), *options(learner))
    with Store.open(tmp_path / "given") as store:
        parameters = store.info().parameters
    for name, value in GIVEN[learner].items():
        assert str(parameters[name]) == value or parameters[name] == float(value)
    run_json(capsys, *command, "--store", str(tmp_path / "default"))
    with Store.open(tmp_path / "default") as one, Store.open(tmp_path / "python") as other:
        other.train(RECORDS, n_topics=3, learner=learner)
        assert one.info().parameters == other.info().parameters
        assert one.info().digest == other.info().digest


@pytest.mark.parametrize(
    ("learner", "option", "value"),
    [
        (learner, OF_LEARNER[other][name], value)
        for learner, other in [("factor", "anchor"), ("anchor", "factor")]
        for name, value in GIVEN[other].items()
    ],
)
def test_an_option_of_the_other_learner_is_an_error_of_usage(capsys, learner, option, value):
    assert cli.main(["fit", "x", "--store", "s", "--learner", learner, option, value]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"pyunlearn: {option} is an option of --learner ")
    assert said.endswith(f", not of --learner {learner}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["head", "fit", "--help"],
        ["fit"],
        ["head"],
        ["search", "x", "--store", "s", "--similarity", "none"],
        ["fit", "x", "--store", "s", "--learner", "anchor", "--background", "1"],
    ],
)
def test_help_and_errors_of_usage_do_not_wait_for_numpy(arguments):
    code = (
        f"import sys; from pyunlearn.cli import main; main({arguments!r}); "
        "sys.exit(bool({'numpy', 'scipy', 'sklearn', 'tqdm'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_the_package_has_its_names_without_importing_them():
    code = (
        "import sys, pyunlearn; assert 'numpy' not in sys.modules; "
        "print(set(pyunlearn.__all__) <= set(dir(pyunlearn)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "True\n"
    assert all(getattr(pyunlearn, name) is not None for name in pyunlearn.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'AnchorModel'"):
        _ = pyunlearn.AnchorModel


# ---- streams ------------------------------------------------------------------------------------


def ascii_output(monkeypatch):
    """Streams as with PYTHONIOENCODING=ascii; what was printed on them."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])

    def printed():
        for stream in streams:
            stream.flush()
        return [stream.buffer.getvalue().decode("ascii") for stream in streams]

    return printed


def test_what_cannot_be_encoded_is_escaped(tmp_path, monkeypatch):
    printed = ascii_output(monkeypatch)
    corpus = tmp_path / "\u00e9.jsonl"
    lines = [dict(one, text=one["text"].replace("dog", "\u72ac\u72ac")) for one in RECORDS]
    lines = [dict(one, id=f"\u00fc{one['id']}") for one in lines]
    corpus.write_text("".join(json.dumps(line) + "\n" for line in lines))
    where = ["--store", str(tmp_path / "\u0142")]
    assert cli.main(["fit", str(corpus), *where, *FIT]) == 0
    assert cli.main(["topics", *where]) == 0
    assert cli.main(["info", *where]) == 0
    assert cli.main(["search", "\u72ac\u72ac", *where]) == 0
    assert cli.main(["forget", "\u00fcd1", *where]) == 0
    assert cli.main(["redact", "\u00fcd2", "\u72ac\u72ac", *where]) in (0, 1)
    assert cli.main(["forget", "\u0142", *where]) == 1
    assert cli.main(["forget", "\udcff", *where]) == 1
    assert cli.main(["fit", str(tmp_path / "\udcff"), *where]) == 1
    out, err = printed()
    assert "\\u72ac\\u72ac" in out
    assert "\\xfcd2" in out
    assert "\\u0142" in err
    assert err.count("\n") == err.count("pyunlearn: ")


def test_json_is_the_same_in_every_encoding(directory, monkeypatch):
    printed = ascii_output(monkeypatch)
    assert cli.main(["topics", "--store", directory, "--json"]) == 0
    assert len(json.loads(printed()[0])["topics"]) == 3


@contextmanager
def nobody_reads():
    """Stdout is a pipe whose other end was closed."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        yield


def test_a_reader_that_stops_is_no_error(directory, capsys):
    with nobody_reads():
        assert cli.main(["topics", "--store", directory]) == 0
    with nobody_reads():
        assert cli.main(["--help"]) == 0
    assert capsys.readouterr().err == ""


def test_a_failed_verification_fails_though_nobody_reads_it(directory, capsys):
    with Store.open(directory) as store:
        store._db.execute("DELETE FROM documents WHERE id = 'd5'")
    with nobody_reads():
        assert cli.main(["verify", "--store", directory]) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize("arguments", ["--help", "topics --store {}"])
def test_a_pipe_into_nothing_is_quiet(directory, arguments):
    command = f"{shlex.quote(sys.executable)} -m pyunlearn {arguments.format(directory)} | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_for_the_result_says_that_the_command_did_its_work(
    directory, capsys, monkeypatch
):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert cli.main(["forget", "d1", "--store", directory]) == 1
        monkeypatch.undo()
    assert capsys.readouterr().err.startswith("pyunlearn: done, but the result could not be")
    with Store.open(directory) as store:
        assert store.info().n_documents == 29


@pytest.mark.parametrize("closed", ["stdin", "stdout", "stderr"])
def test_closed_streams_are_no_errors(directory, monkeypatch, capsys, closed):
    monkeypatch.setattr(sys, closed, None)
    assert cli.main(["verify", "--store", directory]) == 0
    assert cli.main(["forget", "--ids", "-", "nobody", "--store", directory]) == 1
    monkeypatch.undo()
    assert "Traceback" not in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_one_bar_a_stage(corpus, tmp_path, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert cli.main(["fit", str(corpus), "--store", str(tmp_path / "s"), *FIT]) == 0
    lines = [line.rpartition("\r")[2] for line in terminal.getvalue().split("\n")]
    stages = [line.partition(":")[0] for line in lines if line]
    assert stages[0] == "reading"
    assert "learning" in stages
    assert len(stages) == len(set(stages))


# ---- interrupts and memory ----------------------------------------------------------------------


class InterruptedImport:
    """Ctrl-C while a module is imported."""

    def __init__(self, name):
        self.name = name

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "module",
    ["pyunlearn.cli._program", "pyunlearn.cli._bars", "pyunlearn.store", "pyunlearn.records"],
)
def test_ctrl_c_during_imports_is_one_line(corpus, tmp_path, capsys, monkeypatch, module):
    monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [InterruptedImport(module), *sys.meta_path])
    assert cli.main(["fit", str(corpus), "--store", str(tmp_path / "s"), *FIT]) == 130
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert printed.err.startswith("pyunlearn: interrupted")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "pyunlearn: interrupted; an unfinished request changed nothing"),
        (MemoryError("Unable to allocate 7.28 TiB"), 1, "of memory (Unable to allocate 7.28 TiB);"),
        (MemoryError(), 1, "pyunlearn: out of memory (no size is known); nothing has been changed"),
    ],
)
def test_a_fit_that_is_cut_off_is_one_line_and_changes_nothing(
    corpus, tmp_path, capsys, monkeypatch, error, status, said
):
    def cut_off(*_):
        raise error

    command = ["fit", str(corpus), "--store", str(tmp_path / "s"), *FIT]
    monkeypatch.setattr("pyunlearn.store._stored_model.write_model", cut_off)
    assert cli.main(command) == status
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert said in printed.err
    monkeypatch.undo()
    assert run_json(capsys, *command)[1]["n_documents"] == 30


# ---- hints --------------------------------------------------------------------------------------

FUNCTION_WORDS = "the of and to in is that it was for on are as with his they at be this from"


def fit_of(tmp_path, capsys, texts, *options):
    """What fit says on stderr."""
    corpus = tmp_path / "texts.jsonl"
    lines = [json.dumps({"id": i, "text": text}) for i, text in enumerate(texts)]
    corpus.write_text("\n".join(lines))
    assert cli.main(["fit", str(corpus), "--store", str(tmp_path / "s"), *options]) == 0
    return capsys.readouterr().err


def with_function_words(n_documents):
    functions = FUNCTION_WORDS.split()
    for number, record in enumerate((RECORDS * 2)[:n_documents]):
        words = functions[number % 5 :: 2] + functions[number % 7 :: 3]
        yield f"{' '.join(words)} {record['text']}"


def test_topics_of_stop_words_are_pointed_out(tmp_path, capsys):
    said = fit_of(tmp_path, capsys, with_function_words(60), "--topics", "3")
    assert said.startswith("pyunlearn: hint: most words of these topics are common English words")
    assert said.endswith("fit again with --stop-words english\n")
    assert str(tmp_path / "s") in said


def test_topics_without_stop_words_get_no_hint(tmp_path, capsys):
    texts = with_function_words(60)
    assert fit_of(tmp_path, capsys, texts, *FIT, "--stop-words", "english") == ""


@pytest.mark.parametrize(("n_documents", "n_topics"), [(1, 1), (2, 2), (5, 2), (3, 1)])
def test_no_hint_where_fewer_topics_say_nothing(tmp_path, capsys, n_documents, n_topics):
    texts = [record["text"] for record in RECORDS[:n_documents]]
    assert fit_of(tmp_path, capsys, texts, "--topics", str(n_topics)) == ""


@pytest.mark.parametrize("n_documents", [4, 9, 25, 29])
def test_fewer_topics_than_asked_for_are_proposed(tmp_path, capsys, n_documents):
    texts = [record["text"] for record in RECORDS[:n_documents]]
    said = fit_of(tmp_path, capsys, texts, "--topics", "3", "--core-min-df", "1")
    assert said.endswith(": --topics 2\n")


def test_one_of_a_thing_is_no_plural(tmp_path, capsys):
    where = ["--store", str(tmp_path / "s")]
    corpus = corpus_of(tmp_path / "one", [{"id": "a", "text": "red red"}])
    assert cli.main(["fit", corpus, *where, "--topics", "1"]) == 0
    assert cli.main(["verify", *where]) == 0
    assert cli.main(["info", *where]) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 topic from 1 document and 1 word in ")
    assert "1 document counted" in said
    assert not re.search(r"\b1 \w+s\b", said)


def test_many_topics_of_few_documents_are_pointed_out(tmp_path, capsys):
    texts = [record["text"] for record in RECORDS[:25]]
    said = fit_of(tmp_path, capsys, texts, "--topics", "3")
    assert said.startswith("pyunlearn: hint: 3 topics from 25 documents")
    assert said.endswith("--topics 2\n")
