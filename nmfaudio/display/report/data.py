"""JSON data of a report page."""

from __future__ import annotations

import base64
import platform
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nmfaudio._common.extras import installed_version
from nmfaudio._common.json_types import as_json
from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio._common.versions import PACKAGES, libsndfile_version
from nmfaudio._version import __version__
from nmfaudio.audio.transforms import Stft, default_n_fft
from nmfaudio.display.report.contents import ReportContents
from nmfaudio.display.report.pictures import LogAxis, as_levels, encode_png, pool_frames
from nmfaudio.display.report.sound import SoundCoding, common_gain, encode_sound
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Beta, Divergence
from nmfaudio.factorisation.structures import Structure
from nmfaudio.kernels.threads import parallel_for

_COMMANDS = ("regroup", "paint")  # of the page
_LOWEST, _HIGHEST = 40.0, 16000.0  # Hz
_ROWS = 144  # 17 for each octave of the full range
_COLUMNS = 1200  # of a spectrogram
_STEPS = 500  # of an activation
_LAGS = 60  # of a template with several spectra
_RANGE_DB = 80.0
_TEMPLATE_RANGE_DB = 50.0
_BLOCK_FRAMES = 1024  # of a spectrogram in memory
_BLOCK_SAMPLES = 2**18
_DIVERGENCES = {0.0: "Itakura–Saito", 1.0: "Kullback–Leibler", 2.0: "Euclidean"}  # by β
_STRUCTURES = {
    "Product": "NMF",
    "Convolutive": "NMFD, templates of several frames",
    "Channels": "multichannel NMF",
    "Convolutive2D": "NMF2D, templates shifted in pitch",
    "Harmonic": "harmonic NMF",
    "SourceFilter": "source/filter model",
    "Masked": "masked NMF",
    "AttackDecay": "attack/decay model",
}
_WORDS = {None: "default", True: "yes", False: "no"}  # for values of settings
# Of Opus: 134 kbit/s for each channel, since stems can be saved; components have 33 kbit/s.
_STEM_QUALITY, _COMPONENT_QUALITY = 0.5, 0.1


