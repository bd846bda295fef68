"""Transkun, a network for pianos whose weights are in its wheel (extra ``bench-transkun``)."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.transcription.cases import Piece
from benchmarks.transcription.sound import SR, Instrument
from benchmarks.transcription.tries import Tries
from nmfaudio.symbolic.notes import read_notes

_WEIGHTS = "pretrained/2.0.pt"
_CONFIGURATION = "pretrained/2.0.conf"


def transkun(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
    """Network of Yan and Duan (2024), arXiv:2404.09466, version 2, which has no threshold."""
    import torch
    from transkun.Data import writeMidi

    model = _loaded()
    assert model.fs == SR

    def recognise(piece: Piece) -> Tries:
        with torch.no_grad():
            events = model.transcribe(torch.from_numpy(piece.y[:, None]))
        content = io.BytesIO()
        writeMidi(events).write(content)
        content.seek(0)
        notes = read_notes(content)  # extended by the pedal that it finds, as the references are
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
    saved = torch.load(folder / _WEIGHTS, map_location="cpu")
    weights = saved.get("best_state_dict", saved.get("state_dict"))
    model.load_state_dict(weights, strict=False)
    return model.eval()
