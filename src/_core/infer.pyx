"""Topic proportions of documents with the topics fixed: EM fold-in (Hofmann 1999).

theta_k <- (1/N) theta_k sum_i h_i A_ik / (A_i . theta): monotone in the log-likelihood, and made of
+ - * / only.
"""
from cython.parallel cimport prange, threadid
from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t

cimport pyunlearn._core._clones
cimport pyunlearn._core._portable
from pyunlearn._core._lanes cimport lane_dot, padded

cdef extern from *:
    """
    PYUNLEARN_CLONES static int pyunlearn_infer_fold_in(
        const int32_t*, int64_t, int64_t, int64_t, double, int, double*);
    """


cdef void gather_rows(
    const int32_t* columns, int64_t length, const double* A, int64_t n_topics, int64_t width,
    double* rows_out,
) noexcept nogil:
    """Rows of A of the words, one after the other, each with zeros up to `width`."""
    cdef int64_t t, k
    for t in range(length):
        for k in range(n_topics):
            rows_out[t * width + k] = A[columns[t] * n_topics + k]
        for k in range(n_topics, width):
            rows_out[t * width + k] = 0.0


cdef int fold_in "pyunlearn_infer_fold_in"(
    const int32_t* counts, int64_t length, int64_t n_topics, int64_t width, double tolerance,
    int max_iter, double* work,
) noexcept nogil:
    """EM for one document; returns the iterations, -1 if the change stayed above the tolerance.

    `work`: theta, room for its update, and the rows of A, `width` numbers each; a multiple of 8, so
    that what stands behind the topics, zeros, changes no bit.
    """
    cdef double* theta = work
    cdef double* update = work + width
    cdef const double* rows = work + 2 * width
    cdef const double* row
    cdef int64_t t, k
    cdef double share, seen, change, value
    cdef int iteration
    for iteration in range(1, max_iter + 1):
        for k in range(width):
            update[k] = 0.0
        seen = 0.0
        for t in range(length):
            row = rows + t * width
            share = lane_dot(row, theta, width)
            if share <= 0.0:
                continue
            seen += counts[t]
            share = <double> counts[t] / share
            for k in range(width):
                update[k] += share * row[k]
        if seen == 0.0:
            return iteration
        change = 0.0
        for k in range(n_topics):
            value = theta[k] * update[k] / seen
            change += fabs(value - theta[k])
            theta[k] = value
        if change <= tolerance:
            return iteration
    return -1


cdef int one_document(
    const int32_t* columns, const int32_t* counts, int64_t length, const double* A,
    int64_t n_topics, double tolerance, int max_iter, double* work, double* theta_out,
) noexcept nogil:
    cdef int64_t k, width = padded(n_topics)
    cdef int steps
    gather_rows(columns, length, A, n_topics, width, work + 2 * width)
    for k in range(n_topics):
        work[k] = theta_out[k]
    for k in range(n_topics, width):
        work[k] = 0.0
    steps = fold_in(counts, length, n_topics, width, tolerance, max_iter, work)
    for k in range(n_topics):
        theta_out[k] = work[k]
    return steps


def proportions(
    const int64_t[::1] document_start,
    const int32_t[::1] columns,
    const int32_t[::1] counts,
    const double[:, ::1] A,
    double tolerance,
    int max_iter,
    double[:, ::1] work,
    double[:, ::1] theta_out,
    int32_t[::1] steps_out,
    int num_threads,
):
    """Fill `theta_out` (m x r), which holds the start; A is n x r, column k = p(word | topic k).

    A document without a word that any topic has keeps its start. `work`: for each thread the longest
    document and two rows more, of as many doubles as there are topics, rounded up to 8.
    """
    cdef int64_t d, n_documents = theta_out.shape[0], n_topics = A.shape[1]
    cdef int thread
    if columns.shape[0] == 0:
        return
    with nogil:
        for d in prange(n_documents, schedule="dynamic", chunksize=16, num_threads=num_threads):
            thread = threadid()
            steps_out[d] = one_document(
                &columns[0] + document_start[d], &counts[0] + document_start[d],
                document_start[d + 1] - document_start[d], &A[0, 0], n_topics, tolerance, max_iter,
                &work[thread, 0], &theta_out[d, 0],
            )
