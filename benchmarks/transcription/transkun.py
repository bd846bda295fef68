"""Transkun, a network for pianos whose weights are in its wheel (extra ``bench-transkun``)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.transcription.cases import Piece
from benchmarks.transcription.sound import SR, Instrument
from benchmarks.transcription.tries import Tries
from nmfaudio.symbolic.note import Note

_WEIGHTS = "pretrained/2.0.pt"
_CONFIGURATION = "pretrained/2.0.conf"
_FULL = 127  # highest MIDI velocity


def transkun(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
    """Network of Yan and Duan (2024), arXiv:2404.09466, version 2, which has no threshold."""
    import torch

    model = _loaded()
    assert model.fs == SR

    def recognise(piece: Piece) -> Tries:
        with torch.no_grad():
            events = model.transcribe(torch.from_numpy(piece.y[:, None]))
        notes = [
            Note(max(e.start, 0.0), max(e.end, e.start, 0.0), e.pitch, min(e.velocity / _FULL, 1.0))
            for e in events
            if e.pitch > 0  # pedals have negative ones
        ]
        return Tries(["as shipped"], lambda _: notes)

    return recognise


def has_transkun() -> bool:
    """Return True if Transkun and its dependencies are installed."""
    return all(importlib.util.find_spec(name) for name in ("transkun", "moduleconf", "torchaudio"))


def _loaded() -> Any:
    """Model with its weights, ready to transcribe."""
    import moduleconf
    import torch
    import transkun as package

    folder = Path(package.__file__).parent
    settings = moduleconf.parseFromFile(str(folder / _CONFIGURATION))["Model"]
    model = settings.module.TransKun(conf=settings.config)
    saved = torch.load(folder / _WEIGHTS, map_location="cpu", weights_only=False)
    weights = saved.get("best_state_dict", saved.get("state_dict"))
    model.load_state_dict(weights, strict=False)
    return model.eval()
