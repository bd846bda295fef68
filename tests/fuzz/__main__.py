"""Read mutants of all kinds of files: ``python -m tests.fuzz --minutes 20 [NAME...]``.

Mutants that fail are reduced and kept in the folder ``build/fuzz`` (or ``--keep``), to be moved to
``tests/fuzz/corpus`` once they are mended.
"""

import argparse
import faulthandler
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from .mutation import reduce
from .readers import READERS
from .running import fuzz, limits, outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(READERS))
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    options = parser.parse_args()
    faulthandler.enable()
    names = options.names or list(READERS)
    seconds = 60 * options.minutes / len(names)
    columns = ("mutants", "read", "refused", "failed", "failures")
    total = Counter()
    print(f"seed {options.seed}\n{'':20}" + "".join(f"{column:>10}" for column in columns))
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        for name in names:
            counts, failures = fuzz(name, Path(folder), seconds=seconds, seed=options.seed)
            counts |= {"mutants": counts.total(), "failures": len(failures)}
            total += counts
            print(f"{name:20}" + "".join(f"{counts[column]:10}" for column in columns), flush=True)
            for failure, content in failures.items():
                print(f"    {failure}", flush=True)
                keep(name, failure, content, Path(folder), options.keep)
    print(f"{'all':20}" + "".join(f"{total[column]:10}" for column in columns))
    return int(total["failures"] > 0)


def keep(name, failure, content, folder, target):
    """Reduce a mutant as far as it fails in the same way, and write it to a folder."""
    with limits():
        small = reduce(content, lambda shorter: outcome(name, shorter, folder)[1] == failure)
    (target / name).mkdir(parents=True, exist_ok=True)
    (target / name / re.sub(r"\W+", "-", failure)).write_bytes(small)


if __name__ == "__main__":
    sys.exit(main())
