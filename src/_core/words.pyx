"""Words in texts, and how often each text holds them.

A text is a range of one array of code points. A word is two or more word characters that stand
between others, or at an end of its text. Words are numbered in the order of their first occurrence,
found again by a hash table: `slots` has the number of a word, or -1, at the place that its hash says
or at one of those behind it.
"""
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

cimport pyunlearn._core._portable


cdef int64_t slot_of(
    const uint32_t[::1] text, int64_t first, int64_t end, uint64_t hashed,
    const int32_t[::1] slots, const int64_t[::1] word_start, const int64_t[::1] word_end,
) noexcept nogil:
    """Where the number of a word stands, or has to."""
    cdef int64_t mask = slots.shape[0] - 1, slot = <int64_t> (hashed >> 32) & mask
    cdef int32_t word = slots[slot]
    while word >= 0 and (
        word_end[word] - word_start[word] != end - first
        or memcmp(&text[word_start[word]], &text[first], (end - first) * sizeof(uint32_t))
    ):
        slot = (slot + 1) & mask
        word = slots[slot]
    return slot


def count_words(
    const uint32_t[::1] text,
    const int64_t[::1] text_start,
    const uint8_t[::1] is_of_word,
    uint64_t multiplier,
    int32_t[::1] slots,
    int64_t[::1] position,
    int64_t[::1] word_start_out,
    int64_t[::1] word_end_out,
    int64_t[::1] entry_start_out,
    int32_t[::1] words_out,
    int32_t[::1] counts_out,
):
    """The number of different words, or -1 when they take more than half of `slots`.

    `slots` are a power of two, all -1. `is_of_word` is by code point, for all that occur. The arrays
    by word have room for half of the slots, `words_out` and `counts_out` for all words of all texts.
    `multiplier` is odd; any gives the same result. `position` is of the last entry of each word.
    """
    cdef int64_t row, at, end, first, slot, n_entries = 0, most = slots.shape[0] // 2
    cdef int32_t word, n_words = 0
    cdef uint64_t hashed
    with nogil:
        for row in range(text_start.shape[0] - 1):
            entry_start_out[row] = n_entries
            at = text_start[row]
            end = text_start[row + 1]
            while at < end:
                first = at
                hashed = 0
                while at < end and is_of_word[text[at]]:
                    hashed = (hashed ^ text[at]) * multiplier
                    hashed ^= hashed >> 29
                    at = at + 1
                if at - first >= 2:
                    slot = slot_of(text, first, at, hashed, slots, word_start_out, word_end_out)
                    word = slots[slot]
                    if word < 0:
                        if n_words == most:
                            n_words = -1
                            break
                        word = slots[slot] = n_words
                        n_words = n_words + 1
                        word_start_out[word] = first
                        word_end_out[word] = at
                        position[word] = -1
                    if position[word] < entry_start_out[row]:
                        position[word] = n_entries
                        words_out[n_entries] = word
                        counts_out[n_entries] = 0
                        n_entries = n_entries + 1
                    counts_out[position[word]] += 1
                at = at + 1
            if n_words < 0:
                break
        entry_start_out[text_start.shape[0] - 1] = n_entries
    return n_words