@dataclass(frozen=True, eq=False)
class PageData:
    """Contents of a page as JSON and encoded sounds.

    Parameters
    ----------
    contents : ReportContents
    coding : SoundCoding
    """

    contents: ReportContents
    coding: SoundCoding

    @cached_property
    def gain(self) -> float:
        """Common factor of all sounds."""
        parts = [self.contents.mixture, *self.contents.stems.values()]
        parts += [sound.samples[None] for sound in self.contents.sounds.values()]
        parts += [y[None] for y in self.contents.rests.values()]
        return common_gain(max(map(_peak, parts)))

    @cached_property
    def axis(self) -> LogAxis:
        """Frequency axis of all pictures."""
        return LogAxis(_LOWEST, min(_HIGHEST, self.contents.sr / 2), _ROWS)

    def sounds(self) -> dict[str, bytes]:
        """Encode the mixture, the stems and the components, on several threads.

        Returns
        -------
        dict of str to bytes
            Files by name: ``"mixture"``, ``"stem-0"`` and ``"rest-0"`` (by position) or
            ``"component-3"`` (by index).
        """
        contents = self.contents
        stems = [(f"stem-{i}", y, _STEM_QUALITY) for i, y in enumerate(contents.stems.values())]
        components = [
            (f"component-{k}", sound.samples[None], _COMPONENT_QUALITY)
            for k, sound in sorted(contents.sounds.items())
        ]
        rests = [
            (f"rest-{i}", contents.rests[name][None], _STEM_QUALITY)
            for i, name in enumerate(contents.stems)
            if name in contents.rests
        ]
        tasks = [("mixture", contents.mixture, _STEM_QUALITY), *stems, *components, *rests]
        encoded = dict.fromkeys((name for name, *_ in tasks), b"")

        def work(parts: range) -> None:
            for name, y, quality in (tasks[i] for i in parts):
                encoded[name] = encode_sound(
                    y, contents.sr, self.coding, gain=self.gain, quality=quality
                )

        parallel_for(work, len(tasks))
        return encoded

    def as_dict(self) -> dict[str, Any]:
        """Return all but the sounds, JSON-serialisable.

        Returns
        -------
        dict
        """
        contents = self.contents
        fitted = contents.decomposition
        return {
            "title": contents.title.encode(errors="backslashreplace").decode(),  # lone surrogates
            "remarks": list(contents.remarks),
            "recording": contents.recording,
            "model": contents.model,
            "options": {name: list(contents.options.get(name, ())) for name in _COMMANDS},
            "start": contents.start,
            "sr": contents.sr,
            "channels": contents.mixture.shape[0],
            "seconds": contents.seconds,
            "alpha": contents.alpha,
            "coding": {"title": self.coding.title, "mime": self.coding.mime, "gain": self.gain},
            "axis": {"low": self.axis.low, "high": self.axis.high, "rows": self.axis.rows},
            "pictures": self._pictures(),
            "stems": [
                {"name": name, "components": [int(k) for k in contents.groups.get(name, ())]}
                for name in contents.stems
            ],
            "components": self._components(),
            "rests": [i for i, name in enumerate(contents.stems) if name in contents.rests],
            "notes": [
                [note.onset, note.offset, note.pitch, note.velocity, note.track]
                for note in contents.notes
            ],
            "losses": {"iterations": fitted.checks.tolist(), "values": fitted.losses.tolist()},
            "facts": self._facts(),
            "settings": [[name, _shown(value)] for name, value in contents.settings.items()],
            "versions": _versions(),
            "scores": {
                name: {measure: _decibels(value) for measure, value in scores.items()}
                for name, scores in contents.scores.items()
            },
            "references": dict(contents.references),
        }

    def _pictures(self) -> list[str]:
        """Spectrograms of the mixture and of each stem on one scale, as PNG in base64."""
        contents = self.contents
        stft = Stft(contents.sr, default_n_fft(contents.sr))
        pooled = [
            pool_frames(self._rows(y, stft), _COLUMNS)
            for y in (contents.mixture, *contents.stems.values())
        ]
        peak = float(pooled[0].max(initial=0.0))
        return [as_base64(encode_png(as_levels(V, peak, _RANGE_DB))) for V in pooled]

    def _rows(self, y: np.ndarray | LazyAudio, stft: Stft) -> np.ndarray:
        """Spectrogram on the frequency axis of the page [shape=(row, time)]."""
        blocks = stft.forward_blocks(y, _BLOCK_FRAMES)  # type: ignore[arg-type]  # or as lazy
        pooled = [self.axis.pool(stft.features(Z), stft.frequencies) for Z in blocks]
        return np.concatenate(pooled, axis=1)

    def _components(self) -> list[dict[str, Any]]:
        """Template, activation and features of each component of the stems."""
        contents = self.contents
        W, H = _over_lags(contents.decomposition.W), _over_shifts(contents.decomposition.H)
        H = H[:, : contents.mixture.shape[1] // contents.transform.hop + 1]
        energy = _energies(W, H)
        found = []
        for k in sorted(k for group in contents.groups.values() for k in group):
            spectrum = W[..., k].max(axis=0)
            sound = contents.sounds.get(k)
            found.append(
                {
                    "index": int(k),
                    "centre": _centre(spectrum, contents.transform.frequencies),
                    "share": float(energy[k]),
                    "template": self._template(W[..., k]),
                    "activation": as_base64(_activation(H[k])),
                    "loudest": float(np.argmax(H[k]) * contents.transform.hop_seconds),
                    "start": 0.0 if sound is None else sound.start,
                    "seconds": 0.0 if sound is None else len(sound.samples) / contents.sr,
                }
            )
        return found

    def _template(self, template: np.ndarray) -> dict[str, Any]:
        """Levels of a template [shape=(lag, freq)]: one byte for each row, lag after lag."""
        magnitudes = template ** (1 / self.contents.transform.power)
        rows = self.axis.pool(magnitudes.T, self.contents.transform.frequencies)
        levels = as_levels(pool_frames(rows, _LAGS), float(rows.max()), _TEMPLATE_RANGE_DB)
        seconds = len(template) * self.contents.transform.hop_seconds
        return {
            "lags": levels.shape[1],
            "seconds": seconds,
            "levels": as_base64(levels.T.tobytes()),
        }

    def _facts(self) -> list[list[str]]:
        """Labels and values of the numbers of the fit."""
        contents = self.contents
        fitted = contents.decomposition
        channels, samples = contents.mixture.shape
        names = {1: "mono", 2: "stereo"}
        ended = "converged" if fitted.converged else "limit reached"
        peak = _peak(contents.mixture) or 1.0
        error = contents.sum_error
        return [
            ["Duration", f"{contents.seconds:.2f} s ({samples:,} samples)"],
            ["Sample rate", f"{contents.sr:,} Hz, {names.get(channels, f'{channels} channels')}"],
            ["Components", f"{fitted.n_components}"],
            ["Structure", _structure_text(fitted.structure)],
            ["Divergence", _divergence_text(fitted.divergence)],
            ["Iterations", f"{fitted.n_iter} ({ended})"],
            ["Final loss", f"{fitted.losses[-1]:.6g}"],
            *([] if error is None else [_difference("Sum error", error, peak)]),
            ["Exponent of the masks", f"{contents.alpha:g}"],
            ["Sound in this page", f"{self.coding.title}, gain {self.gain:.3g}"],
        ]


def component_shares(decomposition: Decomposition) -> np.ndarray:
    """Return the share of each component in a model.

    Parameters
    ----------
    decomposition : Decomposition

    Returns
    -------
    np.ndarray [shape=(component,)]
        Shares in the sum of all models, without masks.
    """
    return _energies(_over_lags(decomposition.W), _over_shifts(decomposition.H))


def as_base64(data: bytes | np.ndarray) -> str:
    """Text of bytes in base64.

    Parameters
    ----------
    data : bytes or np.ndarray

    Returns
    -------
    str
    """
    content = data if isinstance(data, bytes) else data.tobytes()
    return base64.b64encode(content).decode("ascii")


def _over_lags(W: np.ndarray) -> np.ndarray:
    """Templates of any structure as (lag, freq, component)."""
    return W.reshape(-1, *W.shape[-2:])


def _over_shifts(H: np.ndarray) -> np.ndarray:
    """Activations of any structure as (component, time): the largest of all shifts."""
    pooled: np.ndarray = H.reshape(-1, *H.shape[-2:]).max(axis=0)
    return pooled


def _energies(W: np.ndarray, H: np.ndarray) -> np.ndarray:
    """Share of each component in the sum of W H, without masks [shape=(component,)]."""
    each = W.sum(axis=(0, 1), dtype=np.float64) * H.sum(axis=1, dtype=np.float64)
    shares: np.ndarray = each / (each.sum() or 1.0)
    return shares


def _centre(spectrum: np.ndarray, frequencies: np.ndarray) -> float:
    """Mean frequency of a spectrum in Hz, weighted by its squares; 0 if it is empty."""
    energy = spectrum.astype(np.float64) ** 2
    total = float(energy.sum())
    return float(energy @ frequencies) / total if total > 0 else 0.0


def _activation(row: np.ndarray) -> np.ndarray:
    """Activation as bytes, relative to its maximum."""
    pooled = pool_frames(row, _STEPS)
    levels: np.ndarray = np.rint(255 * pooled / (pooled.max(initial=0) or 1.0)).astype(np.uint8)
    return levels


def _structure_text(structure: Structure) -> str:
    """Name of a structure for readers."""
    name = type(structure).__name__
    return _STRUCTURES.get(name, name)


def _divergence_text(divergence: Divergence) -> str:
    """Name of a divergence for readers."""
    if not isinstance(divergence, Beta):
        return str(divergence)
    name = _DIVERGENCES.get(divergence.beta)
    return f"{name} (β = {divergence.beta:g})" if name else f"β = {divergence.beta:g}"


def _shown(value: Any) -> str:
    """Setting as text; long lists are cut."""
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    text = str(as_json(value))
    return text if len(text) <= 200 else text[:199] + "…"


def _difference(label: str, value: float, peak: float) -> list[str]:
    return [label, f"{value:.1e} ({value / peak:.1e} of the peak)"]


def _peak(y: np.ndarray | LazyAudio) -> float:
    """Largest magnitude of a sample."""
    starts = range(0, y.shape[1], _BLOCK_SAMPLES)
    blocks = (y[:, start : start + _BLOCK_SAMPLES] for start in starts)
    return max((float(np.abs(block).max(initial=0.0)) for block in blocks), default=0.0)


def _decibels(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1f}"


def _versions() -> list[list[str]]:
    """Names and versions of the packages in use."""
    rows = [["nmfaudio", __version__], ["Python", platform.python_version()]]
    rows += [[name, installed_version(name) or "not installed"] for name in PACKAGES]
    return [*rows, ["libsndfile", libsndfile_version() or "not found"]]
