"""From a transcriber to the events of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, cast

import numpy as np

from nmfaudio.audio.masking import analyse
from nmfaudio.audio.preparation import prepared
from nmfaudio.audio.transforms import Stft
from nmfaudio.dictionaries.bundled import bundled_kit
from nmfaudio.dictionaries.drum_kit import convert_drum_templates
from nmfaudio.dictionaries.drum_model import BAND_WIDTH, fit_kit
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.dictionaries.stroke_decisions import MODELLED
from nmfaudio.dictionaries.stroke_features import stroke_bands
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.streaming.events import NoteEvent
from nmfaudio.streaming.hits import HitPicker
from nmfaudio.streaming.notes import NoteDecoder
from nmfaudio.streaming.stroke_picker import StrokePicker
from nmfaudio.streaming.templates import TemplateFit, Templates
from nmfaudio.symbolic.names import KINDS_OF_PARTS
from nmfaudio.transcription.decoding import Decoding
from nmfaudio.transcription.drums import DrumTranscriber
from nmfaudio.transcription.note_model import NoteModel
from nmfaudio.transcription.transcriber import Transcriber

# Drums: the last four frames are refitted, and the activation after two more frames is used.
# (With the newest activation, and after four frames, F of eight tracks is lower by .01 to .02.)
_REFITTED, _ITERATIONS, HIT_LOOKAHEAD = 4, 10, 2
_FAINT = 0.01  # share of the loudest activation of a frame below which others are ignored
_QUIETEST = 1e-3  # amplitude of a tone that is not a note, unless there are fainter notes only


class EventModel(Protocol):
    """Events of a stream, frame by frame.

    Attributes
    ----------
    horizon : int
        Largest number of frames from an event to its report.
    """

    horizon: int

    def step(self, v: np.ndarray) -> list[NoteEvent]:
        """Add a frame [shape=(freq,)], and return the events that are certain now."""
        ...

    def finish(self, time: float) -> list[NoteEvent]:
        """Return the events at the end of the stream, in seconds."""
        ...


class HitModel:
    """Drum hits of a stream.

    Parameters
    ----------
    transcriber : DrumTranscriber
    transform : Stft
    recording : np.ndarray [shape=(channel, sample)], optional
        Recording of the kit, to which its templates are adapted first.
    lookahead : int
        Frames until an activation is used.
    """

    def __init__(
        self,
        transcriber: DrumTranscriber,
        transform: Stft,
        recording: np.ndarray | None,
        lookahead: int,
    ) -> None:
        # The shipped sounds ring too long to be refitted in every frame.
        kit = bundled_kit() if transcriber.is_shipped else transcriber.dictionary
        if recording is None:
            # DrumTranscriber takes no dictionary of another transform.
            W = convert_drum_templates(kit.templates, cast("Stft", kit.transform), transform)
        else:
            V = analyse(prepared(recording, transform.sr, transform.sr), transform)
            prior, iterations = transcriber.prior_weight, transcriber.max_iter
            W = fit_kit(V, kit, transform, prior_weight=prior, max_iter=iterations).W
        # One group in the order of the kit, so that activations stay in that order.
        groups = {"kit": range(kit.n_components)}
        templates = Templates(
            W, groups, band_width=BAND_WIDTH, refitted=_REFITTED, iterations=_ITERATIONS
        )
        self._fit = TemplateFit(templates, lookahead)
        self._sums = W.sum(axis=(0, 1), dtype=np.float64)
        self._parts = [list(kit.components(part)) for part in self._fitted_parts(transcriber)]
        self._plan(transcriber, transform, lookahead)

    def _fitted_parts(self, transcriber: DrumTranscriber) -> Sequence[str]:
        """Parts whose activations are used."""
        return transcriber.parts

    def _plan(self, transcriber: DrumTranscriber, transform: Stft, lookahead: int) -> None:
        hop = transform.hop_seconds
        self._picker = HitPicker(transcriber.parts, hop, transcriber.threshold)
        self._late = lookahead * hop
        self.horizon = lookahead + self._picker.reach + 1

    def _levels(self, v: np.ndarray) -> np.ndarray:
        """Fit the activations of a frame, and return the levels of the parts."""
        self._fit.update(v)
        levels = self._fit.activations * self._sums
        return np.array([levels[part].sum() for part in self._parts])

    def step(self, v: np.ndarray) -> list[NoteEvent]:
        """Fit the activations of a frame, and pick the hits."""
        hits = self._picker.step(self._levels(v))
        return [replace(hit, time=max(0.0, hit.time - self._late)) for hit in hits]

    def finish(self, time: float) -> list[NoteEvent]:
        """Hits have no ends."""
        return []


class StrokeModel(HitModel):
    """Drum hits of a stream by the kit that ships with the package and the classifier of strokes.

    Parameters
    ----------
    transcriber, transform, recording, lookahead
        As for `HitModel`.
    """

    def _fitted_parts(self, transcriber: DrumTranscriber) -> Sequence[str]:
        return MODELLED

    def _plan(self, transcriber: DrumTranscriber, transform: Stft, lookahead: int) -> None:
        kinds = [kind for kind in KINDS_OF_PARTS["hihat"] if kind in transcriber.parts]
        if kinds:
            raise ParameterError(
                f"a stream has no {' and no '.join(kinds)}: whether a hi-hat is open shows only "
                "after it was reported; choose hihat"
            )
        hop = transform.hop_seconds
        self._transform = transform
        self._strokes = StrokePicker(transcriber.parts, hop, transcriber.threshold, lookahead)
        self.horizon = self._strokes.reach + 1

    def step(self, v: np.ndarray) -> list[NoteEvent]:
        """Fit the activations of a frame, and decide what was struck."""
        bands = stroke_bands(v[:, None], self._transform)[:, 0]
        return self._strokes.step(bands, self._levels(v))


class PitchModel:
    """Pitched notes of a stream.

    Parameters
    ----------
    transcriber : Transcriber
        With a `NoteModel` and a `Decoding`.
    transform : Stft
    recording : np.ndarray [shape=(channel, sample)], optional
        Recording of the instrument, to which its templates are adapted first.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        transform: Stft,
        recording: np.ndarray | None,
    ) -> None:
        if transcriber.contours:
            raise ParameterError(
                "a stream has no contours, which need whole notes; leave out contours=True"
            )
        model, decoding = transcriber.model, transcriber.decoding
        if not isinstance(model, NoteModel) or not isinstance(decoding, Decoding):
            raise ParameterError(
                "a stream needs a Transcriber with a NoteModel and a Decoding, got "
                f"{type(model).__name__} and {type(decoding).__name__}"
            )
        if model.n_free or model.group_sparsity or not isinstance(model.divergence, Beta):
            raise ParameterError(
                "a stream needs a NoteModel with a beta-divergence, n_free=0 and group_sparsity=0"
            )
        if decoding.monophonic:
            raise ParameterError(
                "a stream cannot choose among notes that sound together, which needs those that "
                "follow; leave out monophonic=True (--monophonic)"
            )
        dictionary = _converted(transcriber.dictionary, transform)
        top = np.inf if model.max_frequency is None else model.max_frequency
        self._rows = int(np.searchsorted(transform.frequencies, top, side="right"))
        W = dictionary.templates
        if recording is not None:
            V = analyse(prepared(recording, transform.sr, transform.sr), transform)
            W = model.activations(V, dictionary).W
        W = W[: self._rows].astype(np.float32)
        W = W / np.maximum(W.sum(axis=0), np.finfo(np.float32).tiny)
        templates = Templates(
            W[None],
            {"notes": range(W.shape[1])},
            beta=model.divergence.beta,
            iterations=model.max_iter,
            faint=_FAINT,
        )
        self._fit = TemplateFit(templates, 0)
        pitches, self._places = np.unique(dictionary.pitches, return_inverse=True)
        self._n_pitches = len(pitches)
        quietest = _QUIETEST * transform.n_fft / 4  # sum of the peak of a tone of that amplitude
        self._decoder = NoteDecoder(decoding, pitches, transform.hop_seconds, quietest)
        self.horizon = self._decoder.horizon

    def step(self, v: np.ndarray) -> list[NoteEvent]:
        """Fit the activations of a frame, and decode its salience."""
        self._fit.update(v[: self._rows])
        # Several templates of a pitch add up to its salience.
        salience = np.bincount(self._places, self._fit.activations, self._n_pitches)
        return self._decoder.step(salience)

    def finish(self, time: float) -> list[NoteEvent]:
        """Ends of the notes that last until the end."""
        return self._decoder.finish(time)


