"""Dictionaries from a corpus: ``nmfaudio learn --corpus``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nmfaudio.cli.progress import FITTING, WRITING, Bar
from nmfaudio.errors import ParameterError

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Transform
    from nmfaudio.dictionaries.corpus import CorpusFit
    from nmfaudio.factorisation.engine import Progress

CORPUS_STAGES = {
    "reading the files": 20,
    "computing spectrograms": 20,
    FITTING: 30,
    "passing over the corpus": 29,
    WRITING: 1,
}
"""Relative durations of the stages, by the names that the fit reports."""

_SIZE = 64  # components
_REFUSED = {
    "files": "LABEL=PATH",
    "ranges": "--from",
    "notes": "--notes",
    "recordings": "--recording",
    "soundfonts": "--soundfont",
    "lags": "--lags",
    "resample": "--resample",
    "average": "--average",
    "fill": "--fill",
}
_CORPUS_ONLY = ("exact", "passes", "workers", "work")


def check_corpus_options(command: Any) -> None:
    """Refuse options that cannot be combined with --corpus, or need it."""
    if not command.corpus:
        for name in _CORPUS_ONLY:
            value = getattr(command, name)
            if value is not None and value is not False:  # 0 passes are some, too
                raise ParameterError(f"--{name} is for a corpus; add --corpus FOLDER")
        return
    for name, text in _REFUSED.items():
        if getattr(command, name):
            raise ParameterError(f"{text} cannot be combined with --corpus; leave it out")
    if command.kind not in (None, "templates"):
        raise ParameterError(f"--kind {command.kind} cannot be learned from a corpus; leave it out")
    if command.exact and command.passes is not None:
        raise ParameterError("--passes cannot be combined with --exact; leave one of them out")
    if not os.path.isdir(_folder(command.corpus)[1]):
        from nmfaudio.cli.failures import printable

        name = printable(_folder(command.corpus)[1])
        raise ParameterError(f"--corpus {name} is no folder; give a folder of recordings")


def fit(
    command: Any, bar: Bar, transform_at: Callable[[int], Transform | None]
) -> tuple[str, CorpusFit]:
    """Fit the corpus that a command names; return its label and the fit."""
    from nmfaudio.audio.io.decoding import open_audio
    from nmfaudio.dictionaries.corpus import fit_corpus
    from nmfaudio.dictionaries.corpus_files import find_audio

    label, folder = _folder(command.corpus)
    transform = None
    if command.n_fft is not None or command.hop is not None:
        with open_audio(find_audio(folder)[0]) as audio:
            transform = transform_at(audio.sr)

    def update(progress: Progress) -> None:
        if progress.start_index == 0:  # the passes after the fit report their steps
            bar.update(progress)

    settings: dict[str, Any] = {} if command.passes is None else {"passes": command.passes}
    if command.max_iter is not None:
        settings["max_iter"] = command.max_iter
    return label, fit_corpus(
        folder,
        command.size or _SIZE,
        transform=transform,
        beta_loss=command.beta_loss,
        exact=command.exact,
        work=command.work,
        executor=None if command.workers in (None, 1) else command.workers,
        callback=update,
        rng=command.seed,
        **settings,
    )


def describe_fit(fit: CorpusFit) -> Mapping[str, Any]:
    """Facts about a fit, for the output of ``--json``."""
    return {
        "files": len(fit.files),
        "frames": fit.n_frames,
        "losses": fit.losses.tolist(),
        "checks": fit.checks.tolist(),
        "converged": fit.converged,
    }


def _folder(text: str) -> tuple[str, str]:
    """Label and path of FOLDER or LABEL=FOLDER; the label is the name of the folder by default."""
    label, equals, folder = text.partition("=")
    if os.path.isdir(text) or not (label and equals):
        return os.path.basename(os.path.abspath(text)) or "corpus", text
    return label, folder
