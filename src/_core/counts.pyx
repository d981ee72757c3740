"""Integer co-occurrence of a batch of documents.

K = sum_d w_d (h_d h_d^T - diag(h_d)) is symmetric: the upper triangle is counted row by row
(word -> its documents -> their later words; Gustavson 1978) into one accumulator a thread, then
mirrored. All sums are int64, so the result does not depend on the order of the work.
"""
from cython.parallel cimport prange, threadid
from libc.stdint cimport int32_t, int64_t, uint8_t

cimport pyunlearn._core._portable
from pyunlearn._core._search cimport first_at_least
from pyunlearn._core._status cimport MASS_LIMIT, OK, OVERFLOW

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define PYUNLEARN_PREFETCH(address) __builtin_prefetch(address)
    #else
    #define PYUNLEARN_PREFETCH(address) ((void) 0)
    #endif
    """
    void prefetch "PYUNLEARN_PREFETCH"(const void* address) noexcept nogil

cdef enum:
    AHEAD = 8  # documents of a word: those that come next are on their way from memory meanwhile


cdef void sort_part(
    int64_t first,
    int64_t last,
    int64_t n_documents,
    const int64_t* document_start,
    const int32_t* columns,
    int64_t* position,
    int64_t* entry_of_word,
    int32_t* document_of_word,
) noexcept nogil:
    """The entries of words first..last-1, documents ascending."""
    cdef int64_t document, p, end, target
    if first == last:
        return
    for document in range(n_documents):
        end = document_start[document + 1]
        p = first_at_least(columns, document_start[document], end, first)
        while p < end and columns[p] < last:
            target = position[columns[p]]
            entry_of_word[target] = p
            document_of_word[target] = <int32_t> document
            position[columns[p]] = target + 1
            p = p + 1


def sort_by_word(
    const int64_t[::1] document_start,
    const int32_t[::1] columns,
    const int64_t[::1] parts,
    int64_t[::1] position,
    int64_t[::1] entry_out,
    int32_t[::1] document_out,
    int num_threads,
):
    """The entries of the words parts[0]..parts[-1]-1 by word, with the document of each.

    Words parts[i]..parts[i+1]-1 have one owner. `position[w]`: where the entries of word w begin;
    where they end, afterwards.
    """
    cdef int64_t part
    if entry_out.shape[0] == 0:
        return
    with nogil:
        for part in prange(
            parts.shape[0] - 1, schedule="dynamic", chunksize=1, num_threads=num_threads
        ):
            sort_part(
                parts[part], parts[part + 1], document_start.shape[0] - 1, &document_start[0],
                &columns[0], &position[0], &entry_out[0], &document_out[0],
            )


cdef inline void prefetch_entry(
    const int32_t* columns, const int32_t* counts, int64_t entry
) noexcept nogil:
    """Two cache lines: the rest of a document is often longer than one."""
    prefetch(columns + entry)
    prefetch(columns + entry + 16)
    prefetch(counts + entry)
    prefetch(counts + entry + 16)


cdef int mark_row(
    int64_t word,
    int64_t n_words,
    const int64_t* document_start,
    const int32_t* columns,
    const int32_t* counts,
    const int64_t* weights,
    const int64_t* in_vocabulary,
    const int64_t* entry_of_word,
    const int32_t* document_of_word,
    int64_t begin,
    int64_t end,
    uint8_t* mark,
    int32_t* lower,
    int64_t* upper_length,
    int64_t* mass,
) noexcept nogil:
    """Which columns >= word the row will hold, and the row's mass over all columns."""
    cdef int64_t k, p, q, document, term, total = 0, length = 0, column
    for k in range(begin, end):
        p = entry_of_word[k]
        document = document_of_word[k]
        if k + AHEAD < end:
            prefetch_entry(columns, counts, entry_of_word[k + AHEAD])
            prefetch(weights + document_of_word[k + AHEAD])
            prefetch(in_vocabulary + document_of_word[k + AHEAD])
            prefetch(document_start + document_of_word[k + AHEAD])
        if weights[document] == 0:
            continue
        term = weights[document] * counts[p] * (in_vocabulary[document] - 1)
        if term >= MASS_LIMIT - total:
            return OVERFLOW
        total += term
        if counts[p] > 1:
            mark[word] = 1
        for q in range(p + 1, document_start[document + 1]):
            mark[columns[q]] = 1
    length = mark[word]
    mark[word] = 0
    for column in range(word + 1, n_words):
        length += mark[column]
        lower[column] += mark[column]
        mark[column] = 0
    upper_length[0] = length
    mass[0] = total
    return OK


