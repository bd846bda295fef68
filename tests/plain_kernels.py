"""Plugin of pytest: kernels run as plain Python, for coverage (``make coverage``) and mutants.

Only those of plain loops can: tiles of vectors are LLVM code. Some tests of rounding and of
compilation fail then.
"""

import os

os.environ["NMFAUDIO_VECTORS"] = "0"

from nmfaudio.kernels import jit


def _plain(function):
    return function


jit.kernel = jit.inlined_kernel = _plain
