"""Bodies as strict JSON (RFC 8259, I-JSON's rules on members and text), within a bound on their size."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, NoReturn

from service.http.problems import Fault, Problem, malformed, shortened

LARGEST_BODY: Final = 1024 * 1024  # bytes
_LONGEST_INTEGER: Final = 1_000  # digits; Python reads some thousands at most
_UTF_8: Final = frozenset({"utf-8", "csutf8", "utf8"})  # as registered; the last one is what many write
_FORBIDDEN: Final = re.compile("[\0\ud800-\udfff]")


async def read(chunks: AsyncIterator[bytes], announced: str | None, *, seconds: float) -> bytes:
    """The whole body. Raises Problem `request-timeout` if it takes more than `seconds`.

    Raises Problem `too-large` as soon as that is known, whether or not a length was announced.
    """
    if announced is not None and announced.isascii() and announced.isdigit() and int(announced[:20]) > LARGEST_BODY:
        raise _too_large()
    try:
        async with asyncio.timeout(seconds):
            return await _collected(chunks)
    except TimeoutError as error:
        late = f"The body of a request has to come within {seconds:g} s."
        raise Problem("request-timeout", late, headers={"Connection": "close"}) from error


async def _collected(chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > LARGEST_BODY:
            raise _too_large()
    return bytes(body)


def require_json(content_type: str | None) -> None:
    """Raises Problem `not-json` for a label of something else; what has none is looked at as it is."""
    if not content_type:
        return
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if media_type != "application/json":
        raise Problem("not-json", f"A body has the content type application/json, not {shortened(content_type)}.")
    for charset in (part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")):
        if charset not in _UTF_8:
            raise Problem(
                "not-json", f"JSON is read in UTF-8, not in {shortened(charset) or 'a charset without a name'}."
            )


def require_known_encoding(encodings: Sequence[str], known: str = "identity") -> None:
    """Raises Problem `unknown-encoding` for a body that was encoded in any but the known way (compressed, say)."""
    for encoding in (part.strip() for line in encodings for part in line.split(",")):
        if encoding.lower() not in {"", known}:
            detail = f"A body is read as it is, not in the encoding {shortened(encoding)}."
            raise Problem("unknown-encoding", detail, headers={"Accept-Encoding": "identity"})


def parse(body: bytes) -> dict[str, Any]:
    """The object that the body holds. Raises Problem `malformed`."""
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_members, parse_constant=_refuse_constant, parse_int=_integer
        )
        if b"\\u" in body:
            _refuse_forbidden_text(value)
    except UnicodeDecodeError as error:
        raise _not_readable("is not UTF-8") from error
    except RecursionError as error:
        raise _not_readable("is nested too deeply") from error
    except ValueError as error:
        raise _not_readable(f"is not JSON as it is accepted here: {error}") from error
    if not isinstance(value, dict):
        raise _not_readable("is not an object")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands in an object twice")
    return members


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_INTEGER:
        raise ValueError(f"an integer has {len(digits)} digits")
    return int(digits)


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _refuse_forbidden_text(value: Any) -> None:
    """Refuses text that can't be stored or answered, which only escapes can bring: lone surrogates and NUL."""
    rest = [value]
    while rest:
        match rest.pop():
            case dict() as members:
                rest += [*members.keys(), *members.values()]
            case list() as elements:
                rest += elements
            case str() as text if _FORBIDDEN.search(text):
                raise ValueError("a text holds NUL or half of a surrogate pair")
            case _:
                pass


def _too_large() -> Problem:
    return Problem("too-large", f"A body may have {LARGEST_BODY} bytes.")


def _not_readable(reason: str) -> Problem:
    return malformed([Fault(pointer="", reason=reason)])
