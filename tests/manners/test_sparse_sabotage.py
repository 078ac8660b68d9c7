"""Random sparse problems with right and sabotaged claims: none missed, none accused without reason."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

import fastgrad as fg


class Problem:
    """A sparse function with its Jacobian: sines of entries of x, and the square of a sum in each row."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        m, n = (int(size) for size in rng.integers(2, 60, 2))
        self.shape = m, n
        pattern = sparse.random_array((m, n), density=rng.choice([0.02, 0.05, 0.1, 0.3]), rng=rng, format="csr")
        self.cols, self.starts = pattern.indices, pattern.indptr
        self.rows = np.repeat(np.arange(m), np.diff(self.starts))
        self.sizes = rng.uniform(0.3, 2.0, pattern.nnz) * rng.choice([-1, 1], pattern.nnz)
        self.phases = rng.uniform(0.0, 3.0, pattern.nnz)
        self.x = rng.normal(size=n)

    def f(self, x: Any) -> Any:
        sines = self.sizes * np.sin(x[self.cols] + self.phases)
        sums = np.bincount(self.rows, x[self.cols], minlength=self.shape[0])
        return np.bincount(self.rows, sines, minlength=self.shape[0]) + 0.1 * sums**2

    def claim(self) -> Any:
        x = self.x
        sums = np.bincount(self.rows, x[self.cols], minlength=self.shape[0])
        data = self.sizes * np.cos(x[self.cols] + self.phases) + 0.2 * sums[self.rows]
        return sparse.coo_array((data, (self.rows, self.cols)), shape=self.shape)

    def without(self, share: float) -> Any:
        """Return the claim without a share of its entries."""
        claim = self.claim()
        keep = self.rng.random(claim.nnz) >= share
        return sparse.coo_array((claim.data[keep], (claim.row[keep], claim.col[keep])), shape=self.shape)

    def with_one(self, change: Any) -> Any:
        """Return the claim with one entry changed."""
        claim = self.claim()
        k = self.rng.integers(claim.nnz)
        claim.data[k] = change(claim.data[k])
        return claim

    def with_more(self, value: float) -> Any:
        """Return the claim with something stored at a place of its own."""
        i, j = (int(self.rng.integers(size)) for size in self.shape)
        more = sparse.coo_array(([value], ([i], [j])), shape=self.shape)
        return (self.claim() + more).tocoo()


SABOTAGE: dict[str, Any] = {
    "nothing": lambda p: p.claim(),
    "a stored zero": lambda p: p.with_more(0.0),
    "a wrong value": lambda p: p.with_one(lambda value: value + 1e-3),
    "a wrong sign": lambda p: p.with_one(lambda value: -value),
    "an entry too many": lambda p: p.with_more(0.01),
    "an entry forgotten": lambda p: p.without(1.5 / max(p.claim().nnz, 1)),
    "many forgotten": lambda p: p.without(0.3),
    "all forgotten": lambda p: p.without(1.1),
}


@pytest.mark.parametrize("name", SABOTAGE)
def test_none_is_missed_and_none_accused(name: str) -> None:
    for seed in range(25):
        problem = Problem(seed)
        truth = problem.claim()
        if truth.nnz == 0:
            continue
        claim = SABOTAGE[name](problem)
        off = np.abs((truth - claim).toarray())
        wrong = np.flatnonzero(off > 1e-6 + 1e-5 * np.maximum(abs(truth.toarray()), abs(claim.toarray())))
        check = fg.jacobian_check(problem.f, claim, problem.x)
        assert check.wrong.indices.tolist() == wrong.tolist(), f"seed {seed}: {check}"
        assert check.verdict == ("failed" if wrong.size else "passed")


@pytest.mark.parametrize("name", ["right", "one side", "forgotten", "both sides forgotten", "diagonal"])
def test_hessians_too(name: str) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(3, 40))
        B = (sparse.random_array((n, n), density=0.08, rng=rng) + sparse.eye_array(n)).toarray()
        x = rng.normal(size=n)
        H = B.T @ np.diag(1 - np.tanh(B @ x) ** 2) @ B
        i, j = (int(k) for k in rng.permutation(n)[:2])
        claim = H.copy()
        if name == "one side":
            claim[i, j] += 0.01
        elif name == "diagonal":
            claim[i, i] *= -1
        elif name != "right":
            rows, cols = np.nonzero(np.triu(H, 1))
            if rows.size == 0:
                continue
            k = int(rng.integers(rows.size))
            claim[rows[k], cols[k]] = 0.0
            if name == "both sides forgotten":
                claim[cols[k], rows[k]] = 0.0
        wrong = np.flatnonzero(np.abs(H - claim) > 1e-6 + 1e-5 * np.maximum(abs(H), abs(claim)))
        check = fg.hessian_check(None, sparse.csr_array(claim), x, grad=lambda x, B=B: np.tanh(B @ x) @ B)
        assert check.mode == "sparse"
        assert check.wrong.indices.tolist() == wrong.tolist(), f"seed {seed}: {check}"
