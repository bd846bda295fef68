"""Audio source separation by non-negative matrix factorisation.

Importing the package loads nothing heavy; each public name loads what it needs when first used.
"""

from importlib import import_module
from typing import Any

from nmfaudio._version import __version__

_HOME = {
    # a file in, stems out
    "separate": "separators.blind",
    "BlindSeparator": "separators.blind",
    "GuidedSeparator": "separators.guided",
    "F0Separator": "separators.f0",
    "RegroupSeparator": "separators.regroup",
    "Pitch": "separators.pitch_track",
    "read_pitch": "separators.pitch_track",
    "HpssSeparator": "separators.hpss",
    "PaintSeparator": "separators.paint",
    "DenoiseSeparator": "separators.denoise",
    "ScoreSeparator": "separators.score",
    "align": "symbolic.alignment",
    "DrumSeparator": "separators.drums",
    "DrumTranscriber": "transcription.drums",
    "learn_drums": "dictionaries.drum_learning",
    "pick_hits": "symbolic.drum_peaks",
    "Stems": "stems.stems",
    "Stft": "audio.transforms",
    "Mel": "audio.transforms",
    "Erb": "audio.transforms",
    "Cqt": "audio.transforms",
    # how good they are
    "evaluate": "metrics",
    "Evaluation": "metrics",
    "si_sdr": "metrics",
    "evaluate_transcription": "metrics.transcription",
    "TranscriptionScores": "metrics.transcription",
    "evaluate_transcriptions": "metrics.summary",
    "TranscriptionSummary": "metrics.summary",
    "bootstrap": "metrics.summary",
    # what sounds are known to sound like
    "learn": "dictionaries.learning",
    "Recording": "dictionaries.recordings",
    "Dictionary": "dictionaries.dictionary",
    # which notes are played
    "NoteDictionary": "dictionaries.note_dictionary",
    # beside masks
    "fit_spatial_filter": "audio.spatial",
    "SpatialFilter": "audio.spatial",
    "consistent_wiener": "audio.phase",
    "misi": "audio.phase",
    "Note": "symbolic.note",
    "read_notes": "symbolic.notes",
    "write_notes": "symbolic.notes",
    "Transcriber": "transcription.transcriber",
    "Transcription": "transcription.result",
    "Salience": "transcription.salience",
    "NoteModel": "transcription.note_model",
    "Decoding": "transcription.decoding",
    # the factorisation
    "nmf": "factorisation.engine",
    "decompose": "factorisation.engine",
    "Progress": "factorisation.engine",
    "kkt_residual": "factorisation.kkt",
    "Decomposition": "factorisation.decomposition",
    "normalise": "factorisation.normalisation",
    "sort_components": "factorisation.normalisation",
    "select_rank": "factorisation.rank_selection",
    "RankSelection": "factorisation.rank_selection",
    "Factor": "factorisation.factors",
    "Product": "factorisation.structures",
    "Convolutive": "factorisation.structures",
    "Channels": "factorisation.structures",
    "Convolutive2D": "factorisation.structures",
    "Harmonic": "factorisation.structures",
    "SourceFilter": "factorisation.structures",
    "Masked": "factorisation.structures",
    "AttackDecay": "factorisation.structures",
    "attack_decay_envelopes": "factorisation.structures",
    "harmonic_atoms": "factorisation.structures",
    "glottal_sources": "factorisation.structures",
    "filter_bumps": "factorisation.structures",
    "Structure": "factorisation.structures",
    "Beta": "factorisation.divergences",
    "ARD": "factorisation.penalties",
    "L1": "factorisation.penalties",
    "L2": "factorisation.penalties",
    "Smooth": "factorisation.penalties",
    "Log": "factorisation.penalties",
    "GroupSparsity": "factorisation.penalties",
    "LogGroupSparsity": "factorisation.penalties",
    "Graph": "factorisation.penalties",
    "nearest_neighbours": "factorisation.penalties",
    "SmoothRatio": "factorisation.penalties",
    "Decorrelated": "factorisation.penalties",
    "MinVolume": "factorisation.penalties",
    "Prior": "factorisation.penalties",
    "MU": "factorisation.solvers",
    "BMME": "factorisation.solvers",
    "HALS": "factorisation.solvers",
    "PG": "factorisation.solvers",
    "CCD": "factorisation.solvers",
    "Stepwise": "factorisation.solvers",
    "Diagonal": "factorisation.solvers",
    # new sounds
    "mosaic": "mosaics",
    "Mosaic": "mosaics",
    # sequences of factorisations
    "deep_nmf": "factorisation.recipes",
    "DeepDecomposition": "factorisation.recipes",
    "feature_weighted_nmf": "factorisation.recipes",
    "FeatureWeighted": "factorisation.recipes",
    "temper": "factorisation.recipes",
    "OnlineNMF": "factorisation.online",
    # for scikit-learn
    "NMF": "estimators",
    "ConvolutiveNMF": "estimators",
    "MiniBatchNMF": "estimators",
    # pictures
    "plot_dictionary": "display.plots",
    "plot_factors": "display.plots",
    "plot_losses": "display.plots",
    "plot_stems": "display.plots",
    # what can go wrong
    "NmfAudioError": "errors",
    "ParameterError": "errors",
    "ShapeError": "errors",
    "MissingExtraError": "errors",
    "AudioFileError": "errors",
    "ContentError": "errors",
    "OutputError": "errors",
    "LimitError": "errors",
    "NumericalError": "errors",
    "AudioWarning": "errors",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
