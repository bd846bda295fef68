"""Classes of one's own that lack members or return nonsense are told in one line."""

import numpy as np
import pytest

import nmfaudio as na

V = np.random.default_rng(0).random((6, 9)) + 0.1


class Costly(na.Beta):
    """Beta-divergence whose class is not of the package."""


class Unprepared(Costly):
    def prepare(self, V, weights):
        return None


class Powerless(Costly):
    exponents = None


class Incomplete:
    exponents = (1.0, 0.0)

    def value(self, V, Y, weights):
        return 0.0


class Vector(na.penalties.L1):
    def value(self, F, factors):
        return F.sum(axis=1)


class Undefined(na.penalties.L1):
    def value(self, F, factors):
        return np.nan


def test_a_divergence_that_prepares_nothing():
    for call in (na.check_divergence, lambda d: na.nmf(V, 2, beta_loss=d)):
        with pytest.raises(na.ParameterError, match=r"Unprepared\.prepare returned NoneType"):
            call(Unprepared(1.0))


def test_a_divergence_without_exponents():
    for call in (na.check_divergence, lambda d: na.nmf(V, 2, beta_loss=d)):
        with pytest.raises(na.ParameterError, match=r"Powerless\.exponents is None"):
            call(Powerless(1.0))


def test_the_members_that_a_divergence_lacks_are_named():
    for call in (na.check_divergence, lambda d: na.nmf(V, 2, beta_loss=d)):
        with pytest.raises(na.ParameterError, match="Incomplete lacks degree, prepare, gradient"):
            call(Incomplete())


def test_a_penalty_must_cost_a_finite_number():
    with pytest.raises(na.ParameterError, match=r"Vector\.value returned an array of shape \(3,"):
        na.check_penalty(Vector(0.5), (3, 8))
    with pytest.raises(na.ParameterError, match=r"Undefined\.value returned nan"):
        na.check_penalty(Undefined(0.5), (3, 8))
    with pytest.raises(na.ParameterError, match="Incomplete lacks majorize"):
        na.check_penalty(Incomplete(), (3, 8))


def test_penalties_may_be_a_list():
    factor = na.Factor(V, penalties=[na.penalties.L1(0.1)])
    assert factor.penalties == (na.penalties.L1(0.1),)
    with pytest.raises(na.ParameterError, match="sequence of penalties"):
        na.Factor(V, penalties="L1")


@pytest.mark.parametrize("name", ["KL", "Kullback-Leibler", "kl"])
def test_names_of_divergences_in_upper_case(name):
    assert na.nmf(V, 2, beta_loss=name, rng=0, max_iter=2).divergence == na.Beta(1.0)


def test_transposed_initial_factors_are_told():
    with pytest.raises(na.errors.ShapeError, match=r"W has shape \(2, 6\) and looks transposed"):
        na.nmf(V, W=np.ones((2, 6)))
    with pytest.raises(na.errors.ShapeError, match=r"H has shape \(9, 2\) and looks transposed"):
        na.nmf(V, 2, H=np.ones((9, 2)))
