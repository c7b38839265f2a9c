"""Names streams: the one place that writes and parses their names."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

DEFAULT_TENANT: Final = "default"
HEX_DIGITS: Final = "0123456789abcdef"
SNAPSHOTS: Final = "snapshot"
SEGMENTS: Final = "segments"
_OF_TENANT: Final = "/"
"""Stands in a row's key behind the tenant; in no id of an aggregate."""
ACCESS: Final = "access"
_TENANT: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_CATEGORY: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class StreamName:
    """`<category>-<id>`, or `<tenant>.<category>-<id>` for any tenant but the default one. `str` writes it.

    Raises ValueError for a tenant or a category that is no lower-case word, and for an empty id.
    """

    tenant: str
    category: str
    id: str

    def __post_init__(self) -> None:
        _check(self.tenant, self.category)
        if not self.id:
            raise ValueError("a stream's name ends in an id")

    def __str__(self) -> str:
        prefix = "" if self.tenant == DEFAULT_TENANT else f"{self.tenant}."
        return f"{prefix}{self.category}-{self.id}"

    @classmethod
    def parse(cls, name: str) -> "StreamName":
        """The inverse of `str`. Raises ValueError for any other text."""
        head, _, aggregate_id = name.partition("-")
        tenant, dot, category = head.rpartition(".")
        if dot and tenant == DEFAULT_TENANT:
            raise ValueError(f"the default tenant stands in no stream's name, unlike in {name!r}")
        return cls(tenant if dot else DEFAULT_TENANT, category, aggregate_id)


def stream_name(category: str, aggregate_id: str, tenant: str = DEFAULT_TENANT) -> str:
    """The name of an aggregate's or a saga's stream.

    Raises ValueError as `StreamName` does, for an id that no partition holds, and for a category of derived streams.
    """
    if aggregate_id[-1:] not in HEX_DIGITS or not aggregate_id:
        raise ValueError(f"an aggregate's id ends in a lower-case hexadecimal digit, unlike {aggregate_id!r}")
    if _OF_TENANT in aggregate_id:
        raise ValueError(f"an aggregate's id has no {_OF_TENANT}, unlike {aggregate_id!r}")
    return f"{_prefix(tenant, category)}{aggregate_id}"


def aggregate_id_in(stream: str) -> str:
    """The id in a stream's name; as `StreamName.parse`, which checks it too, but several times faster."""
    return stream.partition("-")[2]


def names_tenant(name: str) -> bool:
    """Whether a stream's name, or what is said for one such as `stock:SKU`, has a tenant in front."""
    return "." in name.partition("-")[0].partition(":")[0]


def row_key_of(stream: str) -> str:
    """Under which key a read model keeps its row of that stream: the id, or `<tenant>/<id>`.

    Both end alike, so a partition that is told by the id's last digit is also told by the key's.
    """
    head, _, aggregate_id = stream.partition("-")
    return f"{head.partition('.')[0]}{_OF_TENANT}{aggregate_id}" if "." in head else aggregate_id


def row_key(tenant: str, aggregate_id: str) -> str:
    """The same for an aggregate of a tenant."""
    return aggregate_id if tenant == DEFAULT_TENANT else f"{tenant}{_OF_TENANT}{aggregate_id}"


def stream_of_row(category: str, key: str) -> str:
    """The inverse of `row_key_of` for streams of that category. What is no such key leads to no stream that exists."""
    tenant, of_tenant, aggregate_id = key.partition(_OF_TENANT)
    return f"{tenant}.{category}-{aggregate_id}" if of_tenant else f"{category}-{key}"


def tenant_prefix(key: str) -> str:
    """What stands in a row's key before the id: `<tenant>/`, or nothing for the default tenant."""
    return key[: key.index(_OF_TENANT) + 1] if _OF_TENANT in key else ""


def category_in(stream: str) -> str:
    """The category in a stream's name; as `StreamName.parse`, which checks it too, but several times faster."""
    return stream.partition("-")[0].rpartition(".")[2]


def snapshot_stream(stream: str) -> str:
    """Where the snapshots of a stream are kept; its name is that of no aggregate, and in no partition."""
    return f"{SNAPSHOTS}-{stream}"


def segment_stream(stream: str) -> str:
    """Where the sealed segments of a stream are kept."""
    return f"{SEGMENTS}-{stream}"


def access_stream(day: date, tenant: str = DEFAULT_TENANT) -> str:
    """Where it is kept what a tenant's callers looked at and did on a day, in UTC. Raises ValueError for no tenant."""
    return str(StreamName(tenant, ACCESS, day.isoformat()))


def source_stream_of(derived: str) -> str:
    """The stream whose snapshots or segments a stream of this name keeps."""
    return derived.partition("-")[2]


def checked_category(category: str) -> str:
    """The same. Raises ValueError where streams of that category can't be an aggregate's or a saga's."""
    _check(DEFAULT_TENANT, category)
    if category in {SNAPSHOTS, SEGMENTS}:
        raise ValueError(f"{category} is no aggregate's category: its streams hold what is derived from others")
    if category == ACCESS:
        raise ValueError(f"{category} is no aggregate's category: its streams hold the access log")
    return category


def checked_tenant(tenant: str) -> str:
    """The same. Raises ValueError for what no tenant can be called."""
    if not _TENANT.fullmatch(tenant):
        raise ValueError(f"a tenant is a lower-case word of at most 32 characters, unlike {tenant!r}")
    return tenant


@cache
def _prefix(tenant: str, category: str) -> str:
    name = str(StreamName(tenant, checked_category(category), "0"))
    return name[:-1]


def _check(tenant: str, category: str) -> None:
    checked_tenant(tenant)
    if not _CATEGORY.fullmatch(category):
        raise ValueError(f"a category is a lower-case word without a hyphen, unlike {category!r}")
