"""How many threads work, and how parts are dealt to them.

Plain Python threads over kernels that release the GIL: as fast as Numba's own threading layers,
and safe after a fork, from several Python threads at once and beside BLAS, which those are not.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

_chosen: int | None = None


def set_threads(count: int | None) -> None:
    """Set how many threads work from now on; None goes back to the default."""
    global _chosen
    _chosen = count


def get_threads() -> int:
    """How many threads work: as set, else ``NMFAUDIO_NUM_THREADS``, else the usable CPUs."""
    if _chosen is not None:
        return _chosen
    wanted = os.environ.get("NMFAUDIO_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def deal(work: Callable[[range], None], parts: int) -> None:
    """Call `work` with the parts 0 … `parts` − 1 dealt out to the threads, and wait for all.

    Which thread gets a part must not matter to the result.
    """
    count = max(1, min(get_threads(), parts))
    failures: list[BaseException] = []

    def guarded(first: int) -> None:
        try:
            work(range(first, parts, count))
        except BaseException as failure:
            failures.append(failure)

    helpers = [threading.Thread(target=guarded, args=(i,), daemon=True) for i in range(1, count)]
    for helper in helpers:
        helper.start()
    guarded(0)
    for helper in helpers:
        helper.join()
    if failures:
        raise failures[0]
