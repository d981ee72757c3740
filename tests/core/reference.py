"""The kernels once more, in plain NumPy and Python: what each must equal, operation by operation.

Integers are equal exactly. Floating-point results are equal to the last bit where the kernel fixes
the order of its operations (8 lanes, one tree), which is everywhere but in log and BLAS.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise

import numpy as np

# ---- sums in 8 fixed lanes ----------------------------------------------------------------


def combine_lanes(lane):
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]))


def lane_sum(terms):
    """Term t goes to lane t % 8; the lanes are combined in one tree."""
    terms = np.asarray(terms, np.float64)
    padded = np.concatenate([terms, np.zeros(-len(terms) % 8)]).reshape(-1, 8)
    lane = np.zeros(8)
    for eight in padded:
        lane = lane + eight
    return float(combine_lanes(lane))


def lane_dot(x, y):
    return lane_sum(np.asarray(x, np.float64) * np.asarray(y, np.float64))


# ---- counting -----------------------------------------------------------------------------


def count_runs(texts):
    """Words of two or more word characters by number of first occurrence; of each text, counts."""
    numbers, counted = {}, []
    for text in texts:
        counts = {}
        for word in re.findall(r"\w+", text):
            if len(word) > 1:
                number = numbers.setdefault(word, len(numbers))
                counts[number] = counts.get(number, 0) + 1
        counted.append(counts)
    return list(numbers), counted


def document_weight(length, scale_bits, weighting):
    if length < 2:
        return 0
    return 2**scale_bits // (length * (length - 1) if weighting == "document" else length - 1)


def cooccurrence(counts, weights):
    """K = sum_d w_d (h_d h_d^T - diag(h_d)), in Python's unbounded integers."""
    counts = np.asarray(counts).astype(object)
    K = np.zeros((counts.shape[1], counts.shape[1]), object)
    for row, weight in zip(counts, weights, strict=True):
        K += int(weight) * (np.outer(row, row) - np.diag(row))
    return K


def statistics(counts, lengths, scale_bits=40, weighting="document"):
    """(m, f, c, K) by the formula."""
    counts = np.asarray(counts)
    weights = [document_weight(int(length), scale_bits, weighting) for length in lengths]
    K = cooccurrence(counts, weights)
    mass = np.zeros(counts.shape[1], object)
    for row, weight, length in zip(counts.astype(object), weights, lengths, strict=True):
        mass = mass + row * (weight * (int(length) - 1))
    return len(counts), (counts > 0).sum(axis=0), mass, K


def least_documents(contexts, m):
    """Documents that make a word a context of m."""
    if contexts == "all":
        return 0
    if contexts == "core":
        return max(math.ceil(0.6 * max(math.sqrt(m), m / 100)), 1)
    if isinstance(contexts, float):
        return max(math.ceil(round(contexts * m, 6)), 1)
    return contexts


def term(number, value):
    return (value + 0x9E3779B97F4A7C15) * (2 * number + 1)


