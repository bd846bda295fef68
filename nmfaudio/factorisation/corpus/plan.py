"""Division of a corpus into shards, parts and groups, and its description on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from nmfaudio._common.files import write_bytes
from nmfaudio.kernels.layout import GROUP, SHARD

_FILE = "plan.json"


class Shard(NamedTuple):
    """Frames `first` … `stop` − 1 of a block; frame `offset` of the corpus is its first."""

    block: int
    first: int
    stop: int
    offset: int

    @property
    def frames(self) -> int:
        return self.stop - self.first


@dataclass(frozen=True)
class Plan:
    """Blocks of a corpus, their lengths, and the settings of a fit.

    Parameters
    ----------
    blocks : sequence of Mapping
        Description of each block, in JSON types, from which its spectrogram can be computed.
    frames : sequence of int
        Length of each block.
    settings : Mapping
        All else that the result depends on, in JSON types.
    shard : int
        Largest number of frames of a shard.
    """

    blocks: Sequence[Mapping[str, Any]]
    frames: Sequence[int]
    settings: Mapping[str, Any]
    shard: int = SHARD

    @cached_property
    def shards(self) -> list[Shard]:
        """Shards of all blocks in order; the end of a block ends a shard."""
        shards, offset = [], 0
        for block, frames in enumerate(self.frames):
            for first in range(0, frames, self.shard):
                stop = min(first + self.shard, frames)
                shards.append(Shard(block, first, stop, offset + first))
            offset += frames
        return shards

    @cached_property
    def parts(self) -> list[list[Shard]]:
        """Shards of each task: a whole one, or several of short blocks."""
        parts: list[list[Shard]] = []
        total = self.shard + 1
        for shard in self.shards:
            if total + shard.frames > self.shard:
                parts.append([])
                total = 0
            parts[-1].append(shard)
            total += shard.frames
        return parts

    @property
    def n_groups(self) -> int:
        """Number of groups of parts."""
        return -(-len(self.parts) // GROUP)

    def group(self, number: int) -> range:
        """Return the parts of a group."""
        return range(number * GROUP, min((number + 1) * GROUP, len(self.parts)))

    @cached_property
    def n_frames(self) -> int:
        """Number of frames of the corpus."""
        return sum(self.frames)

    @property
    def digest(self) -> str:
        """Hash of blocks and settings."""
        return hashlib.blake2b(self._text(), digest_size=8).hexdigest()

    def save(self, folder: Path) -> None:
        """Write the plan, unless it is there."""
        path = folder / _FILE
        if not path.exists():
            write_bytes(path, self._text(), overwrite=True)

    def _text(self) -> bytes:
        content = {
            "blocks": list(self.blocks),
            "frames": list(self.frames),
            "settings": dict(self.settings),
            "shard": self.shard,
        }
        return json.dumps(content, sort_keys=True).encode()


# A worker runs many tasks of one fit, and the name of the folder has the hash of the plan.
@lru_cache(maxsize=2)
def load_plan(folder: Path) -> Plan:
    """Read the plan of a fit."""
    return Plan(**json.loads((folder / _FILE).read_bytes()))
