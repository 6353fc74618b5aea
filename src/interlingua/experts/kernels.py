"""The inner loops of ranking, compiled: keys to sort, sums over ranks, statistics of sorted responses.

A key is a response and its sentence's label in one 64-bit integer: the response's bits, mapped so that their order is
that of the numbers, above the label. One plain sort of keys, which numpy vectorises, carries the labels along. It is as
fast as a sort of the bare numbers.
"""

from __future__ import annotations

import numpy as np
from numba import njit

SIGN = np.uint32(0x80000000)
LABEL = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
TILE = 16


@njit(nogil=True, cache=True)
def turn(bits: np.ndarray, rows: np.ndarray) -> None:
    """Transpose a slab in tiles whose rows fill a cache line, which is four times as fast as one number at a time.

    Args:
        bits: uint32 [sentences, neurons].
        rows: Filled: uint32 [neurons, sentences].
    """
    sentences, neurons = bits.shape
    for first in range(0, sentences, TILE):
        beyond = min(sentences, first + TILE)
        for m in range(neurons):
            for i in range(first, beyond):
                rows[m, i] = bits[i, m]


@njit(nogil=True, cache=True)
def pack(rows: np.ndarray, labels: np.ndarray, keys: np.ndarray) -> None:
    """Write the keys of responses.

    Args:
        rows: Float32 responses seen as integers: uint32 [neurons, sentences].
        labels: The language of each sentence: uint64 [sentences].
        keys: Filled: uint64 [neurons, sentences].
    """
    for m in range(rows.shape[0]):
        row, key = rows[m], keys[m]
        for i in range(len(row)):
            number = np.uint32(0) if row[i] == SIGN else row[i]  # -0.0 and 0.0 are one number
            ordered = number ^ (np.uint32(np.int32(number) >> np.int32(31)) | SIGN)
            key[i] = (np.uint64(ordered) << HALF) | labels[i]


@njit(nogil=True, cache=True)
def unpack(keys: np.ndarray, rows: np.ndarray) -> None:
    """Write the responses of keys: the reverse of `pack`."""
    for m in range(keys.shape[0]):
        key, row = keys[m], rows[m]
        for i in range(len(key)):
            ordered = np.uint32(key[i] >> HALF)
            row[i] = ordered ^ (np.uint32(~np.int32(ordered) >> np.int32(31)) | SIGN)


@njit(nogil=True, cache=True)
def rank_sums(
    keys: np.ndarray, starts: np.ndarray, per_rank: np.ndarray, doubled: np.ndarray, precision: np.ndarray
) -> None:
    """Add up, for each language, twice the midranks of its sentences, and the precision at each of them.

    Doubled midranks are integers, so that their sums are exact.

    Args:
        keys: Ascending in each row: uint64 [neurons, sentences].
        starts: How many sentences the languages before each have, and all have: int64 [languages + 1].
        per_rank: One over the number of sentences from each rank upwards: float64 [sentences].
        doubled: Filled: int64 [languages, neurons].
        precision: Filled: float64 [languages, neurons].
    """
    neurons, languages = len(keys), len(starts) - 1
    above, precisions = np.empty(languages), np.empty(languages)
    ranks, odd_ranks = np.empty(languages, np.int64), np.empty(languages, np.int64)
    for m in range(neurons):
        row = keys[m]
        upper, lower = row[1:], row[:-1]
        ties = np.uint64(0)
        for i in range(len(lower)):
            ties += np.uint64(1) if upper[i] ^ lower[i] <= LABEL else np.uint64(0)
        for c in range(languages):
            above[c] = starts[c + 1] - starts[c]
        ranks[:] = 0
        odd_ranks[:] = 0
        precisions[:] = 0
        if ties:
            _add_tied(row, per_rank, above, ranks, precisions)
        else:
            _add(row, per_rank, above, ranks, odd_ranks, precisions)
        doubled[:, m] = ranks + odd_ranks
        precision[:, m] = precisions


@njit(nogil=True, cache=True)
def _add(
    row: np.ndarray,
    per_rank: np.ndarray,
    above: np.ndarray,
    ranks: np.ndarray,
    odd_ranks: np.ndarray,
    precisions: np.ndarray,
) -> None:
    # Two at a time, with separate sums: neighbours are often of one language, and would wait for each other.
    sentences = len(row)
    for i in range(0, sentences - 1, 2):
        c, d = row[i] & LABEL, row[i + 1] & LABEL
        ranks[c] += 2 * (i + 1)
        odd_ranks[d] += 2 * (i + 2)
        precisions[c] += above[c] * per_rank[i]
        above[c] -= 1
        precisions[d] += above[d] * per_rank[i + 1]
        above[d] -= 1
    if sentences % 2:
        c = row[sentences - 1] & LABEL
        ranks[c] += 2 * sentences
        precisions[c] += above[c] * per_rank[sentences - 1]