def packed_row(first, numbers, values):
    """Widths, number of entries, sum, gaps, values; numbers ascend from `first` on."""
    numbers, values = [int(number) for number in numbers], [int(value) for value in values]
    gaps = [last - before for before, last in pairwise([int(first), *numbers])]
    widths = [(max(part, default=0).bit_length() + 7) // 8 for part in (gaps, values)]
    total = sum(map(term, numbers, values)) % 2**64
    data = bytes(widths) + len(numbers).to_bytes(4, "little") + total.to_bytes(8, "little")
    for part, width in zip((gaps, values), widths, strict=True):
        data += b"".join(one.to_bytes(width, "little") for one in part)
    return data


def unpacked_row(data, first, number):
    """(columns, values), number[i] the column of a stored i, or None for bytes that are no row."""
    if len(data) < 14:
        return None
    gap_width, value_width, size = data[0], data[1], int.from_bytes(data[2:6], "little")
    if gap_width > 4 or value_width > 8 or len(data) != 14 + size * (gap_width + value_width):
        return None
    if size and not value_width:
        return None
    middle = 14 + size * gap_width
    at, numbers, values = first, [], []
    for t in range(size):
        gap = int.from_bytes(data[14 + t * gap_width :][:gap_width], "little")
        value = int.from_bytes(data[middle + t * value_width :][:value_width], "little")
        at += gap
        if (t > 0 and gap == 0) or not 0 < value < 2**62:
            return None
        if at >= len(number) or number[at] < 0:
            return None
        numbers.append(at)
        values.append(value)
    if sum(map(term, numbers, values)) % 2**64 != int.from_bytes(data[6:14], "little"):
        return None
    return [int(number[at]) for at in numbers], values


# ---- anchors ------------------------------------------------------------------------------


def kept_mass(K, keep):
    return (K * keep).sum(axis=1)


def row_entries(K, word):
    """(columns, values) of the non-zeros of a row, columns ascending."""
    columns = np.flatnonzero(K[word])
    return columns, K[word, columns]


def squared_norm(K, keep, mass, word):
    if mass[word] == 0 or not keep[word]:
        return 0.0
    columns, values = row_entries(K, word)
    values = (values * keep[columns]).astype(np.float64)
    return lane_dot(values, values) / (float(mass[word]) * float(mass[word]))


def dense_row(K, keep, mass, word):
    """Qbar_word, 0 in the columns that are not kept."""
    return np.where(keep > 0, K[word], 0).astype(np.float64) / float(mass[word])


def gram_entry(K, mass, word, anchor_row):
    """<Qbar_word, Qbar_anchor>, over the non-zeros of the word's row."""
    columns, values = row_entries(K, word)
    return running_sum(anchor_row[columns] * values.astype(np.float64)) / float(mass[word])


def cholesky_step(gram, anchor, topic, pivot, factor, residual):
    """L_ij = (B_ij - sum_{t<j} L_it L_{s_j t}) / sqrt(pivot);  residual_i -= L_ij^2. In place."""
    for row in range(len(gram)):
        value = gram[row, topic] - lane_dot(factor[row, :topic], factor[anchor, :topic])
        factor[row, topic] = value / math.sqrt(pivot)
        residual[row] -= factor[row, topic] * factor[row, topic]


def greedy_anchors(rows, n_topics):
    """Arora et al. 2013, algorithm 4, by Gram-Schmidt on the rows themselves."""
    rest = np.array(rows, np.float64)
    anchors = []
    for _ in range(n_topics):
        word = int(np.argmax((rest * rest).sum(axis=1)))
        direction = rest[word] / np.linalg.norm(rest[word])
        rest -= np.outer(rest @ direction, direction)
        anchors.append(word)
    return anchors


# ---- simplex ------------------------------------------------------------------------------


def solve_on_support(G, b, support):
    """The answer as a function of (G, b, support): G = U^T U with the support ascending."""
    size = len(support)
    U, inverse = np.zeros((size, size)), np.zeros(size)  # inverse: of the diagonal of U
    yb, y1 = b[support].astype(np.float64), np.ones(size)
    for i, row in enumerate(support):
        column = G[row, support[: i + 1]].copy()
        for q in range(i):
            U[q, i] = column[q] * inverse[q]
            column[q + 1 : i] -= U[q, i] * U[q, q + 1 : i]
            column[i] -= U[q, i] * U[q, i]
            yb[i] -= U[q, i] * yb[q]
            y1[i] -= U[q, i] * y1[q]
        inverse[i] = 1.0 / math.sqrt(column[i])
        yb[i] *= inverse[i]
        y1[i] *= inverse[i]
    level = (1.0 - lane_dot(y1, yb)) / lane_dot(y1, y1)
    solution = yb + level * y1
    for i in range(size - 1, -1, -1):
        solution[i] -= lane_dot(U[i, i + 1 :], solution[i + 1 :])
        solution[i] *= inverse[i]
    if size == 1:
        solution[0] = 1.0
    weights = np.zeros(len(b))
    weights[support] = np.maximum(solution, 0.0)
    return weights


def active_set(G, b, tolerance):
    """The textbook method with a fresh dense solve a step; the last solve is `solve_on_support`."""
    support, weights = [int(np.argmin(0.5 * np.diag(G) - b))], np.array([1.0])
    for _ in range(10 * len(b) + 10):
        gradient = G[:, support] @ weights - b
        level = gradient[support].mean()
        gradient[support] = level
        worst = int(np.argmin(gradient))
        if gradient[worst] >= level - tolerance:
            break
        support, weights = [*support, worst], np.append(weights, 0.0)
        while True:
            target = equality_constrained(G, b, support)
            falling = np.flatnonzero(target <= 0)
            if len(falling) == 0:
                break
            steps = weights[falling] / (weights[falling] - target[falling])
            leaves = int(falling[np.argmin(steps)])
            weights = np.delete(weights + steps.min() * (target - weights), leaves)
            del support[leaves]
        weights = target
    return solve_on_support(G, b, sorted(support))


def equality_constrained(G, b, support):
    size = len(support)
    system = np.ones((size + 1, size + 1))
    system[:size, :size] = G[np.ix_(support, support)]
    system[size, size] = 0.0
    return np.linalg.solve(system, np.append(b[support], 1.0))[:size]


def running_sum(terms):
    total = 0.0
    for term in terms:
        total += float(term)
    return total


def exponential(x):
    """e^x = 2^k e^r, |r| <= ln(2)/2, the series to r^12; 0 below -708. Elementwise."""
    zero, x = np.less(x, -708.0), np.maximum(x, -708.0)
    k = (x * 1.4426950408889634 + 1.5 * 2.0**52) - 1.5 * 2.0**52
    r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10
    series = np.full_like(x, 1.0 / math.factorial(12))
    for power in range(11, -1, -1):
        series = 1.0 / math.factorial(power) + r * series
    return np.where(zero, 0.0, series * np.ldexp(1.0, k.astype(np.int64)))


def gradient(G, b, c):
    """G c - b, columns of G ascending."""
    g = -b
    for weight, column in zip(c, G, strict=True):
        g = g + weight * column
    return g


def exponentiated_gradient(G, b, gap_tolerance, max_iter):
    """c <- c exp(-rate g) / Z while f falls; the rate is that of Barzilai and Borwein."""
    diagonal = np.diag(G)
    c, safe, rate = np.full(len(b), 1.0 / len(b)), 1.0 / diagonal.max(), len(b)
    rate /= running_sum(diagonal)
    g = gradient(G, b, c)
    for iteration in range(max_iter + 1):
        excess = g - g.min()
        gap = lane_dot(c, excess)
        if gap <= gap_tolerance:
            return c, gap, iteration
        if iteration == max_iter:
            return c, gap, -1
        trial = np.maximum(c * exponential(-rate * excess), 1e-100)
        trial = trial * (1.0 / lane_sum(trial))
        turn = gradient(G, b, trial) - g
        curvature = lane_dot(trial - c, turn)
        falls = lane_dot(trial - c, excess) + 0.5 * curvature <= 0 or rate <= safe
        if falls:
            c, g = trial, g + turn
        most = 10 * rate if falls else 0.5 * rate
        centred = turn - lane_dot(trial, turn)
        square = lane_dot(trial * centred, centred)
        found = curvature / square if curvature < most * square else most
        rate = min(max(rate / 10, found, safe), 1e12 * safe)


# ---- inference ----------------------------------------------------------------------------


def fold_in(columns, counts, A, tolerance, max_iter, theta):
    """EM for one document from the start `theta`; returns (theta, iterations or -1)."""
    theta = theta.copy()
    for iteration in range(1, max_iter + 1):
        update, seen = np.zeros(len(theta)), 0.0
        for word, count in zip(columns, counts, strict=True):
            share = lane_dot(A[word], theta)
            if share > 0.0:
                seen += count
                update += float(count) / share * A[word]
        if seen == 0.0:
            return theta, iteration
        new = theta * update / seen
        change = 0.0
        for difference in np.abs(new - theta):
            change += difference
        theta = new
        if change <= tolerance:
            return theta, iteration
    return theta, -1
