"""
The allocator: memory that a query is done with is kept for the next one.

A query makes arrays of some megabytes, one a step, and drops them. glibc gives such memory back to
the system as soon as it is free, and the system hands it out anew a page of zeros at a time: of
what summing the purchases of 90 days took for 10M contacts two thirds were faults (64 ms of
processor, 17 once pages are kept), of a sequence a third (760 ms, 480). What the engine is compared
with does the same: DuckDB, Polars and ClickHouse bring allocators of their own that keep pages.

    arrays up to 32 MiB      from the heap, where they were mapped one by one
    128 MiB of a free heap   stay with the process; each thread that allocates may have a heap

It is the process that is changed, so it is done where a process begins to serve or opens a folder,
and never below. Without glibc nothing is done.

What a server has imported stays as well: the collector is told not to look at it
(`set_aside_imports`).

A process that loads files and then ends keeps all of it, in one heap that Arrow shares: of 7.6
seconds of processor for a million contacts 2.6 were the system's, 0.7 are. Arrays over 32 MiB are
given back all the same: kept, the halves of tables that grew took 10M contacts from 2.7 GB to 3.5.

Rejected: arrays that are kept from one query to the next, for which every step would have to be
handed its memory; settings in the environment, which only a parent can make.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable

import pyarrow as pa

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of malloc.h
_LARGEST = 32 << 20  # glibc's own limit
_KEPT = 128 << 20  # sequences over 2^20 contacts and 3M events need 100
_ALL = (1 << 31) - 1


def keep_freed_memory() -> bool:
    """
    Let glibc keep freed memory, up to 128 MiB a heap; return whether that was done.

    May be called again, which changes nothing.
    """
    mallopt = _mallopt()
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST) and mallopt(_TRIM_THRESHOLD, _KEPT))


def keep_all_freed_memory() -> bool:
    """
    Let glibc keep freed arrays up to 32 MiB until the process ends; return whether it does.

    Only for a process that ends with its work: what it does not need any more stays with it.
    """
    mallopt = _mallopt()
    if mallopt is None:
        return False
    pa.set_memory_pool(pa.system_memory_pool())
    kept = (_MMAP_THRESHOLD, _LARGEST), (_TRIM_THRESHOLD, _ALL), (_ARENA_MAX, 1)
    return all(bool(mallopt(option, value)) for option, value in kept)


def set_aside_imports() -> int:
    """
    Keep what is there by now out of the collector's sight, for good; return how many objects.

    For a server, once all is imported and before data are opened: a full collection then takes less
    than a millisecond, where it looked through 112,000 objects of modules in 40 to 75, with every
    caller waiting. Of 160 upserts a second the 99th percentile was 60 to 90 ms, 14 to 19 without.
    Views are not set aside: those that are no more used have cycles, and must be found.
    """
    gc.collect()
    gc.freeze()
    return gc.get_freeze_count()


def _mallopt() -> Callable[[int, int], int] | None:
    """Return glibc's `mallopt(3)`; None elsewhere."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
