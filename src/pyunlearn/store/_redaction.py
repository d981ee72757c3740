"""A document without some names: in its text where that is kept, and in its counts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pyunlearn._counted_texts import CountedTexts, counted_together
from pyunlearn.certificates import Certificate
from pyunlearn.errors import InvalidInputError
from pyunlearn.store import _revising as revising
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_words as words
from pyunlearn.store._coverage import REDACTED
from pyunlearn.store._current import Current
from pyunlearn.store._database import Database
from pyunlearn.text import TextCounter, TextRules


def redact(current: Current, identifier: str, names: Sequence[str]) -> Certificate:
    """Take names out of a document, and learn again."""
    db = current.db
    ((_, old),) = docs.read_some(db, [identifier])
    rules = words.rules_of(db)
    text = docs.read_text(db, identifier)
    if text is None:
        counted = _without_words(db, identifier, old, names, rules)
    else:
        text = _without_text(identifier, text, names, rules)
        counted = TextCounter(rules).count([text])
    revising.end_wait(current)
    before = revising.Before.read(current, [(identifier, old)], tasks=True)
    new = words.NewWords()
    (bag,) = new.bags(counted)
    words.subtract(db, [old])
    new.write(db)
    docs.replace(db, identifier, bag, text)
    revising.learn(current, before, [identifier])
    return revising.certified(current, "redact", 1, 0, REDACTED)


def without_names(text: str, names: Sequence[str], ignore_case: bool) -> tuple[str, int]:
    """The text without every occurrence of some names, and how many of the names occur.

    A name is found as it is written, whatever its tokens: composed and decomposed letters are
    equal, and so are upper and lower case when asked for; its words may be parted by any white
    space. An occurrence that continues a word, on either side, is none.
    """
    patterns = [_pattern(name, ignore_case) for name in names]
    spans = _spans(text, patterns, ignore_case)
    n_found = sum(map(bool, spans))
    while any(spans):  # what stands on both sides of a name may be a name
        text = _without_spans(text, sorted({span for some in spans for span in some}))
        spans = _spans(text, patterns, ignore_case)
    return text, n_found


def _distinct(names: Sequence[str], rules: TextRules) -> list[str]:
    return list(dict.fromkeys(name.lower() if rules.lowercase else name for name in names))


def _without_text(identifier: str, text: str, names: Sequence[str], rules: TextRules) -> str:
    """The text of a document without names, each of which must be found."""
    names = _distinct(names, rules)
    text, n_found = without_names(text, names, rules.lowercase)
    if n_found < len(names):
        raise InvalidInputError(
            f"document {identifier!r} does not hold {len(names) - n_found} of the {len(names)} "
            "names as they are written, with no letter or digit joined to them; nothing was "
            "redacted. Give each name as it stands in the text"
        )
    return text


def _without_words(
    db: Database, identifier: str, bag: words.Bag, names: Sequence[str], rules: TextRules
) -> CountedTexts:
    """Words of a document whose text is not kept: each name must be one of them."""
    if rules.ngram_range != (1, 1):
        raise InvalidInputError(
            f"the text of document {identifier!r} is not kept (keep_text=False), so a name cannot "
            f"be taken out of words counted with ngram_range={rules.ngram_range}; nothing was "
            "redacted. Forget the document, and add it again without the name"
        )
    counts = dict(zip(words.words_of(db, bag), bag.counts.tolist(), strict=True))
    gone: set[str] = set()
    for name in _distinct(names, rules):
        form = unicodedata.normalize("NFC", name)
        found = {word for word in counts if unicodedata.normalize("NFC", word) == form}
        if not found:
            raise InvalidInputError(
                f"the text of document {identifier!r} is not kept (keep_text=False), so a name can "
                "be taken out of its counts only when it is exactly one counted word of the "
                "document, which one of the names is not; nothing was redacted. Forget the "
                "document, and add it again without the name"
            )
        gone |= found
    return counted_together([{word: counts[word] for word in counts if word not in gone}])


def _pattern(name: str, ignore_case: bool) -> re.Pattern[str]:
    words = _folded(name, ignore_case)[0].split()
    return re.compile(r"\s+".join(map(re.escape, words)))


def _spans(
    text: str, patterns: Sequence[re.Pattern[str]], ignore_case: bool
) -> list[list[tuple[int, int]]]:
    """Start and end in the text of each occurrence of each pattern that continues no word."""
    folded, origin = _folded(text, ignore_case)
    return [
        [(origin[first], origin[last]) for first, last in _whole(folded, origin, pattern)]
        for pattern in patterns
    ]


def _whole(
    folded: str, origin: Sequence[int], pattern: re.Pattern[str]
) -> Iterator[tuple[int, int]]:
    at = 0
    while match := pattern.search(folded, at):
        first, last = match.span()
        at = first + 1
        if _parts(folded, origin, first) and _parts(folded, origin, last):
            at = last
            yield first, last


def _folded(text: str, ignore_case: bool) -> tuple[str, list[int]]:
    """The text decomposed, without case; where the letter of each character begins, and the end.

    A letter is a character with the combining marks after it: in Unicode's canonical form, marks
    are put in order within a letter only.
    """
    starts = [at for at, one in enumerate(text) if at == 0 or not _is_combining(one)]
    parts, origin = [], []
    for first, last in pairwise([*starts, len(text)]):
        letter = unicodedata.normalize("NFD", text[first:last])
        if ignore_case:
            letter = unicodedata.normalize("NFD", letter.casefold())
        parts.append(letter)
        origin += [first] * len(letter)
    return "".join(parts), [*origin, len(text)]


def _parts(folded: str, origin: Sequence[int], at: int) -> bool:
    """Whether a word may end and another begin before this character."""
    if at in (0, len(folded)):
        return True
    return origin[at - 1] != origin[at] and not (
        _is_of_word(folded[at - 1]) and _is_of_word(folded[at])
    )


def _is_combining(character: str) -> bool:
    return (
        character >= "\u0300"
        and unicodedata.combining(unicodedata.normalize("NFD", character)[0]) > 0
    )


def _is_of_word(character: str) -> bool:
    """Letters, digits, the underscore, and marks such as the vowels of Devanagari."""
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"


def _without_spans(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with a blank in place of each span; spans are ascending and may overlap."""
    parts, end = [], 0
    for first, last in spans:
        if first >= end:
            parts += [text[end:first], " "]
        end = max(end, last)
    return "".join(parts) + text[end:]
