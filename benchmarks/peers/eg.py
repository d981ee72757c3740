"""Exponentiated gradient on the same G and b: `python eg.py SIDE PROBLEM THREADS`, prints JSON.

`anchor-topic` takes rows of Qbar and multiplies them with those of the anchors. Here it is given
the rows L^-1 b_i and L with L L^T = G: the same problem in r instead of n dimensions, which spares
it that product. Its gradient is twice ours, hence the factor 2 in its tolerance.
"""

import json
import sys
import time

import numpy as np

GAP = 1e-6


def anchor_topic(G, B, threads):
    """Seconds and solutions. As it comes it holds the interpreter's lock; with threads it is
    compiled to release it."""
    from concurrent.futures import ThreadPoolExecutor

    import numba
    from anchor_topic.recover import exponentiated_gradient

    L = np.linalg.cholesky(G)
    rows = np.ascontiguousarray(np.linalg.solve(L, B.T).T)
    if threads > 1:
        exponentiated_gradient = numba.jit(nopython=True, nogil=True)(
            exponentiated_gradient.py_func
        )

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


def pyunlearn(G, B, threads, solver="eg"):
    """Seconds and solutions, by the same call that a fit makes."""
    from pyunlearn.learner import LearnerSettings, recover

    settings = LearnerSettings(n_topics=len(G), solver=solver, tol=GAP)
    words = np.arange(len(B), dtype=np.int32)
    found, converged = np.zeros_like(B), np.ones(len(B), np.uint8)
    recover(settings, G, B, words, False, found, converged, threads)  # fresh pages, threads
    begin = time.perf_counter()
    recover(settings, G, B, words, False, found, converged, threads)
    return time.perf_counter() - begin, found


def active_set(G, B, threads):
    return pyunlearn(G, B, threads, "active-set")


SIDES = {side.__name__: side for side in (anchor_topic, pyunlearn, active_set)}


def gaps(G, B, C):
    """The duality gap of each word, sum_k c_k (g_k - min g)."""
    gradient = C @ G - B
    return np.sum(C * (gradient - gradient.min(axis=1, keepdims=True)), axis=1)


def main():
    side, problem, threads = sys.argv[1:]
    with np.load(problem) as arrays:
        G, B = arrays["G"], arrays["B"]
    seconds, found = SIDES[side](G, B, int(threads))
    gap = gaps(G, B, found)
    # A hundredth of leeway: the gap is computed anew here, in another order.
    reached = int(np.sum(gap <= 1.01 * GAP))
    json.dump({"seconds": seconds, "reached": reached, "largest_gap": float(gap.max())}, sys.stdout)


if __name__ == "__main__":
    main()
