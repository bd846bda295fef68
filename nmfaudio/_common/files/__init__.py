"""Safe file handling: opening, naming, atomic writing and model archives."""

from nmfaudio._common.files.archive import load_archive, save_archive
from nmfaudio._common.files.names import distinct_names, safe_name, show
from nmfaudio._common.files.staging import write_bytes, write_group_of_bytes
from nmfaudio._common.files.targets import check_targets

__all__ = [
    "check_targets",
    "distinct_names",
    "load_archive",
    "safe_name",
    "save_archive",
    "show",
    "write_bytes",
    "write_group_of_bytes",
]
