"""What a transcription gives: notes, what they were read from, and each of them as sound."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmfaudio._common.files import safe_name, save_archive, write_bytes
from nmfaudio._public import public
from nmfaudio.audio.transforms import Transform
from nmfaudio.errors import AudioWarning, MissingExtraError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.salience import Salience

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nmfaudio.stems.stems import Stems


@public
@dataclass(frozen=True, eq=False, repr=False)
class Transcription:
    """The notes of a recording, and what they were read from.

    Attributes
    ----------
    notes : tuple of Note
        By onset, then pitch.
    salience : Salience
        How strongly each pitch is heard, frame by frame.
    mixture : np.ndarray [shape=(channel, sample)]
        The recording.
    sr : int
        Its sample rate in Hz.
    decomposition : Decomposition
        What was found in the recording, at the transform's sample rate.
    transform : Transform
        What the decomposition's model is a spectrogram of; its sample rate may be another.
    pitches : tuple of (float or None)
        The MIDI number of the notes that each component of the decomposition makes, None where it
        makes none.
    settings : Mapping
        What the transcriber was told, of JSON types.
    """

    notes: tuple[Note, ...]
    salience: Salience
    mixture: np.ndarray
    sr: int
    decomposition: Decomposition
    transform: Transform
    pitches: tuple[float | None, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        channels, samples = self.mixture.shape
        return (
            f"Transcription({len(self.notes)} notes: {channels} × {samples} samples at "
            f"{self.sr} Hz, {self.decomposition.n_components} components)"
        )

    @property
    def duration(self) -> float:
        """Of the recording in seconds."""
        return float(self.mixture.shape[1] / self.sr)

    def to_csv(self, path: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> str:
        """The notes as a table.

        Its header is ``start_time_s,end_time_s,pitch_midi,velocity,pitch_bend``, as basic-pitch
        writes it; `nmfaudio.read_notes` reads it. Velocities are whole numbers from 0 to 127, and
        no pitch is bent.

        Parameters
        ----------
        path : str or os.PathLike, optional
            Where to write it too.
        overwrite : bool
            Whether a file that exists may be replaced.

        Returns
        -------
        str

        Raises
        ------
        OutputError
            The file exists, or cannot be written.
        """
        from nmfaudio.symbolic.tables import encode_table

        text = encode_table(self.notes, "basic-pitch")
        if path is not None:
            write_bytes(Path(path), text.encode(), overwrite=overwrite)
        return text

    def to_midi(self) -> Any:
        """The notes as a `pretty_midi.PrettyMIDI`, with an instrument for each of their tracks.

        Returns
        -------
        pretty_midi.PrettyMIDI

        Raises
        ------
        MissingExtraError
            pretty_midi is not installed.
        """
        from nmfaudio.symbolic.midi import to_pretty_midi

        return to_pretty_midi(self.notes)

    def to_jams(self) -> dict[str, Any]:
        """The notes as a JAMS document, in the namespace ``note_midi``.

        Returns
        -------
        dict
            Of JSON types: ``json.dump`` makes a file of it that `jams.load` reads.
        """
        from nmfaudio.transcription.exports import jams_document

        return jams_document(self.notes, self.duration)

    def plot(self) -> Figure:
        """Draw the notes over the salience.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display.piano_roll import piano_roll

        return piano_roll(self.notes, self.salience)

    def sonify(self, *, beside: bool = False) -> np.ndarray:
        """The notes as simple tones, drums as clicks, to hear whether they are right.

        Parameters
        ----------
        beside : bool
            Whether to put the recording, all channels together, on the left, and the notes on
            the right.

        Returns
        -------
        np.ndarray [shape=(sample,) or (channel, sample)]
            As loud as the recording at their peaks; with `beside`, two channels.
        """
        from nmfaudio.transcription.sonification import tones

        mono = self.mixture.mean(axis=0)
        loudness = float(np.abs(mono).max()) or 1.0
        played = (loudness * tones(self.notes, len(mono), self.sr)).astype(mono.dtype)
        return np.stack([mono, played]) if beside else played

    def stems(self, *, by: Literal["note", "pitch", "hand", "track"] = "pitch") -> Stems:
        """What each note, pitch, hand or track has of the recording.

        The components of a pitch are its notes' in time: each has them from its onset until they
        have died away or the next note of that pitch begins. A mask then shares each bin out by
        what the model says of each stem. What belongs to no note is the stem ``rest``.

        Parameters
        ----------
        by : "note", "pitch", "hand" or "track"
            What makes a stem. Two tracks are two hands, the higher one the right; else middle C
            parts the hands. The tracks of drums are the parts of the kit.

        Returns
        -------
        Stems
            They sum to the recording. Its groups list components only where the recording has
            the transform's sample rate.

        Raises
        ------
        ParameterError
            `by` is something else.
        """
        from nmfaudio.transcription.note_stems import note_stems

        return note_stems(self, by)

    def save(
        self, directory: str | os.PathLike[str], name: str, *, overwrite: bool = False
    ) -> list[Path]:
        """Write the notes to ``<directory>/<name>.csv``, and ``.mid`` with the extra [midi].

        Parameters
        ----------
        directory : str or os.PathLike
            Made where it does not exist.
        name : str
        overwrite : bool
            Whether files that exist may be replaced.

        Returns
        -------
        list of Path
            Without [midi] only the table, and an `AudioWarning` says so.

        Raises
        ------
        OutputError
            A file exists, or cannot be written.
        """
        from nmfaudio._common.files import check_targets
        from nmfaudio.symbolic.notes import write_notes

        table, midi = (Path(directory, safe_name(name) + end) for end in (".csv", ".mid"))
        check_targets([table, midi], overwrite=overwrite)
        self.to_csv(table, overwrite=overwrite)
        try:
            write_notes(midi, self.notes, overwrite=overwrite)
        except MissingExtraError as error:
            warnings.warn(f"{midi} is not written: {error}", AudioWarning, stacklevel=2)
            return [table]
        return [midi, table]

    def save_salience(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the salience as an ``.npz`` file of ``values``, ``pitches`` and ``times``.

        Parameters
        ----------
        path : str or os.PathLike
            `numpy.load` reads the file without pickle.
        overwrite : bool
            Whether a file that exists may be replaced.

        Raises
        ------
        OutputError
            The file exists, or cannot be written.
        """
        arrays = {
            "values": self.salience.values,
            "pitches": np.asarray(self.salience.pitches, np.float64),
            "times": self.salience.times,
        }
        save_archive(path, {"kind": "salience"}, arrays, overwrite=overwrite)
