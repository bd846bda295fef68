"""The public checks find what they are for: each mutant violates one law and is named for it."""

import numpy as np
import pytest
from laws.catalogue import InverseGamma

import nmfaudio as na
from nmfaudio.factorisation.penalties import Terms

Product = na.structures.Product
PAIR = [(9, 3), (3, 14)]


def mutant(base, **members):
    return type("Mutant", (base,), members)


def doubled(self, i, G, X):
    return 2 * Product.adjoint(self, i, G, X)


def squared(self, X):
    return Product.forward(self, [X[0] ** 2, X[1]])


def wide(self, X):
    return Product.forward(self, X).astype(np.float64)


def greedy(self, X):
    X[0][0] = 1
    return Product.forward(self, X)


STRUCTURES = {
    "adjoint is not the transposed derivative of factor 0": {"adjoint": doubled},
    "forward is not affine in factor 0": {"forward": squared},
    "forward returned float64 for float32": {"forward": wide},
    "wrote into its factors": {"forward": greedy},
    "part of a partition does not sum": {"select": lambda self, X, components: X},
    "part of frames": {"excerpt": lambda self, X, frames: ([X[0], X[1][:, : frames.stop]], 0)},
    "templates ends in": {"templates": lambda self, X: X[0].T},
    "activations ends in": {"activations": lambda self, X: X[1].T},
    "scale_carriers": {"scale_carriers": lambda self, count: (0, 1)},
    "component_axes returned": {"component_axes": lambda self, count: (1, 0, 0)},
}


@pytest.mark.parametrize("law", STRUCTURES)
def test_a_structure_that_violates_a_law(law):
    with pytest.raises(na.ParameterError, match="Mutant.*" + law) as error:
        na.check_structure(mutant(Product, **STRUCTURES[law])(), PAIR)
    assert "\n" not in str(error.value)


class Cubic:
    """Σ F³ / 3, which no parabola bounds that touches it."""

    def value(self, F, factors):
        return float((F.astype(float) ** 3).sum() / 3)

    def majorize(self, F, factors):
        return Terms(quadratic=F.astype(float))


class Flat(na.penalties.L2):
    def majorize(self, F, factors):
        return Terms(linear=self.weight * F)


class Steep(na.penalties.L1):
    def majorize(self, F, factors):
        return Terms(linear=1.1 * self.weight)


class Negative(na.penalties.L2):
    def majorize(self, F, factors):
        return Terms(linear=2 * self.weight * F.astype(float), quadratic=-self.weight)


class Coarse(na.penalties.L1):
    def value(self, F, factors):
        return self.weight * float(F.sum())


class Untidy(na.penalties.L1):
    def value(self, F, factors):
        F *= 1
        F[..., 0] = 0
        return super().value(F, factors)


@pytest.mark.parametrize(
    ("penalty", "law"),
    [
        (Cubic(), "Cubic.majorize (bends less|is no upper bound)"),
        (Flat(1.0), "Flat.majorize .*bends less"),
        (Steep(1.0), "Steep.majorize has another slope .*off by 0.1"),
        (Negative(1.0), "Negative.majorize (bends|has)|quadratic term of Negative.majorize"),
        (Coarse(1.0), "Coarse.value loses digits"),
        (Untidy(1.0), "Untidy"),
    ],
)
def test_a_penalty_that_violates_a_law(penalty, law):
    with pytest.raises(na.ParameterError, match=law) as error:
        na.check_penalty(penalty, (3, 14))
    assert "\n" not in str(error.value)


def test_a_penalty_of_a_user_passes():
    na.check_penalty(InverseGamma(0.2, 0.01), (3, 8))


def halves(change):
    def gradient_parts(self, V, Y, weights):
        return change(*na.Beta.gradient_parts(self, V, Y, weights))

    return gradient_parts


def value(change):
    def value(self, V, Y, weights):
        return change(na.Beta.value(self, V, Y, weights), V, Y, weights)

    return value


DIVERGENCES = {
    "gradient_parts do not differ by the gradient": {
        "gradient_parts": halves(lambda A, B: (A, 2 * B))
    },
    "gradient_parts has values": {"gradient_parts": halves(lambda A, B: (A - B, 0 * B))},
    "gradient_parts returned float64": {
        "gradient_parts": halves(lambda A, B: (A.astype(float), B))
    },
    "degree is 3": {"degree": property(lambda self: 3.0)},
    "exponents .* give no upper bound": {"exponents": property(lambda self: (0.0, 0.0))},
    "exponents is": {"exponents": property(lambda self: (0.0, 1.0))},
    "value is no sum over bins": {"value": value(lambda d, V, Y, m: d**2)},
    "value (is not proportional to|differs for) .*weights": {
        "value": value(lambda d, V, Y, m: d + (0 if m is None else 1))
    },
    "value is .* less than": {"value": value(lambda d, V, Y, m: -d)},
    "prepare returned shape": {"prepare": lambda self, V, weights: V[1:]},
}


@pytest.mark.parametrize("law", DIVERGENCES)
def test_a_divergence_that_violates_a_law(law):
    with pytest.raises(na.ParameterError, match=f"Mutant.({law})") as error:
        na.check_divergence(mutant(na.Beta, **DIVERGENCES[law])(1.0))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("beta", [-0.5, 0, 0.5, 1, 1.3, 2, 3])
def test_every_beta_passes(beta):
    na.check_divergence(na.Beta(beta))


@pytest.mark.parametrize(
    "check",
    [
        lambda: na.check_structure(Product, PAIR),
        lambda: na.check_penalty(na.penalties.L1, (3, 4)),
        lambda: na.check_divergence("kl"),
    ],
)
def test_what_is_none_of_them_is_refused(check):
    with pytest.raises(na.ParameterError, match="must be an instance of"):
        check()


class Gained(Product):
    """W · H · g with the gain last, or first."""

    first = False

    def _sorted(self, factors):
        return (factors[1], factors[2], factors[0]) if self.first else tuple(factors)

    def shape(self, factors):
        W, _, g = self._sorted(factors)
        return len(W), g.shape[1]

    def component_axes(self, count):
        return (None, 1, 0) if self.first else (1, 0, None)

    def forward(self, factors):
        W, H, g = self._sorted(factors)
        return W @ (H * g)

    def adjoint(self, i, G, factors):
        W, H, g = self._sorted(factors)
        back = (G @ (H * g).T, W.T @ G * g, (W.T @ G * H).sum(0, keepdims=True))
        return back[(i - 1) % 3] if self.first else back[i]


class GainedFirst(Gained):
    first = True


def test_the_methods_that_a_third_factor_needs_are_named():
    with pytest.raises(na.ParameterError, match=r"Gained\.n_components is 1, but factor 0 of"):
        na.check_structure(Gained(), [(9, 3), (3, 12), (1, 12)])
    with pytest.raises(na.ParameterError, match=r"GainedFirst\.excerpt does not fit forward"):
        na.check_structure(GainedFirst(), [(1, 12), (9, 3), (3, 12)])