@njit(nogil=True, cache=True)
def _add_tied(
    row: np.ndarray, per_rank: np.ndarray, above: np.ndarray, ranks: np.ndarray, precisions: np.ndarray
) -> None:
    sentences, before = len(row), np.empty(len(above))
    first = 0
    while first < sentences:
        beyond = first + 1
        while beyond < sentences and row[beyond] ^ row[first] <= LABEL:
            beyond += 1
        if beyond == first + 1:
            c = row[first] & LABEL
            ranks[c] += 2 * beyond
            precisions[c] += above[c] * per_rank[first]
            above[c] -= 1
        else:
            before[:] = above
            for i in range(first, beyond):
                c = row[i] & LABEL
                ranks[c] += first + 1 + beyond
                above[c] -= 1
            for c in range(len(above)):
                precisions[c] += (before[c] - above[c]) * before[c] * per_rank[first]
        first = beyond


@njit(nogil=True, cache=True)
def describe(keys: np.ndarray, rows: np.ndarray, starts: np.ndarray, result: np.ndarray) -> None:
    """Describe each neuron's responses to each language (positives) and to all others (negatives).

    Args:
        keys: Ascending in each row: uint64 [neurons, sentences].
        rows: The responses of the keys: float32 [neurons, sentences].
        starts: How many sentences the languages before each have, and all have: int64 [languages + 1].
        result: Filled with mean, median and standard deviation of the positives, the same of the negatives, and the
            slope of the least-squares line through their matched quantiles: float32 [languages, 7, neurons].
    """
    neurons, sentences = keys.shape
    languages = len(starts) - 1
    away, running = np.empty(sentences), np.empty(sentences + 1)
    ranks, filled = np.empty(sentences, np.int64), np.empty(languages, np.int64)
    means, squares = np.empty(languages), np.empty(languages)
    for m in range(neurons):
        row, key = rows[m], keys[m]
        # Sums are taken of distances from the middle, so that a large mean costs no digits.
        middle = np.float64(row[sentences // 2])
        filled[:] = starts[:-1]
        running[0] = 0.0
        for i in range(sentences):
            away[i] = np.float64(row[i]) - middle
            running[i + 1] = running[i] + away[i]
            c = key[i] & LABEL
            ranks[filled[c]] = i
            filled[c] += 1
        for c in range(languages):
            positive_ranks = ranks[starts[c] : starts[c + 1]]
            means[c] = squares[c] = 0.0
            for i in positive_ranks:
                means[c] += away[i] / len(positive_ranks)
            for i in positive_ranks:
                squares[c] += (away[i] - means[c]) ** 2
        for c in range(languages):
            positive_ranks = ranks[starts[c] : starts[c + 1]]
            n, others = len(positive_ranks), sentences - len(positive_ranks)
            other_mean = other_square = 0.0
            for d in range(languages):
                if d != c:
                    other_mean += means[d] * (starts[d + 1] - starts[d]) / others
            for d in range(languages):
                if d != c:
                    other_square += squares[d] + (starts[d + 1] - starts[d]) * (means[d] - other_mean) ** 2
            result[c, 0, m] = means[c] + middle
            result[c, 1, m] = (np.float64(row[positive_ranks[(n - 1) // 2]]) + row[positive_ranks[n // 2]]) / 2
            result[c, 2, m] = np.sqrt(squares[c] / n)
            result[c, 3, m] = other_mean + middle
            lower, upper = _other(positive_ranks, (others - 1) // 2), _other(positive_ranks, others // 2)
            result[c, 4, m] = (np.float64(row[lower]) + row[upper]) / 2
            result[c, 5, m] = np.sqrt(other_square / others)
            constant = row[_other(positive_ranks, 0)] == row[_other(positive_ranks, others - 1)]
            slope = 1.0
            if not constant and other_square > 0:  # 0 where the others differ by far less than their size
                slope = _coupling(positive_ranks, others, away, running, means[c]) / other_square
            result[c, 6, m] = slope


@njit(nogil=True, cache=True)
def _other(positive_ranks: np.ndarray, r: int) -> int:
    """Return the rank, among all sentences, of the r-th one that is not a positive."""
    low, high = 0, len(positive_ranks)
    while low < high:
        half = (low + high) // 2
        if positive_ranks[half] - half <= r:
            low = half + 1
        else:
            high = half
    return r + low


@njit(nogil=True, cache=True)
def _coupling(positive_ranks: np.ndarray, others: int, away: np.ndarray, running: np.ndarray, mean: float) -> float:
    """Return the sum of products of positives and negatives that are coupled optimally, that is, in order.

    Each of n positives stands for others / n negatives; a negative that straddles two of them is split.

    Args:
        positive_ranks: The ranks of the positives: int64 [positives].
        others: How many negatives there are.
        away: All responses, sorted, from their middle: float64 [sentences].
        running: The sums of all before each: float64 [sentences + 1].
        mean: Of the positives, from the middle.
    """
    total = positives = last = 0.0
    passed = 0
    for i in range(len(positive_ranks)):
        share = (i + 1) * others
        r = share // len(positive_ranks)
        while passed < len(positive_ranks) and positive_ranks[passed] - passed <= r:
            positives += away[positive_ranks[passed]]
            passed += 1
        reached = running[r + passed] - positives
        if r < others:
            reached += (share / len(positive_ranks) - r) * away[r + passed]
        total += (away[positive_ranks[i]] - mean) * (reached - last)
        last = reached
    return total
