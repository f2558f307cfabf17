"""How much room is left on a disk."""

import shutil
from pathlib import Path

_ROOM = 1 << 20
"""Bytes. A disk with less is full, whatever the message of the failure says."""


def is_full(folder: Path) -> bool:
    """Tell whether there is no room left on the disk of a folder; false if the folder is not there."""
    return folder.exists() and shutil.disk_usage(folder).free < _ROOM
