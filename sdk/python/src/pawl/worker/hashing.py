"""The 128-bit hash by which Pawl names values (src/pawl/base/hash.cc), and what is made of it.

In Python it takes about 0.1 s per megabyte; only outputs above 64 KiB are hashed here.
"""

from __future__ import annotations

import struct

_MASK = (1 << 64) - 1
_LOW_KEY = 0xD6E8FEB86659FD93
_HIGH_KEY = 0xA0761D6478BD642F
_KEY_OF_TASK = 0x6B65795F7461736B


def _mix64(x: int) -> int:
    x = (x + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def hash128(data: bytes, seed: int = 0) -> tuple[int, int]:
    """(low, high)"""
    low = _mix64(seed ^ len(data))
    high = _mix64(((seed ^ _MASK) + len(data)) & _MASK)
    padded = data + b"\0" * (-len(data) % 8)
    for (word,) in struct.iter_unpack("<Q", padded):
        product = (low ^ word) * _LOW_KEY
        low = (product ^ (product >> 64)) & _MASK
        product = ((high + word) & _MASK) * _HIGH_KEY
        high = (product ^ (product >> 64)) & _MASK
    return _mix64(low ^ (high >> 32)), _mix64((high + low) & _MASK)


def idempotency_key(cluster: tuple[int, int], execution: int, node: int, item: int) -> str:
    """The same for every attempt of a task, and in every language."""
    low, high = hash128(struct.pack("<5Q", *cluster, execution, node, item), _KEY_OF_TASK)
    return f"{high:016x}{low:016x}"


def span_of(cluster: tuple[int, int], execution: int, node: int, item: int, attempt: int) -> int:
    """Of an attempt, in its execution's trace (src/pawl/model/trace.cc)."""
    words = struct.pack("<6Q", *cluster, execution, node, item, attempt)
    return hash128(b"\x04span" + words)[0] | 1


def output_sequence(node: int, item: int, attempt: int) -> int:
    """Where the large output of an attempt is kept (src/pawl/model/payload.cc)."""
    return 1 << 63 | node << 49 | item << 25 | (attempt & 0x1FFFFFF)
