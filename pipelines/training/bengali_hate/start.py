"""First values of the token embeddings: the singular vectors of the tokens' positive pointwise mutual information.

Levy and Goldberg (2014): word vectors by factorising the shifted PPMI matrix. Small encoders gain most from a start that already
knows which tokens keep the same company.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse
import torch
from sklearn.utils.extmath import randomized_svd
from torch import Tensor


def cooccurrences(sequences: list[list[int]], size: int, window: int) -> scipy.sparse.csr_matrix:
    """How often two tokens stand at most `window` positions apart, nearer pairs counting more (1/distance); symmetric (size, size)."""
    # A gap of `window` impossible ids between texts keeps pairs from crossing a border.
    flat = np.concatenate([np.array([*sequence, *[-1] * window], dtype=np.int64) for sequence in sequences])
    total = scipy.sparse.csr_matrix((size, size), dtype=np.float64)
    for distance in range(1, window + 1):
        left, right = flat[:-distance], flat[distance:]
        both = (left >= 0) & (right >= 0)
        weight = np.full(int(both.sum()), 1.0 / distance)
        total = total + scipy.sparse.csr_matrix((weight, (left[both], right[both])), shape=(size, size))
    return (total + total.T).tocsr()


def embeddings(sequences: list[list[int]], size: int, width: int, window: int, seed: int) -> Tensor:
    """First embeddings (size, width) with the standard deviation 0.02 that BERT starts from."""
    counts = cooccurrences(sequences, size, window).tocoo()
    sums = np.asarray(counts.sum(axis=1)).ravel()
    smooth = sums**0.75
    information = np.log(counts.data * smooth.sum() / (sums[counts.row] * smooth[counts.col]))
    positive = np.maximum(information, 0.0)
    matrix = scipy.sparse.csr_matrix((positive, (counts.row, counts.col)), shape=(size, size))
    left, strength, _ = randomized_svd(matrix, n_components=width, n_iter=3, random_state=seed)
    vectors = left * np.sqrt(strength)
    # Tokens that occur nowhere keep a small random vector instead of zero.
    vectors += np.random.default_rng(seed).normal(0.0, vectors.std() * 0.1, vectors.shape)
    return torch.from_numpy(vectors / vectors.std() * 0.02).float()
