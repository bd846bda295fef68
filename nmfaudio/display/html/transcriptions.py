"""HTML of transcriptions and of their scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from nmfaudio.display.html.card import Card, Row
from nmfaudio.display.html.phrases import counted, note_facts, number, recording_facts
from nmfaudio.display.html.picture import Picture
from nmfaudio.display.html.results import Drawn
from nmfaudio.symbolic.note import Note


class TranscribedNotes(Drawn, Protocol):
    """Notes of a recording and their sound, such as a `nmfaudio.Transcription`."""

    @property
    def notes(self) -> Sequence[Note]: ...
    @property
    def mixture(self) -> np.ndarray: ...
    @property
    def sr(self) -> int: ...
    def sonify(self, *, beside: bool = False) -> np.ndarray:
        """Synthesise the notes, alone or beside the recording."""


class NotesOfFile(Drawn, Protocol):
    """Notes of a recording that is not in memory, such as a `TranscribedFile`."""

    @property
    def notes(self) -> Sequence[Note]: ...
    @property
    def channels(self) -> int: ...
    @property
    def samples(self) -> int: ...
    @property
    def sr(self) -> int: ...


class NoteScores(Drawn, Protocol):
    """Scores of notes, such as `TranscriptionScores`."""

    @property
    def frame_accuracy(self) -> float: ...
    @property
    def n_reference(self) -> int: ...
    @property
    def n_estimated(self) -> int: ...


def transcription_html(transcription: TranscribedNotes) -> str:
    """Build the HTML of a transcription: a piano roll, and players of recording and notes.

    Parameters
    ----------
    transcription : Transcription

    Returns
    -------
    str
    """
    t = transcription
    channels, samples = t.mixture.shape
    rows = [Row(["recording"], t.mixture)]
    if t.notes:
        rows.append(Row(["notes as simple tones"], t.sonify()[None]))
        rows.append(Row(["recording left, notes right"], t.sonify(beside=True)))
    return Card(
        title="Transcription",
        facts=[*note_facts(t.notes), *recording_facts(channels, samples, t.sr)],
        columns=["sound"],
        rows=rows,
        sr=t.sr,
        picture=Picture(t.plot, "Notes over the salience of pitches") if t.notes else None,
    ).html()


def transcribed_file_html(transcribed: NotesOfFile, *, tones: np.ndarray) -> str:
    """Build the HTML of a file's transcription: a piano roll, and a player of the notes.

    Parameters
    ----------
    transcribed : TranscribedFile
    tones : np.ndarray [shape=(sample,)]
        Synthesised notes, or their beginning.

    Returns
    -------
    str
    """
    t = transcribed
    return Card(
        title="TranscribedFile",
        facts=[*note_facts(t.notes), *recording_facts(t.channels, t.samples, t.sr)],
        columns=["sound"],
        rows=[Row(["notes as simple tones"], tones[None])] if t.notes else [],
        sr=t.sr,
        samples=t.samples,
        picture=Picture(t.plot, "Notes over the salience of pitches") if t.notes else None,
    ).html()


def note_scores_html(scores: NoteScores, *, table: Mapping[str, Sequence[float]]) -> str:
    """Build the HTML of the scores of notes: a table and bars.

    Parameters
    ----------
    scores : TranscriptionScores
    table : mapping of str to sequence of three float
        Precision, recall and F-measure by title of the measure, without those that do not apply.

    Returns
    -------
    str
    """
    accuracy = number(scores.frame_accuracy, ".3f")
    return Card(
        title="TranscriptionScores",
        facts=[
            f"{counted(scores.n_reference, 'note')} in the reference",
            f"{scores.n_estimated} estimated",
        ],
        columns=["correct", "precision", "recall", "F"],
        rows=[Row([label, *_scores(values)]) for label, values in table.items()],
        picture=Picture(scores.plot, "Scores of each measure as bars") if table else None,
        remarks=[] if accuracy == "–" else [f"Accuracy of frames: {accuracy}."],
    ).html()


def note_summary_html(
    plot: Callable[[], Any], *, table: Mapping[str, Sequence[float]], columns: Sequence[str]
) -> str:
    """Build the HTML of the scores of several pieces: a table of F-measures and bars.

    Parameters
    ----------
    plot : callable
        Function without arguments that draws one of the measures.
    table : mapping of str to sequence of float
        F-measures of each piece, then their mean and the bounds of its interval, by title of the
        measure.
    columns : sequence of str
        Names of the pieces, of the mean and of the bounds.

    Returns
    -------
    str
    """
    lines = [
        [name, *_scores(values[i] for values in table.values())] for i, name in enumerate(columns)
    ]
    # The mean stands above the pieces, since rows beyond the limit are omitted.
    rows = [*(Row(line, strong=True) for line in lines[-3:]), *map(Row, lines[:-3])]
    return Card(
        title="TranscriptionSummary",
        facts=[counted(len(lines) - 3, "piece"), "F-measures from 0 to 1, higher is better"],
        columns=["piece", *table],
        rows=rows,
        picture=Picture(plot, "Scores of each piece as bars") if table else None,
    ).html()


def _scores(values: Iterable[float]) -> list[str]:
    return [number(x, ".3f") for x in values]