class EventReporter:
    """Events of the frames of a stream.

    Parameters
    ----------
    model : EventModel
    stft : Stft
        Transform of the frames.
    """

    names: tuple[str, ...] = ("notes",)

    def __init__(self, model: EventModel, stft: Stft) -> None:
        self._model = model
        self._stft = stft

    def add(self, Z: np.ndarray) -> list[list[NoteEvent]]:
        """Add frames, and return the events that are certain now.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]

        Returns
        -------
        list of list of NoteEvent
            One list.
        """
        return [[event for v in self._stft.features(Z).T for event in self._model.step(v)]]

    def finish(self, Z: np.ndarray, length: int) -> list[list[NoteEvent]]:
        """Add the last frames, and return all events that are left.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]
        length : int
            Number of samples of the stream.

        Returns
        -------
        list of list of NoteEvent
            One list; none begins after the stream.
        """
        silence = np.zeros((*Z.shape[:2], self._model.horizon), Z.dtype)
        end = length / self._stft.sr
        (events,) = self.add(np.concatenate([Z, silence], axis=2))
        kept = [replace(event, time=min(event.time, end)) for event in events]
        return [kept + self._model.finish(end)]

    def join(self, results: list[list[list[NoteEvent]]]) -> list[list[NoteEvent]]:
        """Concatenate successive results.

        Parameters
        ----------
        results : list of list of list of NoteEvent

        Returns
        -------
        list of list of NoteEvent
            One list.
        """
        return [[event for (events,) in results for event in events]]


def event_transform(transcriber: Transcriber | DrumTranscriber, sr: int) -> Stft:
    """Return the transform of a stream: that of the transcriber, at the stream's sample rate.

    Parameters
    ----------
    transcriber : Transcriber or DrumTranscriber
    sr : int
        Sample rate in Hz. Templates are converted to it, and nothing is resampled.

    Returns
    -------
    Stft

    Raises
    ------
    ParameterError
        The dictionary is of another kind of transform.
    """
    own = transcriber.transform(sr)
    if not isinstance(own, Stft):
        raise ParameterError(
            f"the dictionary is of a {type(own).__name__}; a stream needs one of an Stft"
        )
    if own.sr == sr:
        return own
    ratio = sr / own.sr
    return replace(own, sr=sr, n_fft=2 * round(own.n_fft * ratio / 2), hop=round(own.hop * ratio))


def _converted(dictionary: NoteDictionary, transform: Stft) -> NoteDictionary:
    """Dictionary of the transform of a stream."""
    if dictionary.lags > 1:
        raise ParameterError(
            f"the templates of the dictionary have {dictionary.lags} frames; a stream needs "
            "templates of one frame"
        )
    return dictionary if dictionary.transform == transform else dictionary.to_transform(transform)
