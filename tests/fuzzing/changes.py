"""Changes of files for the fuzzer: of their bytes, and of the structure of JSON. Everything follows from a number."""

from __future__ import annotations

import json
import random

from support.json_changes import MOST_CHANGES, ODD, change_one_value

MOST_BYTES = 1 << 16
ODD_BYTES = (b"nan", b"-1", b"1e999", b"99999999999", b"\xff\xff\xff\xff", b"[]", b"", b"\0")


def changed(data: bytes, seed: int, structured: bool) -> bytes:
    """The file with a few changes."""
    rng = random.Random(seed)
    if structured and rng.random() < 0.7:
        return changed_json(data, rng) or changed_bytes(data, rng)
    return changed_bytes(data, rng)


def changed_json(data: bytes, rng: random.Random) -> bytes:
    """A JSON document with up to three values changed as in `json_changes`; empty if it is no such document."""
    try:
        document = json.loads(data)
    except ValueError:
        return b""
    for _ in range(rng.randint(1, MOST_CHANGES)):
        change_one_value(document, rng.choice, lambda: rng.choice(ODD))
    try:
        return json.dumps(document).encode()[:MOST_BYTES]
    except ValueError:  # an int of more digits than Python writes
        return b""


def changed_bytes(data: bytes, rng: random.Random) -> bytes:
    """Up to six bytes changed, a part removed, repeated or moved, or a number replaced."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        start = rng.randrange(len(changed) + 1)
        part = changed[start : start + rng.randint(1, 16)]
        action = rng.choice(["set", "set", "remove", "repeat", "odd", "cut"])
        if action == "set" and start < len(changed):
            changed[start] = rng.randrange(256)
        elif action == "remove":
            del changed[start : start + len(part)]
        elif action == "repeat":
            changed[start:start] = bytes(part) * rng.randint(1, 4)
        elif action == "odd":
            changed[start : start + len(part)] = rng.choice(ODD_BYTES)
        elif action == "cut" and rng.random() < 0.3:
            del changed[start:]
    return bytes(changed[:MOST_BYTES])
