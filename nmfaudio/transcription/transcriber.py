"""Transcription of pitched notes with a dictionary of note templates."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nmfaudio._common.validation import require_members, shown
from nmfaudio._public import public
from nmfaudio.audio.feature_blocks import analysed_blocks
from nmfaudio.audio.io.samples import Audio
from nmfaudio.dictionaries.bundled import piano_notes
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.loop import Progress
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.analysis_cache import described
from nmfaudio.transcription.base import BaseTranscriber
from nmfaudio.transcription.contracts import (
    Activations,
    Decoder,
    require_decomposition,
    require_notes,
)
from nmfaudio.transcription.defaults import default_decoding, default_model, is_piano
from nmfaudio.transcription.instruments import (
    activity_totals,
    assign_instruments,
    pooled_parts,
    pooled_salience,
    salience_of_parts,
)
from nmfaudio.transcription.plain_settings import (
    changed_settings,
    plain_settings,
    split_settings,
)
from nmfaudio.transcription.salience import Salience
from nmfaudio.transcription.suitability import Suitability, piano_suitability
from nmfaudio.transcription.timbre import partial_levels
from nmfaudio.transcription.transcribed_file import BlockFit
from nmfaudio.transcription.tuning import Tuning, threshold_grid, tuned

if TYPE_CHECKING:
    from nmfaudio._common.lazy_audio import LazyAudio
    from nmfaudio.audio.transforms import Transform
    from nmfaudio.datasets.piece import Piece
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback
    from nmfaudio.transcription.note_blocks import NoteBlocks

_CUT = 0.08  # s before the end of a recording in which onsets are ignored: the cut looks like one
_DECODED = 8  # values per frame that are decoded with the salience
_PER_OCTAVE = 3  # thresholds that tuning tries by default


@public
@dataclass(frozen=True, init=False)
class Transcriber(BaseTranscriber):
    """Transcribe pitched notes with a dictionary of note templates.

    The recording is decomposed over the dictionary, whose templates adapt to it; activations of
    one pitch are added up to its salience, which is then decoded to notes.

    Parameters
    ----------
    dictionary : NoteDictionary, optional
        Templates of the notes; by default those of a piano, which ship with the package.
    model : Activations, optional
        Model of the recording as a sum of notes: `NoteModel`, `AttackDecayModel` or one's own; by
        default a `NoteModel` whose templates adapt to the recording, or for `harmonic_notes` one
        whose templates are fixed.
    decoding : Decoder, optional
        Conversion of salience to notes: `Decoding` or one's own; for `harmonic_notes` with a higher
        threshold by default.
    contours : bool
        Whether to follow the pitch of each note from frame to frame: notes get pitches between the
        semitones and a `contour`, and the fragments of a vibrato or a slide become one note. For
        instruments that bend pitches; `tune` scores the notes before.
    **settings
        Settings of the decoding, as for `with_decoding`: ``threshold=0.2``.

    Raises
    ------
    ParameterError
        `dictionary` is not a NoteDictionary, `model` or `decoding` is not what it must be, or the
        decoding has no such settings.

    References
    ----------
    P. Smaragdis and J. C. Brown, "Non-negative matrix factorization for polyphonic music
    transcription", WASPAA 2003, doi:10.1109/ASPAA.2003.1285860.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> t = np.arange(22050) / 22050
    >>> y = np.exp(-3 * t) * sum(np.sin(2 * np.pi * 440 * k * t) / k**2 for k in range(1, 6))
    >>> transcription = na.Transcriber()(y, 22050)
    >>> [note.pitch for note in transcription.notes]
    [69.0]
    """

    dictionary: NoteDictionary
    _: KW_ONLY
    model: Activations
    decoding: Decoder
    contours: bool

    def __init__(
        self,
        dictionary: NoteDictionary | None = None,
        *,
        model: Activations | None = None,
        decoding: Decoder | None = None,
        contours: bool = False,
        **settings: Any,
    ) -> None:
        dictionary = piano_notes() if dictionary is None else dictionary
        if not isinstance(dictionary, NoteDictionary):
            raise ParameterError(
                f"dictionary is a {type(dictionary).__name__}; it must be a NoteDictionary, as "
                "NoteDictionary.load reads from a file; dictionaries of drums are for "
                "DrumTranscriber"
            )
        decoding = default_decoding(dictionary) if decoding is None else decoding
        if isinstance(decoding, type) or not callable(decoding):
            raise ParameterError(
                f"decoding is {shown(decoding)}; it must be a function of salience, e.g. "
                "na.transcription.Decoding()"
            )
        model = default_model(dictionary) if model is None else model
        if isinstance(model, type):
            raise ParameterError(
                f"model is {shown(model)}; it must be an instance, e.g. NoteModel()"
            )
        require_members(model, "model", ("activations", "pitches"))
        fields = {
            "dictionary": dictionary,
            "model": model,
            "decoding": changed_settings(decoding, settings),
            "contours": bool(contours),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def transform(self, sr: int) -> Transform:
        """Return the transform of the dictionary, which serves audio of any sample rate.

        Parameters
        ----------
        sr : int
            In Hz.

        Returns
        -------
        Transform
            Its sample rate is the one that audio is resampled to.
        """
        return self.dictionary.transform

    def with_decoding(self, **settings: Any) -> Self:
        """Return a copy with some settings of the decoding replaced.

        Parameters
        ----------
        **settings
            Fields of the decoding.

        Returns
        -------
        Transcriber

        Raises
        ------
        ParameterError
            The decoding has no such settings.
        """
        return replace(self, decoding=changed_settings(self.decoding, settings))

    def with_settings(self, **settings: Any) -> Self:
        """Return a copy with some settings of the model or the decoding replaced.

        Parameters
        ----------
        **settings
            Fields of the decoding or of the model, such as ``threshold=0.1`` or ``max_iter=50``.
            If both have one, ``**{"model.NAME": value}`` tells them apart.

        Returns
        -------
        Transcriber

        Raises
        ------
        ParameterError
            Neither has such a setting.

        Examples
        --------
        >>> import nmfaudio as na
        >>> na.Transcriber().with_settings(threshold=0.2, max_iter=50).model.max_iter
        50
        """
        model, decoding = split_settings(self.model, self.decoding, settings)
        return replace(
            self,
            model=changed_settings(self.model, model, "the model"),
            decoding=changed_settings(self.decoding, decoding, "the decoding"),
        )

    def tune(
        self,
        pieces: Iterable[Piece | tuple[Audio | tuple[np.ndarray, int], Sequence[Note]]],
        *,
        metric: str = "onset_f",
        grid: Mapping[str, Sequence[Any]] | None = None,
        choice: str = "mean",
        rng: int | np.random.Generator | None = 0,
        cache: str | os.PathLike[str] | None = None,
    ) -> Tuning[Self]:
        """Choose settings of the model and the decoding on pieces with known notes.

        All combinations of settings are tried; each piece is decomposed once for each combination
        of settings of the model. Each is scored by the notes that `transcribe` would return. The
        result also tells what to expect of other pieces: each piece is scored with the settings
        that the others choose (leave-one-out cross-validation).

        Parameters
        ----------
        pieces : iterable of Piece or of (audio, notes)
            Audio is a path, or samples and their rate in Hz. One piece is in memory at a time.
        metric : str
            A figure of `TranscriptionScores`, better when higher.
        grid : mapping of str to sequence, optional
            Settings as for `with_settings`, and the values to try; by default thresholds from a
            quarter to four times the present one.
        choice : "mean" or "worst"
            Whether the best settings have the highest mean over the pieces, or the highest score
            of their worst piece.
        rng : int, np.random.Generator or None
            As for `transcribe`.
        cache : str or os.PathLike, optional
            Folder of analyses, as for `analyse`; tuning again is then a matter of decoding.

        Returns
        -------
        Tuning

        Raises
        ------
        ParameterError
            There are no pieces, the metric or the choice is unknown, or neither model nor decoding
            has such settings.
        """
        grid = self._default_grid() if grid is None else grid
        return tuned(self, pieces, grid, metric=metric, choice=choice, rng=rng, cache=cache)

    def _default_grid(self) -> Mapping[str, Sequence[Any]]:
        """Thresholds around the current one."""
        threshold = getattr(self.decoding, "threshold", None)
        if threshold is None:
            raise ParameterError(
                f"{type(self.decoding).__name__} has no threshold to tune; pass a grid of its "
                "settings"
            )
        return {"threshold": threshold_grid(threshold, _PER_OCTAVE)}

    def _decompose(
        self,
        V: np.ndarray,
        transform: Transform,
        *,
        rng: int | np.random.Generator | None,
        callback: Callback | None,
    ) -> Decomposition:
        fitted = self.model.activations(V, self.dictionary, rng=rng, callback=callback)
        require_decomposition(fitted, V, f"{type(self.model).__name__}.activations")
        return fitted

    def _component_pitches(self, fitted: Decomposition) -> tuple[float | None, ...]:
        pitches = tuple(self.model.pitches(self.dictionary))
        return pitches + (None,) * (fitted.n_components - len(pitches))

    def _salience(self, V: np.ndarray, fitted: Decomposition, transform: Transform) -> Salience:
        H, times = fitted.structure.levels(fitted.factors), transform.times(V.shape[1])
        pitches, labels = self._pitches_and_labels()
        if len(set(labels)) == 1:
            return Salience.from_activations(H, pitches, times)
        sounding = [pitch + fitted.metadata.get("detuning", 0.0) for pitch in pitches]
        levels = partial_levels(fitted.W, transform.frequencies, sounding)
        return pooled_salience(H, pitches, labels, times, levels)

    def _component_labels(self, fitted: Decomposition) -> tuple[str | None, ...]:
        pitches, labels = self._pitches_and_labels()
        if len(set(labels)) == 1:
            return ()
        return labels + (None,) * (fitted.n_components - len(pitches))

    def _pitches_and_labels(self) -> tuple[tuple[float, ...], tuple[str, ...]]:
        """Pitch and instrument of the model's components; one instrument if it merges them."""
        pitches = tuple(self.model.pitches(self.dictionary))
        if pitches == self.dictionary.pitches:
            return pitches, self.dictionary.labels
        return pitches, (self.dictionary.names[0],) * len(pitches)

    def _fit_blocks(
        self, y: LazyAudio, transform: Transform, callback: Callback | None
    ) -> BlockFit:
        n_frames = transform.n_frames(y.shape[1])
        blocks = self._note_blocks(n_frames)
        for first, V in analysed_blocks(y, transform, blocks.frames):
            blocks.survey(first, V)
        pitches, labels = self._pitches_and_labels()
        parts = np.empty((len(set(labels)), len(set(pitches)), n_frames), y.dtype)
        totals, divergences = np.zeros(len(pitches)), []
        for first, V in analysed_blocks(y, transform, blocks.frames):
            H, divergence = blocks.explain(V)
            done = first + V.shape[1]
            parts[..., first:done] = pooled_parts(H, pitches, labels)
            totals += activity_totals(H)
            divergences.append(divergence)
            if callback is not None:
                callback(Progress(done, n_frames, math.fsum(divergences)))
        sounding = [pitch + blocks.detuning for pitch in pitches]
        levels = partial_levels(blocks.templates, transform.frequencies, sounding)
        times = transform.times(n_frames)
        salience = salience_of_parts(parts, pitches, labels, times, levels, totals)
        return BlockFit(
            salience,
            self._suitability_of(salience),
            math.fsum(divergences),
            blocks.settings.max_iter,
            blocks.detuning,
        )

    def _kept_values(self, frames: int) -> int:
        pitches, labels = self._pitches_and_labels()
        instruments = len(set(labels))
        # With several, their parts as well as their sum.
        return frames * (len(set(pitches)) * (instruments + (instruments > 1)) + _DECODED)

    def _note_blocks(self, n_frames: int) -> NoteBlocks:
        """Decomposition of a recording block by block."""
        from nmfaudio.transcription.note_model import NoteModel

        if isinstance(self.model, NoteModel):
            return self.model.blocks(self.dictionary, n_frames)
        raise ParameterError(
            f"{type(self.model).__name__} needs the whole recording in memory; use NoteModel, or "
            "transcribe instead of transcribe_file"
        )

    def _notes(self, salience: Salience, duration: float) -> tuple[Note, ...]:
        """Notes of the decoding, without onsets at the cut end, none longer than the recording."""
        decoded = self.decoding(salience)
        require_notes(decoded, type(self.decoding).__name__)
        labelled = assign_instruments(decoded, salience)
        notes = (note for note in labelled if note.onset <= duration - _CUT)
        clipped = (replace(note, offset=min(note.offset, duration)) for note in notes)
        return tuple(sorted(clipped, key=lambda note: (note.onset, note.pitch)))

    def _followed(
        self, notes: tuple[Note, ...], y: np.ndarray | LazyAudio, sr: int
    ) -> tuple[Note, ...]:
        if not self.contours:
            return notes
        from nmfaudio.transcription.contours import follow_pitches

        return follow_pitches(notes, y, sr)

    def _suitability(
        self, V: np.ndarray, transform: Transform, fitted: Decomposition, salience: Salience
    ) -> Suitability:
        return self._suitability_of(salience)

    def _suitability_of(self, salience: Salience) -> Suitability:
        return piano_suitability(salience, is_piano=is_piano(self.dictionary))

    def _unsuitable(self, suitability: Suitability) -> str:
        return (
            "the recording does not sound like a piano: its suitability is "
            f"{suitability.value:.2f}, that of a piano at least {suitability.limit}, so that many "
            "notes may be wrong; for drums use DrumTranscriber, for another instrument its "
            "dictionary (-d guitar; nmfaudio dictionary list), or learn one of its notes "
            "(nmfaudio learn --notes LABEL=FOLDER -o D.npz, then -d D.npz)"
        )

    def _analysis_settings(self) -> Any:
        model: Any = self.model
        if not is_dataclass(model):
            raise ParameterError(
                f"{type(model).__name__} is no dataclass, so its analyses cannot be told from "
                "others; make it a frozen dataclass, or omit cache"
            )
        return described(model)

    def _settings(self) -> dict[str, Any]:
        return {
            "model": plain_settings(self.model),
            "decoding": plain_settings(self.decoding),
            "contours": self.contours,
        }
