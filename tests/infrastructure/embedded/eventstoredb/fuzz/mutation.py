"""Seeds of the fuzz test, and what becomes of them: the same for the same random numbers."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
_CONNECTION = "connection-"
# Lengths, counts and varints at which programs trip.
_INTERESTING = [
    b"",
    b"\0",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\0\0\0\0",
    b"\x7f\xff\xff\xff",
    b"\xff" * 9 + b"\x01",
    b"\xc3\x28",
]


def connections() -> list[bytes]:
    """What may follow the preface of a connection."""
    return [_bytes(path) for path in sorted(CORPUS.glob(f"{_CONNECTION}*.hex"))]


def calls() -> list[tuple[str, list[bytes]]]:
    """Paths of methods, and the requests of a call to each."""
    found = []
    for path in sorted(CORPUS.glob("*.hex")):
        if not path.name.startswith(_CONNECTION):
            service, _, method = path.stem.partition("-")[0].rpartition(".")
            found.append((f"/event_store.client.{service}/{method}", _messages(_bytes(path))))
    return found


def mutated(seed: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """The seed after one to four accidents."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        chance.choice(_ACCIDENTS)(data, others, chance)
    return bytes(data)


def _flip(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _replace(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    start = chance.randint(0, len(data))
    piece = chance.choice(_INTERESTING)
    data[start : start + len(piece)] = piece


def _insert(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    start = chance.randint(0, len(data))
    data[start:start] = chance.choice([*_INTERESTING, chance.randbytes(chance.randint(1, 40))])


def _remove(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    start = chance.randint(0, len(data))
    del data[start : start + chance.randint(1, 20)]


def _repeat(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    start = chance.randint(0, len(data))
    data[start:start] = data[start : start + chance.randint(1, 60)] * chance.randint(1, 20)


def _splice(data: bytearray, others: Sequence[bytes], chance: random.Random) -> None:
    other = chance.choice(others)
    data[chance.randint(0, len(data)) :] = other[chance.randint(0, len(other)) :]


Accident = Callable[[bytearray, Sequence[bytes], random.Random], None]
_ACCIDENTS: list[Accident] = [_flip, _flip, _replace, _insert, _remove, _repeat, _splice]


def _bytes(path: Path) -> bytes:
    return bytes.fromhex(path.read_text())


def _messages(framed: bytes) -> list[bytes]:
    """As gRPC frames them: a byte, the length in four, the message."""
    messages = []
    while framed:
        end = 5 + int.from_bytes(framed[1:5], "big")
        messages.append(framed[5:end])
        framed = framed[end:]
    return messages