def count_pattern(
    const int64_t[::1] document_start,
    const int32_t[::1] columns,
    const int32_t[::1] counts,
    const int64_t[::1] weights,
    const int64_t[::1] in_vocabulary,
    const int64_t[::1] word_start,
    const int64_t[::1] entry_of_word,
    const int32_t[::1] document_of_word,
    uint8_t[:, ::1] mark,
    int32_t[:, ::1] lower_out,
    int64_t[::1] upper_length_out,
    int64_t[::1] mass_out,
    int32_t[::1] status_out,
    int num_threads,
):
    """Sizes of the rows of K: upper part by row, lower part by thread and row; masses of the words.

    IN: the documents as CSR (`document_start`, `columns` ascending, `counts` > 0), one weight a
    document (0: too short to count), its tokens in the vocabulary; the same entries by word
    (`word_start`, `entry_of_word`, `document_of_word`). What one document adds to a word's mass,
    weight * count * (tokens - 1), is below 2^63. `mark` is zeroed work space, one row a thread.
    `status_out` holds one status a word.
    """
    cdef int64_t word, n_words = word_start.shape[0] - 1
    cdef int thread
    if entry_of_word.shape[0] == 0:
        return
    with nogil:
        for word in prange(n_words, schedule="dynamic", chunksize=8, num_threads=num_threads):
            thread = threadid()
            status_out[word] = mark_row(
                word, n_words, &document_start[0], &columns[0], &counts[0], &weights[0],
                &in_vocabulary[0], &entry_of_word[0], &document_of_word[0],
                word_start[word], word_start[word + 1], &mark[thread, 0], &lower_out[thread, 0],
                &upper_length_out[word], &mass_out[word],
            )


cdef void fill_row(
    int64_t word,
    int64_t n_words,
    const int64_t* document_start,
    const int32_t* columns,
    const int32_t* counts,
    const int64_t* weights,
    const int64_t* entry_of_word,
    const int32_t* document_of_word,
    int64_t begin,
    int64_t end,
    int64_t length,
    int64_t* accumulator,
    int32_t* indices_out,
    int64_t* values_out,
) noexcept nogil:
    """The part of the row from the diagonal on, columns ascending."""
    cdef int64_t k, p, q, document, weight, column, value, at = 0
    for k in range(begin, end):
        p = entry_of_word[k]
        document = document_of_word[k]
        if k + AHEAD < end:
            prefetch_entry(columns, counts, entry_of_word[k + AHEAD])
            prefetch(weights + document_of_word[k + AHEAD])
            prefetch(document_start + document_of_word[k + AHEAD])
        weight = weights[document] * counts[p]
        if weight == 0:
            continue
        accumulator[word] += weight * (counts[p] - 1)
        for q in range(p + 1, document_start[document + 1]):
            accumulator[columns[q]] += weight * counts[q]
    # Without a branch: about a third of the entries are zeros, in no order that can be predicted.
    # Everything behind the last entry is zero, so the overwriting stops inside the row.
    column = word
    while at < length:
        value = accumulator[column]
        indices_out[at] = <int32_t> column
        values_out[at] = value
        accumulator[column] = 0
        at += value != 0
        column += 1


def count_upper(
    const int64_t[::1] document_start,
    const int32_t[::1] columns,
    const int32_t[::1] counts,
    const int64_t[::1] weights,
    const int64_t[::1] word_start,
    const int64_t[::1] entry_of_word,
    const int32_t[::1] document_of_word,
    const int64_t[::1] upper_start,
    const int64_t[::1] upper_length,
    int64_t[:, ::1] accumulator,
    int32_t[::1] indices_out,
    int64_t[::1] values_out,
    int num_threads,
):
    """Fill the upper triangle of K; row i is written from `upper_start[i]` on.

    `accumulator` is zeroed work space, one row a thread; it is zero again afterwards.
    """
    cdef int64_t word, n_words = word_start.shape[0] - 1
    cdef int thread
    if entry_of_word.shape[0] == 0 or indices_out.shape[0] == 0:
        return
    with nogil:
        for word in prange(n_words, schedule="dynamic", chunksize=8, num_threads=num_threads):
            thread = threadid()
            fill_row(
                word, n_words, &document_start[0], &columns[0], &counts[0], &weights[0],
                &entry_of_word[0], &document_of_word[0], word_start[word], word_start[word + 1],
                upper_length[word], &accumulator[thread, 0], &indices_out[0] + upper_start[word],
                &values_out[0] + upper_start[word],
            )


cdef void mirror_columns(
    int64_t first,
    int64_t last,
    const int64_t* row_start,
    const int64_t* upper_start,
    const int64_t* row_end,
    int64_t* filled,
    int32_t* indices,
    int64_t* values,
) noexcept nogil:
    """Rows first..last-1 receive what stands above the diagonal in their columns."""
    cdef int64_t row, at, column, target
    for row in range(last - 1):
        at = first_at_least(indices, upper_start[row], row_end[row], max(first, row + 1))
        while at < row_end[row]:
            column = indices[at]
            if column >= last:
                break
            target = row_start[column] + filled[column]
            indices[target] = <int32_t> row
            values[target] = values[at]
            filled[column] += 1
            at = at + 1


def mirror(
    const int64_t[::1] row_start,
    const int64_t[::1] upper_start,
    const int64_t[::1] row_end,
    int64_t[::1] filled,
    int32_t[::1] indices_out,
    int64_t[::1] values_out,
    int num_threads,
):
    """Copy the upper triangle to the lower one. `filled` is zeroed work space, one entry a row.

    Blocks of columns keep the write positions in cache; each block has one owner, which walks
    the rows upwards, so every row ends sorted whatever the number of threads.
    """
    cdef int64_t n_words = row_start.shape[0], block_size = 256, block
    cdef int64_t n_blocks = (n_words + block_size - 1) // block_size
    if indices_out.shape[0] == 0:
        return
    with nogil:
        for block in prange(n_blocks, schedule="dynamic", num_threads=num_threads):
            mirror_columns(
                block * block_size, min(n_words, (block + 1) * block_size), &row_start[0],
                &upper_start[0], &row_end[0], &filled[0], &indices_out[0], &values_out[0],
            )
