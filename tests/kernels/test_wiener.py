"""The multichannel Wiener filter against matrix inverses, for two and for more channels."""

import numpy as np
import pytest

from nmfaudio.kernels import wiener, wiener_stereo


def scene(channels, dtype, sources=3, time=37, freq=70):
    """A mixture with a silent bin, masks, covariances, and forms that sharpen the masks."""
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((channels, time, freq)) + 1j * rng.standard_normal((1, time, freq))
    Z[:, 5, 7] = 0
    masks = rng.random((sources, time, freq)) ** 3 + 1e-3
    A = rng.standard_normal((2, 2, sources, freq, channels, channels))
    R, K = (B[0] + 1j * B[1] for B in A)
    R, K = (B @ B.conj().swapaxes(-1, -2) + 1e-3 * np.eye(channels) for B in (R, K))
    Z = Z.astype(dtype)
    return Z, (masks / masks.sum(0)).astype(Z.real.dtype), R, K


def textbook(Z, masks, R, K):
    """Sources (source, channel, time, freq), their moments, and the expected squared error."""
    z = Z.transpose(1, 2, 0)[..., None].astype(np.complex128)  # (time, freq, channel, 1)
    power = np.square(np.abs(z)).sum(axis=(2, 3))
    distance = (z.conj().swapaxes(-1, -2) @ K[:, None] @ z).real[..., 0, 0]
    with np.errstate(invalid="ignore"):
        shares = masks * np.where(power > 0, power / distance, 1.0)
    shares /= shares.sum(0)
    Q = shares[..., None, None] * R[:, None]  # (source, time, freq, channel, channel)
    P = np.linalg.inv(Q.sum(0))
    x = Q @ P @ z
    rest = (power / len(Z))[..., None, None] * (Q - Q @ P @ Q)
    moments = (x @ x.conj().swapaxes(-1, -2) + rest).sum(axis=1)
    return x[..., 0].transpose(0, 3, 1, 2), moments, rest.trace(axis1=3, axis2=4).real.sum()


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_the_filter_and_its_moments_equal_matrix_inverses(channels, dtype):
    Z, masks, R, K = scene(channels, dtype)
    sources, moments, error = textbook(Z, masks, R, K)
    X = np.empty(sources.shape, dtype)
    wiener.apply_filter(Z, masks, R, K, X)
    found, missed = wiener.posterior_moments(Z, masks, R, K)
    # Sums and quotients are float64, but for the shares of more than two channels.
    within = 1e-9 if dtype == np.complex128 else 1e-5
    np.testing.assert_allclose(X, sources, atol=within * np.abs(sources).max())
    np.testing.assert_allclose(found, moments, atol=within * np.abs(moments).max())
    np.testing.assert_allclose(missed, error, rtol=within)
    np.testing.assert_allclose(X.sum(0), Z, atol=20 * np.finfo(dtype).eps * np.abs(Z).max())


def test_masked_moments_are_sums_of_outer_products():
    Z, masks, _, _ = scene(3, np.complex64)
    weighted = masks[:, None].astype(np.float64) * Z  # (source, channel, time, freq)
    true = np.einsum("satf,sbtf->sfab", weighted, weighted.conj())
    np.testing.assert_allclose(wiener.masked_moments(Z, masks), true, rtol=1e-9)


def test_packed_matrices_are_found_again():
    _, _, R, _ = scene(2, np.complex128)
    again = wiener_stereo.unpack(wiener_stereo.pack(R), R.shape[1])
    np.testing.assert_allclose(again, R, atol=1e-14)
