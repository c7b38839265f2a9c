"""Variables that others set for whatever runs beside a service that is called foldstream: they are no settings.

Kubernetes tells each container of every Service in its namespace, Docker of every container that is linked to it. One
that is called `foldstream` or `foldstream-metrics` gets names that begin as those of settings do.
"""

import re
from typing import Final

_NAME: Final = re.compile(
    r"FOLDSTREAM(_[A-Z0-9_]+)?_("
    r"SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?"  # Kubernetes
    r"|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?"  # both
    r"|ENV_[A-Za-z0-9_]+"  # Docker: a variable of the other container
    r")"
)
_BY_VALUE: Final = (
    (re.compile(r"FOLDSTREAM(_[A-Z0-9_]+)?_PORT"), re.compile("(tcp|udp|sctp)://.+")),  # both
    (re.compile(r"FOLDSTREAM(_[A-Z0-9_]+)?_NAME"), re.compile("/[^/]+/[^/]+")),  # Docker: this container and the alias
)


def is_injected(variable: str, value: str) -> bool:
    """Whether Kubernetes or Docker has set it, by its name or, where a setting may be called so, by its value."""
    if _NAME.fullmatch(variable):
        return True
    return any(name.fullmatch(variable) and said.fullmatch(value) for name, said in _BY_VALUE)
