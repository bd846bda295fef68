"""One dictionary from a corpus of any size: NMF of all its frames, on one machine or many."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.executors import as_executor
from nmfaudio._common.files.names import show
from nmfaudio._common.validation import as_count
from nmfaudio._public import public
from nmfaudio._version import __version__
from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.corpus_files import (
    FILE_TASKS,
    as_paths,
    file_frames,
    find_audio,
    is_path,
    survey_files,
)
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.corpus.arrays import (
    ARRAY_TASKS,
    Blocks,
    array_digest,
    array_frames,
    write_blocks,
)
from nmfaudio.factorisation.corpus.driver import Driver
from nmfaudio.factorisation.corpus.fit import Method, fit_exactly, fit_from_sample
from nmfaudio.factorisation.corpus.plan import Plan
from nmfaudio.factorisation.corpus.workspace import Workspace, exclusive, map_array
from nmfaudio.factorisation.divergences import Beta, beta_named
from nmfaudio.factorisation.engine import Callback, rank_of, require_initial, schedule_of
from nmfaudio.kernels.layout import SHARD

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UPDATES = 20
"""Default number of updates of the activations in a pass."""


@public
@dataclass(frozen=True, eq=False)
class CorpusFit(EqualByContent):
    """Templates of a corpus, as `fit_corpus` returns them.

    Parameters
    ----------
    W : np.ndarray [shape=(freq, component)]
        Templates.
    H : tuple of np.ndarray [shape=(component, time)]
        Activations of each block, mapped into memory from disk; empty unless the fit was exact.
    losses : np.ndarray [shape=(check,)]
        Divergence of all frames: of an exact fit at the start and at each check, otherwise at each
        pass, before its update of W.
    checks : np.ndarray [shape=(check,)]
        Iteration, or pass, of each loss, from 0.
    converged : bool
        Whether `tol` was reached: by the fit to the sample, unless the fit was exact.
    n_frames : int
        Number of frames of the corpus.
    beta_loss : float
        β-divergence that was minimised.
    transform : Transform or None
        Transform of the files; None for arrays.
    files : tuple of str
        Files that were read; empty for arrays.
    settings : Mapping
        All settings that the result depends on, in JSON types.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> blocks = np.random.default_rng(0).random((3, 20, 50))
    >>> fit = na.fit_corpus(blocks, 4, exact=True, max_iter=20)
    >>> fit.W.shape, len(fit.H), fit.H[0].shape, fit.n_frames
    ((20, 4), 3, (4, 50), 150)
    """

    W: np.ndarray
    H: tuple[np.ndarray, ...]
    losses: np.ndarray
    checks: np.ndarray
    converged: bool
    n_frames: int
    beta_loss: float
    transform: Transform | None = None
    files: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_dictionary(self, label: str = "corpus") -> Dictionary:
        """Make a dictionary of the templates of a corpus of files.

        Parameters
        ----------
        label : str
            Label of all components.

        Returns
        -------
        Dictionary
            Templates that sum to one; those that are zero are left out.

        Raises
        ------
        ParameterError
            The corpus was one of arrays, so the transform is not known.
        """
        if self.transform is None:
            raise ParameterError(
                "the transform of arrays is not known; make nmfaudio.Dictionary(fit.W, labels, "
                "transform)"
            )
        sums = self.W.sum(axis=0, dtype=np.float64)
        templates = (self.W[:, sums > 0] / sums[sums > 0]).astype(self.W.dtype)
        facts = {
            "examples": {label: [os.path.basename(path) for path in self.files[:_SHOWN]]},
            "corpus": {"files": len(self.files), "frames": self.n_frames},
            "settings": {k: self.settings[k] for k in _RECORDED if k in self.settings},
            "nmfaudio": __version__,
        }
        labels = (label,) * templates.shape[1]
        return Dictionary(
            templates, labels, self.transform, beta_loss=self.beta_loss, metadata=facts
        )

    def plot(self, **options: Any) -> Axes:
        """Draw the templates of a corpus of files side by side.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.plot_dictionary`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        ParameterError
            The corpus was one of arrays, so the transform is not known.
        """
        return self.to_dictionary().plot(**options)


_SHOWN = 100  # names of files that a dictionary keeps
_RECORDED = "exact", "max_iter", "passes", "seed", "solver", "updates"


@public
def fit_corpus(
    blocks: Iterable[Any] | str | os.PathLike[str],
    n_components: int | None = None,
    *,
    transform: Transform | None = None,
    beta_loss: str | float | Beta = "kl",
    solver: str = "auto",
    exact: bool = False,
    passes: int = 1,
    updates: int = UPDATES,
    n_frames: int | None = None,
    W: np.ndarray | None = None,
    H: np.ndarray | None = None,
    max_iter: int = 200,
    tol: float = 1e-4,
    check_every: int = 10,
    work: str | os.PathLike[str] | None = None,
    executor: Any = None,
    callback: Callback | None = None,
    rng: int = 0,
) -> CorpusFit:
    r"""Learn templates from a corpus that need not fit into memory, on one machine or many.

    By default W is fitted to a sample of frames, spread evenly over the corpus, in memory; then
    each of a few passes over the corpus computes the activations of all frames for the current W,
    and updates W once. With `exact`, all iterations go over the whole corpus, and the result is
    that of `nmf`.

    The result does not depend on the executor, its number of workers, or the order in which tasks
    run, to the last bit, nor on interruptions: a fit that is begun again with the same arguments
    and the same `work` continues.

    Parameters
    ----------
    blocks : iterable of np.ndarray [shape=(freq, time)], or of paths, or one path
        Spectrograms of the same frequencies, consumed one by one; or audio files, which an iterable
        names or a folder contains, also in folders in it; or one file. Each file is scaled to a
        peak between 0.5 and 1 by a power of two. Files that cannot be read are left out with an
        `AudioWarning`.
    n_components : int, optional
        Number of components. Default: that of W or H.
    transform : Transform, optional
        Transform of files; by default an `Stft` with a window of about 93 ms, of power spectra
        where `beta_loss` is 0.
    beta_loss : str, float or Beta
        β-divergence, as in `nmf`.
    solver : "auto", "bmme" or "mu"
        Solver, see `nmf`; "auto" is "bmme" for β ≤ 2.
    exact : bool
        Whether to compute what `nmf` does with the whole corpus in memory. The activations are kept
        on disk, and so are the spectrograms of files: 1.2 GiB for an hour at 44.1 kHz.
    passes : int
        Number of passes after the fit to the sample, unless `exact`.
    updates : int
        Updates of the activations in each of them, from a constant.
    n_frames : int, optional
        Largest number of frames of the sample. By default 200,000, or fewer, so that it takes 1 GiB
        in float32.
    W : np.ndarray [shape=(freq, component)], optional
        Initial templates. By default they are random.
    H : np.ndarray [shape=(component, time)], optional
        Initial activations of all frames, for `exact`. By default they are random.
    max_iter, tol, check_every : int, float, int
        Stopping criteria as in `nmf`, of the fit to the sample or of the exact one.
    work : str or os.PathLike, optional
        Folder for intermediate results, which the workers of `executor` share; by default a
        temporary one. It may be deleted after the fit, once `CorpusFit.H` is not needed any more.
    executor : None or object, optional
        None runs tasks here, one after another, on all threads. Anything with
        ``submit(function, *arguments)`` whose return has ``result()`` runs them elsewhere, such as
        a `concurrent.futures.ProcessPoolExecutor`.
    callback : callable, optional
        Called with a `Progress` at each check, and after each pass; returning True stops.
    rng : int
        Seed of random initial values.

    Returns
    -------
    CorpusFit
        Templates and losses.

    Raises
    ------
    ParameterError, ShapeError
        An argument is invalid, or files differ in their sample rates.
    ContentError
        No file can be read, or a file was changed during the fit.
    OutputError
        `work` cannot be written, or another fit of the same settings uses it.
    NumericalError
        The objective or a factor is not finite.

    See Also
    --------
    nmf : The same for one spectrogram in memory.
    learn : Dictionaries of isolated sounds.

    Notes
    -----
    Frames are divided into shards of 49,152, and the end of a block ends a shard. The sums over
    frames that the update of W needs are added in a fixed order: within a shard, over the shards of
    a group of 64, over groups. `nmf` adds them in the same order. So an exact fit of ``[V]`` equals
    ``nmf(V)`` with the same solver, bit for bit, and so does that of V cut into blocks at multiples
    of 49,152 frames.

    The pass that computes activations anew, from a constant by a fixed number of updates, majorises
    the divergence as a function of W, like a step of expectation maximisation.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 300))
    >>> fit = na.fit_corpus([V], 4, exact=True)
    >>> d = na.nmf(V, 4, rng=0)
    >>> bool((fit.W == d.W).all() and (fit.H[0] == d.H).all() and (fit.losses == d.losses).all())
    True
    """
    divergence = beta_named(beta_loss, "fit_corpus")
    if H is not None and not exact:
        raise ParameterError("H is given, but only exact=True starts from it; leave out H")
    method = Method(
        rank_of(n_components, W, H),
        divergence,
        _solver(solver, divergence),
        schedule_of(max_iter, tol, check_every, callback),
        as_count(rng, "rng", low=0),
        None if n_frames is None else as_count(n_frames, "n_frames", low=1),
        as_count(passes, "passes", low=0),
        as_count(updates, "updates", low=1),
    )
    corpus = Corpus(blocks, transform, W, H)
    return fit_blocks(corpus, method, exact=exact, work=work, executor=executor)


class Corpus(NamedTuple):
    """Blocks and transform of a corpus, and initial factors, as for `fit_corpus`."""

    blocks: Iterable[Any] | str | os.PathLike[str]
    transform: Transform | None = None
    W: np.ndarray | None = None
    H: np.ndarray | None = None


def fit_blocks(
    corpus: Corpus,
    method: Method,
    *,
    exact: bool,
    work: str | os.PathLike[str] | None = None,
    executor: Any = None,
    shard: int = SHARD,
) -> CorpusFit:
    """Fit a corpus that is divided into shards of at most `shard` frames; see `fit_corpus`."""
    with _working_folder(work) as root, as_executor(executor) as engine:
        blocks, transform = _described(corpus, root, method, engine)
        plan = _plan(corpus, blocks, method, exact, shard)
        tasks, frames = (
            (ARRAY_TASKS, array_frames) if transform is None else (FILE_TASKS, file_frames)
        )
        folder = root / f"fit-{plan.digest}"
        with exclusive(folder):
            plan.save(folder)
            driver = Driver(Workspace(folder, frames), tasks, engine)
            if exact:
                keep = transform is not None
                fitted = fit_exactly(driver, method, corpus.W, corpus.H, keep=keep)
            else:
                fitted = fit_from_sample(driver, method, corpus.W)
            H = tuple(map_array(path) for path in fitted.activations)
    files = () if transform is None else tuple(block["path"] for block in plan.blocks)
    fields = fitted.losses, fitted.checks, fitted.converged, plan.n_frames, method.divergence.beta
    return CorpusFit(fitted.W, H, *fields, transform, files, plan.settings)


def _solver(solver: str, divergence: Beta) -> str:
    """Name of the solver; `ParameterError` if it is unknown or does not fit the divergence."""
    extrapolates = divergence.beta <= 2
    if solver == "auto":
        return "bmme" if extrapolates else "mu"
    if solver not in ("mu", "bmme"):
        raise ParameterError(f"solver is {solver!r}; it must be 'auto', 'bmme' or 'mu'")
    if solver == "bmme" and not extrapolates:
        raise ParameterError(
            f"solver 'bmme' needs beta_loss <= 2, not {divergence.beta:g}; use solver='mu'"
        )
    return solver


def _described(
    corpus: Corpus, root: Path, method: Method, engine: Any
) -> tuple[Blocks, Transform | None]:
    """Blocks of a corpus, and the transform of files."""
    blocks = corpus.blocks
    if is_path(blocks):
        blocks = find_audio(blocks)  # type: ignore[arg-type]  # a path
    if not np.iterable(blocks):
        raise ParameterError(
            f"blocks is a {type(blocks).__name__}; it must be a sequence of arrays or paths, or a "
            "folder"
        )
    rest = iter(blocks)
    first = next(rest, None)
    if not is_path(first):
        if corpus.transform is not None:
            raise ParameterError("transform is for files; leave it out for arrays")
        return write_blocks(chain(() if first is None else (first,), rest), root), None
    power = 2.0 if method.divergence.beta == 0 else 1.0
    return survey_files(as_paths([first, *rest]), root, corpus.transform, power, engine)


def _plan(corpus: Corpus, blocks: Blocks, method: Method, exact: bool, shard: int) -> Plan:
    """Shards of the blocks, and all settings that the result depends on."""
    n_bins, n_frames = blocks.settings["n_bins"], sum(blocks.frames)
    initial = {}
    for name, shape in (("W", (n_bins, method.rank)), ("H", (method.rank, n_frames))):
        F = getattr(corpus, name)
        require_initial(name, F, shape, True)
        initial[name] = None if F is None else array_digest(np.asarray(F))
    settings = blocks.settings | initial | method.describe(n_bins, exact=exact)
    return Plan(blocks.blocks, blocks.frames, settings, shard)


@contextmanager
def _working_folder(work: str | os.PathLike[str] | None) -> Iterator[Path]:
    """Folder for intermediate results; a temporary one is removed."""
    if work is not None:
        if os.path.lexists(work) and not os.path.isdir(work):
            raise ParameterError(f"work is {show(work)}, which is not a folder; name a folder")
        yield Path(os.path.abspath(work))
        return
    with tempfile.TemporaryDirectory(prefix="nmfaudio-corpus-") as folder:
        yield Path(folder)
