"""Exponentiated gradient on the same G and b: `python eg.py SIDE PROBLEM THREADS`, prints JSON.

Seconds are the median of three runs. `anchor-topic` takes rows of Qbar and multiplies them with
those of the anchors to get b. It is also given L^-1 b_i and L with L L^T = G instead: the same
problem in r instead of n dimensions, which spares it that product. Its gradient is twice ours,
hence the factor 2 in its tolerance.
"""

import json
import statistics
import sys
import time

import numpy as np

GAP = 1e-6
RUNS = 3


def as_it_comes(problem, threads):
    """Seconds and solutions of anchor-topic, which holds the interpreter's lock: one thread."""
    from anchor_topic.recover import exponentiated_gradient

    X, G = problem["anchor_rows"], problem["G"]
    indptr, indices, values = (problem[name] for name in ("indptr", "indices", "values"))
    seconds, found = 0.0, np.zeros_like(problem["B"])
    for word in range(-1, len(found)):  # the first call compiles
        part = slice(indptr[abs(word)], indptr[abs(word) + 1])
        row = np.zeros(X.shape[1])
        row[indices[part]] = values[part] / values[part].sum()
        begin = time.perf_counter()
        found[abs(word)] = exponentiated_gradient(row, X, G, 2 * GAP, len(G))
        seconds += (time.perf_counter() - begin) * (word >= 0)
    return seconds, found


def from_gram(problem, threads):
    """The same without its product of n-vectors; with threads, compiled to release the lock."""
    from concurrent.futures import ThreadPoolExecutor

    import numba
    from anchor_topic.recover import exponentiated_gradient

    G = problem["G"]
    L = np.linalg.cholesky(G)
    rows = np.ascontiguousarray(np.linalg.solve(L, problem["B"].T).T)
    if threads > 1:
        plain = exponentiated_gradient.py_func
        exponentiated_gradient = numba.jit(nopython=True, nogil=True)(plain)

    def solve(row):
        return exponentiated_gradient(row, L, G, 2 * GAP, len(G))

    solve(rows[0])  # compiles
    begin = time.perf_counter()
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(solve, rows, chunksize=64))
    else:
        found = [solve(row) for row in rows]
    return time.perf_counter() - begin, np.array(found)


def pyunlearn(problem, threads, solver="eg"):
    """Seconds and solutions, by the same call that a fit makes."""
    from pyunlearn._learners.anchor import AnchorSettings, recover

    G, B = problem["G"], problem["B"]
    settings = AnchorSettings(n_topics=len(G), solver=solver, tol=GAP)
    words = np.arange(len(B), dtype=np.int32)
    found, converged = np.zeros_like(B), np.ones(len(B), np.uint8)
    recover(settings, G, B, words, False, found, converged, threads)  # fresh pages, threads
    begin = time.perf_counter()
    recover(settings, G, B, words, False, found, converged, threads)
    return time.perf_counter() - begin, found


def active_set(problem, threads):
    return pyunlearn(problem, threads, "active-set")


SIDES = {side.__name__: side for side in (as_it_comes, from_gram, pyunlearn, active_set)}


def gaps(G, B, C):
    """The duality gap of each word, sum_k c_k (g_k - min g)."""
    gradient = C @ G - B
    return np.sum(C * (gradient - gradient.min(axis=1, keepdims=True)), axis=1)


def main():
    side, path, threads = sys.argv[1:]
    with np.load(path) as arrays:
        problem = dict(arrays)
    runs = [SIDES[side](problem, int(threads)) for _ in range(RUNS)]
    seconds, found = statistics.median(seconds for seconds, _ in runs), runs[-1][1]
    gap = gaps(problem["G"], problem["B"], found)
    # A hundredth of leeway: the gap is computed anew here, in another order.
    reached = int(np.sum(gap <= 1.01 * GAP))
    json.dump({"seconds": seconds, "reached": reached, "largest_gap": float(gap.max())}, sys.stdout)


if __name__ == "__main__":
    main()
