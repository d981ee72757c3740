"""Integer co-occurrence of a batch of documents.

K = sum_d w_d (h_d h_d^T - diag(h_d)) has a row for each word and a column for those words that are
contexts. It is counted row by row (word -> its documents -> their contexts; Gustavson 1978) into one
accumulator a thread. Among contexts it is symmetric: their rows are counted from the diagonal on, and
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


cdef inline void prefetch_document(
    const int64_t* context_start, const int32_t* contexts, const int32_t* counts, int64_t document
) noexcept nogil:
    """Two cache lines: a document is often longer than one."""
    cdef int64_t at = context_start[document]
    prefetch(contexts + at)
    prefetch(contexts + at + 16)
    prefetch(counts + at)
    prefetch(counts + at + 16)


cdef inline int64_t first_context(
    const int64_t* context_start, const int32_t* contexts, int64_t document, int32_t own
) noexcept nogil:
    """The contexts of a document that a row counts: those behind its own, all if it is none."""
    if own < 0:
        return context_start[document]
    return first_at_least(
        contexts, context_start[document], context_start[document + 1], own + 1
    )


cdef int mark_row(
    int32_t own,
    int64_t n_contexts,
    const int64_t* context_start,
    const int32_t* contexts,
    const int32_t* context_counts,
    const int32_t* counts,
    const int64_t* weights,
    const int64_t* lengths,
    const int64_t* entry_of_word,
    const int32_t* document_of_word,
    int64_t begin,
    int64_t end,
    uint8_t* mark,
    int32_t* lower,
    int64_t* upper_length,
    int64_t* mass,
) noexcept nogil:
    """Which columns the row will hold, from its own on, and the row's mass over all words."""
    cdef int64_t k, p, q, document, term, total = 0, length = 0, column, first = max(own, 0)
    for k in range(begin, end):
        p = entry_of_word[k]
        document = document_of_word[k]
        if k + AHEAD < end:
            prefetch_document(
                context_start, contexts, context_counts, document_of_word[k + AHEAD]
            )
            prefetch(counts + entry_of_word[k + AHEAD])
            prefetch(weights + document_of_word[k + AHEAD])
            prefetch(lengths + document_of_word[k + AHEAD])
        if weights[document] == 0:
            continue
        term = weights[document] * counts[p] * (lengths[document] - 1)
        if term >= MASS_LIMIT - total:
            return OVERFLOW
        total += term
        if own >= 0 and counts[p] > 1:
            mark[own] = 1
        for q in range(
            first_context(context_start, contexts, document, own), context_start[document + 1]
        ):
            mark[contexts[q]] = 1
    for column in range(first, n_contexts):
        length += mark[column]
        if column > own and own >= 0:
            lower[column] += mark[column]
        mark[column] = 0
    upper_length[0] = length
    mass[0] = total
    return OK


def count_pattern(
    const int64_t[::1] context_start,
    const int32_t[::1] contexts,
    const int32_t[::1] context_counts,
    const int32_t[::1] own,
    const int32_t[::1] counts,
    const int64_t[::1] weights,
    const int64_t[::1] lengths,
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
    """Sizes of the rows of K: from the row's own column on by row (all of a word that is no context),
    before it by thread and context; masses of the words.

    IN: the contexts of each document as CSR (`context_start`, `contexts` ascending,
    `context_counts` > 0); `own[w]`: the context that word w is, or -1; the counts of all entries,
    with the entries by word (`word_start`, `entry_of_word`, `document_of_word`); one weight a
    document (0: too short to count) and its tokens. What one document adds to a word's mass, weight
    * count * (tokens - 1), is below 2^63. `mark` is zeroed work space, one row a thread.
    `status_out` holds one status a word.
    """
    cdef int64_t word, n_words = word_start.shape[0] - 1
    cdef int thread
    cdef const int32_t* columns = &contexts[0] if contexts.shape[0] else NULL
    cdef const int32_t* numbers = &context_counts[0] if contexts.shape[0] else NULL
    cdef uint8_t* marks = &mark[0, 0] if mark.shape[1] else NULL
    cdef int32_t* lower = &lower_out[0, 0] if mark.shape[1] else NULL
    cdef int64_t n_contexts = mark.shape[1]
    if entry_of_word.shape[0] == 0:
        return
    with nogil:
        for word in prange(n_words, schedule="dynamic", chunksize=8, num_threads=num_threads):
            thread = threadid()
            status_out[word] = mark_row(
                own[word], n_contexts, &context_start[0], columns, numbers, &counts[0],
                &weights[0], &lengths[0], &entry_of_word[0], &document_of_word[0],
                word_start[word], word_start[word + 1], marks + thread * n_contexts,
                lower + thread * n_contexts, &upper_length_out[word], &mass_out[word],
            )


cdef void fill_row(
    int32_t own,
    const int64_t* context_start,
    const int32_t* contexts,
    const int32_t* context_counts,
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
    """The part of the row from its own column on, or all of it, columns ascending."""
    cdef int64_t k, p, q, document, weight, column, value, at = 0
    for k in range(begin, end):
        p = entry_of_word[k]
        document = document_of_word[k]
        if k + AHEAD < end:
            prefetch_document(
                context_start, contexts, context_counts, document_of_word[k + AHEAD]
            )
            prefetch(counts + entry_of_word[k + AHEAD])
            prefetch(weights + document_of_word[k + AHEAD])
        weight = weights[document] * counts[p]
        if weight == 0:
            continue
        if own >= 0:
            accumulator[own] += weight * (counts[p] - 1)
        for q in range(
            first_context(context_start, contexts, document, own), context_start[document + 1]
        ):
            accumulator[contexts[q]] += weight * context_counts[q]
    # Without a branch: about a third of the entries are zeros, in no order that can be predicted.
    # Everything behind the last entry is zero, so the overwriting stops inside the row.
    column = max(own, 0)
    while at < length:
        value = accumulator[column]
        indices_out[at] = <int32_t> column
        values_out[at] = value
        accumulator[column] = 0
        at += value != 0
        column += 1


def count_upper(
    const int64_t[::1] context_start,
    const int32_t[::1] contexts,
    const int32_t[::1] context_counts,
    const int32_t[::1] own,
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
    """Fill the rows that `count_pattern` has sized; row i is written from `upper_start[i]` on.

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
                own[word], &context_start[0], &contexts[0], &context_counts[0], &counts[0],
                &weights[0], &entry_of_word[0], &document_of_word[0], word_start[word],
                word_start[word + 1], upper_length[word], &accumulator[thread, 0],
                &indices_out[0] + upper_start[word], &values_out[0] + upper_start[word],
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
    """Copy the upper triangle of the rows of contexts to the lower one; row i is that of column i.

    `filled` is zeroed work space, one entry a row.

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
