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
    "Pitch": "separators.pitch",
    "read_pitch": "separators.pitch",
    "HpssSeparator": "separators.hpss",
    "PaintSeparator": "separators.paint",
    "DenoiseSeparator": "separators.denoise",
    "ScoreSeparator": "separators.score",
    "align": "alignment",
    "DrumSeparator": "separators.drums",
    "DrumTranscriber": "transcription.drums",
    "learn_drums": "transcription.drum_learning",
    "pick_hits": "transcription.hits",
    "Stems": "separators.stems",
    "Stft": "transforms",
    "Mel": "transforms",
    "Erb": "transforms",
    "Cqt": "transforms",
    # how good they are
    "evaluate": "metrics",
    "Evaluation": "metrics",
    "si_sdr": "metrics",
    "evaluate_transcription": "transcription.scores",
    "TranscriptionScores": "transcription.scores",
    "evaluate_transcriptions": "transcription.summary",
    "TranscriptionSummary": "transcription.summary",
    "bootstrap": "transcription.summary",
    # what sounds are known to sound like
    "learn": "learning",
    "Example": "examples",
    "Dictionary": "dictionary",
    # which notes are played
    "NoteDictionary": "transcription.dictionary",
    # beside masks
    "fit_spatial_filter": "spatial",
    "SpatialFilter": "spatial",
    "consistent_wiener": "phase",
    "misi": "phase",
    "Note": "notes",
    "read_notes": "notes",
    "write_notes": "notes",
    "Transcriber": "transcription.transcriber",
    "Transcription": "transcription.result",
    "Salience": "transcription.salience",
    "NoteModel": "transcription.models",
    "Decoding": "transcription.decoding",
    # the factorisation
    "nmf": "engine",
    "decompose": "engine",
    "Progress": "engine",
    "kkt_residual": "optimality",
    "Decomposition": "decomposition",
    "normalise": "scaling",
    "sort_components": "scaling",
    "select_rank": "ranks",
    "RankSelection": "ranks",
    "Factor": "factors",
    "Product": "structures",
    "Convolutive": "structures",
    "Channels": "structures",
    "Convolutive2D": "structures",
    "Harmonic": "structures",
    "SourceFilter": "structures",
    "Masked": "structures",
    "AttackDecay": "structures",
    "attack_decay_envelopes": "structures",
    "harmonic_atoms": "structures",
    "glottal_sources": "structures",
    "filter_bumps": "structures",
    "Structure": "structures",
    "Beta": "divergences",
    "ARD": "penalties",
    "L1": "penalties",
    "L2": "penalties",
    "Smooth": "penalties",
    "Log": "penalties",
    "Group": "penalties",
    "LogGroup": "penalties",
    "Graph": "penalties",
    "nearest_neighbours": "penalties",
    "SmoothRatio": "penalties",
    "Decorrelated": "penalties",
    "MinVolume": "penalties",
    "Prior": "penalties",
    "MU": "solvers",
    "BMME": "solvers",
    "HALS": "solvers",
    "PG": "solvers",
    "CCD": "solvers",
    "Stepwise": "solvers",
    "Diagonal": "solvers",
    # new sounds
    "mosaic": "mosaics",
    "Mosaic": "mosaics",
    # sequences of factorisations
    "deep_nmf": "recipes",
    "DeepDecomposition": "recipes",
    "feature_weighted_nmf": "recipes",
    "FeatureWeighted": "recipes",
    "temper": "recipes",
    "OnlineNMF": "online",
    # for scikit-learn
    "NMF": "estimators",
    "ConvolutiveNMF": "estimators",
    "MiniBatchNMF": "estimators",
    # pictures
    "plot_dictionary": "plot",
    "plot_factors": "plot",
    "plot_losses": "plot",
    "plot_stems": "plot",
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
