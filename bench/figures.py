"""The figures of a bench, each with its ratio to a baseline of the same run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is in `unit`; `ratio` is `value` over that of the figure called `baseline`, which may be this one.

    `aim` is what the ratio should be, or the value where there is none to speak of.
    """

    name: str
    value: float
    unit: str
    ratio: float
    baseline: str
    note: str = ""
    aim: str = ""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: all of it, or a small `part` (0 to 1) to see that it works.

    `eventstore` is where a log is written and read, None: on an embedded server.
    """

    part: float = 1.0
    is_full: bool = False
    eventstore: str | None = None

    @property
    def rounds(self) -> int:
        """How many times the ways that are compared take turns."""
        return 3 if self.part == 1.0 else 1

    @property
    def seconds(self) -> float:
        """For how long a rate is measured that is not bounded by a number of events."""
        return max(0.1, 3.0 * self.part)

    def events(self, whole: int) -> int:
        """The number of events for this extent, of `whole` for all of it."""
        return max(200, round(whole * self.part))


@dataclass(frozen=True, slots=True)
class Run:
    """`count` operations in `seconds`, and the CPU seconds that they took in the server and in the client."""

    count: int
    seconds: float
    server_cpu: float
    client_cpu: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    @property
    def cost(self) -> str:
        """CPU time per operation; the server's is 0 where there is none."""
        server, client = (f"{1e6 * cpu / self.count:.1f} µs" for cpu in (self.server_cpu, self.client_cpu))
        return f"CPU each: server {server}, client {client}" if self.server_cpu else f"CPU each: {client}"


Part: TypeAlias = Callable[[Extent], Iterator[Figure]]
Way: TypeAlias = Callable[[], Run]


def in_turns(ways: Mapping[str, Way], rounds: int) -> dict[str, Run]:
    """The median run of each way, by rate. Ways take turns, so that other load on the machine affects all alike."""
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            runs[name].append(way())
    return {name: sorted(each, key=lambda run: run.rate)[len(each) // 2] for name, each in runs.items()}


def compared(runs: Mapping[str, Run], unit: str, baselines: Mapping[str, str]) -> Iterator[Figure]:
    """A figure for each; those without a baseline of their own are one."""
    for name, run in runs.items():
        baseline = baselines.get(name, name)
        yield Figure(name, run.rate, unit, run.rate / runs[baseline].rate, baseline, run.cost)
