"""Compile the kernels that most tests use: ``python tests/warm_kernels.py float32``.

The workers of a test run would otherwise each compile them.
"""

import sys

import numpy as np

import nmfaudio as na

BETAS = (1, 2, 0, 0.5, 1.5, 2.5)


def main(dtype: str) -> None:
    rng = np.random.default_rng(0)
    V = (rng.random((70, 60)) + 0.1).astype(dtype)
    W, H = rng.random((3, 70, 4)).astype(dtype), rng.random((4, 60)).astype(dtype)
    factors = [na.Factor(W, penalties=(na.penalties.L2(0.1),)), na.Factor(H)]
    for beta in BETAS:
        na.nmf(V, 4, beta_loss=beta, solver="mu", max_iter=1, init="random")
        divergence = na.Beta(beta)
        na.decompose(
            V, factors, structure=na.structures.Convolutive(), divergence=divergence, max_iter=1
        )
    for solver, beta in (("bmme", 1), ("hals", 2), ("ccd", 1), ("pg", 2)):
        na.nmf(V, 4, beta_loss=beta, solver=solver, max_iter=1)


if __name__ == "__main__":
    main(sys.argv[1])
