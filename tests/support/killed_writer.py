"""
A process that writes generation after generation until somebody kills it.

    python killed_writer.py FOLDER SIZE

Prints "ready", then the version of each generation once it is live.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from support import stored


def main(folder: Path, size: int) -> None:
    """Write versions without end, from the one after what is stored."""
    start = stored.version_of(folder, size) + 1
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for version in itertools.count(start):
        unchanged = (stored.STABLE,) if version % 2 else ()
        stored.write(folder, version, unchanged=unchanged, size=size)
        sys.stdout.write(f"{version}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
