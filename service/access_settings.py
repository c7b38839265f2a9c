"""How the settings of access are written."""

import re
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from infrastructure.access.verification_keys import ALGORITHMS

_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,256}")


def is_address(keys: str) -> bool:
    """Whether keys are at an address, else in a file."""
    return "://" in keys


def _access_keys(text: str) -> str:
    if not is_address(text):
        return text
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"https", "http"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None:
        raise ValueError("should be the path of a file, or an https:// address without a login")
    return text


def _name(text: str) -> str:
    if not _VISIBLE.fullmatch(text):
        raise ValueError("should be 1 to 256 visible ASCII characters")
    return text


def _algorithms(text: object) -> object:
    if not isinstance(text, str):
        return text
    names = tuple(name.strip() for name in text.split(","))
    if not set(names) <= set(ALGORITHMS):
        raise ValueError(f"should be some of {', '.join(ALGORITHMS)}, with commas")
    return names


def _yes_or_no(text: object) -> object:
    if not isinstance(text, str):
        return text
    if text not in {"yes", "no"}:
        raise ValueError("should be yes or no")
    return text == "yes"


AccessKeys: TypeAlias = Annotated[str, AfterValidator(_access_keys)]
Algorithms: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_algorithms)]
Name: TypeAlias = Annotated[str, AfterValidator(_name)]
YesOrNo: TypeAlias = Annotated[bool, BeforeValidator(_yes_or_no)]
