"""The ways to make a dictionary of notes: from recordings, a synthesiser, or nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.audio.transforms import Transform

if TYPE_CHECKING:
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary
    from nmfaudio.factorisation.engine import Callback
    from nmfaudio.symbolic.note import Note

STAGE_SPANS = {"attack": (-0.01, 0.05), "early": (0.05, 0.25), "late": (0.4, 1.5)}
"""What a template may be of a note, and from when to when that usually is: s after the onset."""
STAGES = tuple(STAGE_SPANS)
KEYS = range(21, 109)
"""The pitches of a piano."""
PLAYED_AT = 44100
"""Hz at which a synthesiser plays, unless it is said how."""


class Makers:
    """What `NoteDictionary` is made by."""

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike[str],
        *,
        instrument: str = "piano",
        transform: Transform | None = None,
        stages: Mapping[str, tuple[float, float]] | None = None,
        lags: int | None = None,
        velocities: Mapping[str, float] | None = None,
        beta: float = 1.0,
        resample: bool = False,
    ) -> NoteDictionary:
        """Learn the notes of an instrument from recordings of one note each.

        The pitch of a note is in the name of its file: a MIDI number or a note, and if you like
        the MIDI velocity after ``_`` or ``_v`` (``60.wav``, ``F#3.flac``, ``Bb2_v100.wav``). Notes
        may lie in folders within the folder, one for each velocity (``64/60.wav``). A recording
        may begin with silence: a note begins where its power comes within 26 dB of its highest.

        Parameters
        ----------
        folder : str or os.PathLike
        instrument : str
            The label of all components.
        transform : Transform, optional
            By default ``Stft(sr, n_fft, n_fft // 8)`` at the rate of the first recording, with
            windows of the power of two nearest to 186 ms, and power 2 where β is 0.
        stages : mapping of str to (float, float), optional
            Which stages of a note get a template of their own, and from when to when each is, in
            seconds after the onset: by default ``{"attack": (-0.01, 0.05), "early": (0.05, 0.25),
            "late": (0.4, 1.5)}``. It counts when the middle of a frame is. An empty mapping: a
            single template for all of that.
        lags : int, optional
            Take this many frames from the onset on, as they are, for one convolutive template,
            instead of stages.
        velocities : mapping of str to float, optional
            How hard the notes in a folder of this name are played, 0 to 1: ``{"soft": 0.3}``.
        beta : float
            The β-divergence to learn under.
        resample : bool
            Whether recordings of another rate are brought to the transform's; else they are
            refused.

        Returns
        -------
        NoteDictionary
            By pitch, then velocity, then stage; each component sums to one.

        Raises
        ------
        ParameterError
            A parameter cannot be, or sample rates differ.
        AudioFileError
            A file cannot be read.
        ContentError
            There is no audio, a recording is silent, or its name says no pitch.

        Examples
        --------
        >>> import tempfile, numpy as np, soundfile, nmfaudio as na
        >>> t = np.arange(8000) / 8000
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for pitch, hertz in (("A4", 440), ("B4", 493.88)):
        ...         y = np.exp(-4 * t) * np.sin(2 * np.pi * hertz * t)
        ...         soundfile.write(f"{folder}/{pitch}.wav", y, 8000)
        ...     na.NoteDictionary.from_folder(folder).groups()
        {69.0: (0, 1, 2), 71.0: (3, 4, 5)}
        """
        from nmfaudio.dictionaries.learning import Reader
        from nmfaudio.dictionaries.note_folders import note_files, read_notes_of
        from nmfaudio.dictionaries.note_stages import learn_notes, sample_rate, usual_transform

        files = note_files(folder, velocities)
        transform = transform or usual_transform(sample_rate(files[0].path), beta)
        return learn_notes(
            read_notes_of(files, instrument, Reader(None, transform, resample, beta)),
            transform,
            instrument=instrument,
            stages=stages,
            lags=lags,
            beta=beta,
            metadata={"examples": {instrument: [os.fsdecode(file.path) for file in files]}},
        )

    @classmethod
    def from_recording(
        cls,
        audio: str | os.PathLike[str] | np.ndarray,
        notes: str | os.PathLike[str] | Sequence[Note],
        *,
        sr: int | None = None,
        instrument: str = "piano",
        transform: Transform | None = None,
        stages: Mapping[str, tuple[float, float]] | None = None,
        tolerance: float = 0.05,
        beta: float = 1.0,
        max_iter: int = 50,
        resample: bool = False,
        callback: Callback | None = None,
    ) -> NoteDictionary:
        """Learn the notes of an instrument from a recording of music, given what is played when.

        The recording is factorised with a template for each pitch and stage. Each may sound only
        where its notes do; apart from attacks, each is zero farther than half a semitone, and two
        rows, from the partials of its pitch.

        Parameters
        ----------
        audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
        notes : path, or sequence of Note
            In time with the recording: see `nmfaudio.symbolic.align`. A path is read by
            `read_notes`. Drums are left out.
        sr : int, optional
            Sample rate of an array in Hz.
        instrument : str
            The label of all components.
        transform : Transform, optional
            By default at the rate of the recording, as for `from_folder`.
        stages : mapping of str to (float, float), optional
            As for `from_folder`, but each stage goes on until the next begins, and the last until
            the note ends.
        tolerance : float
            Seconds by which a note may begin earlier and end later than it should.
        beta : float
            The β-divergence to learn under.
        max_iter : int
            Iterations at most.
        resample : bool
            Whether a recording of another rate is brought to the transform's; else it is refused.
        callback : callable, optional
            Gets a `Progress` every ten iterations; True stops iterating.

        Returns
        -------
        NoteDictionary
            By pitch, then stage, without stages that are never heard; each component sums to one.
            Velocities are the means of each pitch's notes.

        Raises
        ------
        ParameterError
            A parameter cannot be.
        AudioFileError
            A file cannot be read.
        ContentError
            The recording is silent, or no note lies within it.

        References
        ----------
        S. Ewert and M. Müller, "Using score-informed constraints for NMF-based source separation",
        ICASSP 2012, doi:10.1109/ICASSP.2012.6287834.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> t = np.arange(8000) / 8000
        >>> low, high = np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 659.26 * t)
        >>> y = np.concatenate([low, low + high, high])
        >>> known = na.NoteDictionary.from_recording(
        ...     y, [na.Note(0, 2, 69), na.Note(1, 3, 76)], sr=8000, stages={})
        >>> known.transform.frequencies[known.templates.argmax(0)].tolist()
        [441.40625, 660.15625]
        """
        from nmfaudio.dictionaries.learning import Reader
        from nmfaudio.dictionaries.note_from_score import learn_aligned
        from nmfaudio.dictionaries.note_stages import sample_rate, usual_transform
        from nmfaudio.dictionaries.recordings import Recording
        from nmfaudio.symbolic.notes import read_notes

        example = Recording(audio)
        if transform is None:
            transform = usual_transform(sample_rate(audio, sr), beta)
        V = Reader(sr, transform, resample, beta).read(instrument, example)
        given = read_notes(notes) if isinstance(notes, str | os.PathLike) else list(notes)
        return learn_aligned(
            V,
            given,
            transform,
            instrument=instrument,
            stages=stages,
            tolerance=tolerance,
            beta=beta,
            max_iter=max_iter,
            callback=callback,
            metadata={"examples": {instrument: [example.name]}},
        )

    @classmethod
    def from_soundfont(
        cls,
        path: str | os.PathLike[str],
        *,
        program: int = 0,
        pitches: Sequence[int] = KEYS,
        velocities: Sequence[float] = (0.3, 0.55, 0.8),
        seconds: float = 2.0,
        sr: int = PLAYED_AT,
        instrument: str | None = None,
        transform: Transform | None = None,
        stages: Mapping[str, tuple[float, float]] | None = None,
        lags: int | None = None,
        beta: float = 1.0,
    ) -> NoteDictionary:
        """Learn the notes of an instrument from what a synthesiser plays.

        The program ``fluidsynth`` plays each note of each velocity by itself, without reverb and
        chorus. Notes that the font leaves silent are left out; `fill` transposes them, and
        `average` makes one of all velocities.

        Parameters
        ----------
        path : str or os.PathLike
            A SoundFont, ``.sf2`` or ``.sf3``.
        program : int
            General MIDI instrument, 0 to 127: 0 is the grand piano.
        pitches : sequence of int
            MIDI numbers.
        velocities : sequence of float
            How hard the notes are played, each above 0 and at most 1.
        seconds : float
            How long a note is held.
        sr : int
            Sample rate in Hz to play at, where no transform is given.
        instrument : str, optional
            The label of all components; by default the General MIDI name of the program.
        transform : Transform, optional
            By default at that rate, as for `from_folder`.
        stages, lags, beta
            As for `from_folder`.

        Returns
        -------
        NoteDictionary
            By pitch, then velocity, then stage; each component sums to one.

        Raises
        ------
        ParameterError
            A parameter cannot be.
        MissingExtraError
            fluidsynth, or mido of the extra ``[midi]``, is not installed.
        AudioFileError
            The font cannot be read or played.
        ContentError
            It plays nothing.

        Examples
        --------
        >>> import nmfaudio as na
        >>> na.NoteDictionary.from_soundfont("FluidR3_GM.sf2", pitches=[60])  # doctest: +SKIP
        NoteDictionary(1 label: acoustic grand piano 9; templates of 2049 frequencies, stft, \
44100 Hz, pitch 60, stages attack/early/late)
        """
        from nmfaudio.dictionaries.note_stages import learn_notes, usual_transform
        from nmfaudio.dictionaries.soundfont import soundfont_notes
        from nmfaudio.symbolic.names import PROGRAMS

        transform = transform or usual_transform(sr, beta)
        program = as_count(program, "program", low=0, high=127)
        sounds = soundfont_notes(
            path,
            program=program,
            pitches=pitches,
            velocities=velocities,
            seconds=seconds,
            sr=transform.sr,
        )
        name = f"{os.path.basename(os.fsdecode(path))} program {program}"
        label = PROGRAMS[program] if instrument is None else instrument
        return learn_notes(
            sounds,
            transform,
            instrument=label,
            stages=stages,
            lags=lags,
            beta=beta,
            metadata={"examples": {label: [name]}},
        )

    @classmethod
    def harmonic(
        cls,
        transform: Transform,
        *,
        pitches: Sequence[float] = KEYS,
        n_bands: int | None = None,
        n_partials: int | None = None,
        decay: float = 1.5,
        inharmonicity: float | Sequence[float] | Literal["piano"] = 0.0,
        instrument: str = "harmonic",
    ) -> NoteDictionary:
        """Make notes of partials alone, which needs no data.

        Parameters
        ----------
        transform : Transform
            `Stft`, or one that begins with it.
        pitches : sequence of float
            MIDI numbers, which need not be whole.
        n_bands : int, optional
            Take each pitch apart into so many narrow bands, at least 2, with a component each, so
            that activations find the spectral envelope; as `harmonic_atoms`. Bands without a
            partial are left out. By default a pitch has one component.
        n_partials : int, optional
            How many partials a pitch has at most; by default all up to the highest frequency.
        decay : float
            ≥ 0: the magnitude of partial h is ``h^-decay``.
        inharmonicity : float, sequence of float or "piano"
            B ≥ 0 of stiff strings, for all pitches or for each: partial h lies at
            ``h·f0·sqrt(1 + B·h²)``. "piano": that of a typical piano at each pitch.
        instrument : str
            The label of all components.

        Returns
        -------
        NoteDictionary
            float64, by pitch, then band from the lowest; each component sums to one.

        Raises
        ------
        ParameterError, ShapeError
            A parameter cannot be, or a pitch is above the highest frequency.

        References
        ----------
        E. Vincent, N. Bertin and R. Badeau, "Adaptive harmonic spectral decomposition for multiple
        pitch estimation", IEEE Trans. Audio, Speech, and Language Processing 18(3), 2010,
        doi:10.1109/TASL.2009.2034186.

        Examples
        --------
        >>> import nmfaudio as na
        >>> na.NoteDictionary.harmonic(na.Stft(22050, 2048), inharmonicity="piano")
        NoteDictionary(1 label: harmonic 88; templates of 1025 frequencies, stft, 22050 Hz, \
88 pitches from 21 to 108)
        """
        from nmfaudio.dictionaries.harmonic_notes import harmonic_templates
        from nmfaudio.dictionaries.note_dictionary import NoteDictionary

        templates, owners = harmonic_templates(
            transform,
            np.asarray(pitches, np.float64),
            n_bands=n_bands,
            n_partials=n_partials,
            decay=decay,
            inharmonicity=inharmonicity,
        )
        return NoteDictionary(templates, (instrument,) * len(owners), transform, tuple(owners))
