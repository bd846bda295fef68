"""Notes and fit of a transcription, as the command line reports them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmfaudio.transcription.result import Transcription
    from nmfaudio.transcription.transcribed_file import TranscribedFile

_NOTE = ("onset", "offset", "pitch", "velocity", "track")  # what --json has of a note


def describe_notes(result: Transcription | TranscribedFile) -> dict[str, Any]:
    """Notes, suitability and tuning of a recording, for the output of ``--json``."""
    from dataclasses import asdict

    suitability = result.suitability
    return {
        "notes": [{name: getattr(note, name) for name in _NOTE} for note in result.notes],
        "suitability": None if suitability is None else asdict(suitability),
        "detuning": result.detuning,
    }


def describe_fit(report: dict[str, Any]) -> str:
    """Line of ``-v`` about the fit."""
    pitches = [note["pitch"] for note in report["notes"]]
    facts = [f"{report['iterations']} iterations, loss {report['loss']:.6g}"]
    facts += [f"MIDI numbers {min(pitches):g} to {max(pitches):g}"] if pitches else []
    suitability = report["suitability"]
    if suitability["limit"] is not None:
        facts.append(f"suitability {suitability['value']:.2f} (at least {suitability['limit']})")
    if report["detuning"]:
        facts.append(f"{100 * report['detuning']:+.0f} cents from the dictionary")
    return f"  {', '.join(facts)}"
