"""How the settings of traces are written."""

import re
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

_RATIO: Final = re.compile(r"0(\.[0-9]{1,6})?|1(\.0{1,6})?")


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"https", "http"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("should be an address such as http://127.0.0.1:4318, without a login")
    return text


def _ratio(given: object) -> object:
    if isinstance(given, str) and _RATIO.fullmatch(given):
        return float(given)
    if isinstance(given, str) or (isinstance(given, int | float) and not 0 <= given <= 1):
        raise ValueError("should be a number from 0 to 1, such as 0.05")
    return float(given) if isinstance(given, int) else given


Endpoint: TypeAlias = Annotated[str, AfterValidator(_endpoint)]
Ratio: TypeAlias = Annotated[float, BeforeValidator(_ratio)]
