"""Which server of a Redis Cluster has which slots, and in which order servers are asked for that."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import sample
from typing import Any, Final

from redis.crc import key_slot

from infrastructure.readmodels.texts import text_of
from infrastructure.readmodels.uri import Address


@dataclass(frozen=True, slots=True)
class SlotTable:
    """Ranges of slots, first and last, with the server that takes commands for them; and all servers."""

    ranges: tuple[tuple[int, int, Address], ...]
    servers: frozenset[Address]

    @staticmethod
    def of(reply: Iterable[Sequence[Any]], asked: Address) -> "SlotTable":
        """From the reply to CLUSTER SLOTS. A server that does not know how it is called is the one that was asked."""
        ranges: list[tuple[int, int, Address]] = []
        servers: set[Address] = set()
        for first, last, *nodes in reply:
            addresses = [_address(node, asked) for node in nodes]
            servers.update(address for address in addresses if address is not None)
            if addresses and addresses[0] is not None:
                ranges.append((int(first), int(last), addresses[0]))
        return SlotTable(tuple(ranges), frozenset(servers))

    def owner(self, slot: int) -> Address | None:
        """The server that takes commands for the slot; None where there is none."""
        return next((address for first, last, address in self.ranges if first <= slot <= last), None)

    @property
    def primaries(self) -> Mapping[Address, int]:
        """The servers that have slots, and the first slot of each."""
        return {address: first for first, _, address in reversed(self.ranges)}

    def moved(self, slot: int, to: Address) -> "SlotTable":
        """The same with another server for one slot."""
        others = (found for found in self.ranges if found[:2] != (slot, slot))
        return SlotTable(((slot, slot, to), *others), self.servers | {to})


class KnownServers:
    """Those that the URI names, and those that the cluster told of."""

    def __init__(self, named: Sequence[Address]) -> None:
        self._named: Final = tuple(named)
        self._told: frozenset[Address] = frozenset()

    def learn(self, table: SlotTable) -> None:
        """Remembers the servers of this table instead of those before."""
        self._told = table.servers

    def in_turn(self, doubted: Address | None) -> Sequence[Address]:
        """All of them, at random, since each may be cut off from the others; the doubted one, which failed, last."""
        every = self._told.union(self._named)
        return sorted(sample(sorted(every), len(every)), key=lambda address: address == doubted)


def slot_of(key: str) -> int:
    """The slot of a key: that of its hash tag, where it has one."""
    return key_slot(key.encode())


def _address(node: Sequence[Any], asked: Address) -> Address | None:
    """None where the cluster does not know the host's name, which it is set to tell."""
    host = None if node[0] is None else text_of(node[0])
    return None if host == "?" else (host or asked[0], int(node[1]))
