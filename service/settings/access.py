"""Whose tokens are taken, and which one the command line presents."""

from typing import Annotated, TypeAlias

from pydantic import Field

from infrastructure.access.claims import LONGEST_LEEWAY
from infrastructure.access.verification_keys import ALGORITHMS
from service.settings.kind import WhenUnset
from service.settings.numbers import WholeNumber
from service.settings.texts import VISIBLE, FileOrAddress, FilePath, Names, YesOrNo

AccessKeys: TypeAlias = Annotated[
    str | None,
    FileOrAddress(),
    WhenUnset("`serve` makes a development key, `api` takes no token"),
    Field(
        description="The keys by which [tokens](access.md#tokens) are signed: a file (a JWK set, a JWK or PEM),"
        " looked at each second, or the `https://` address of a JWK set."
    ),
]
AccessAlgorithms: TypeAlias = Annotated[
    tuple[str, ...],
    Names(ALGORITHMS),
    Field(description="By which of these a token may be signed; no others are possible."),
]
AccessAudience: TypeAlias = Annotated[
    str,
    VISIBLE,
    Field(description="Whom a token has to be for (`aud`)."),
]
AccessIssuer: TypeAlias = Annotated[
    str | None,
    VISIBLE,
    WhenUnset("any, by a key that is known"),
    Field(description="From whom a token has to be (`iss`)."),
]
AccessLeewaySeconds: TypeAlias = Annotated[
    int,
    WholeNumber(0, LONGEST_LEEWAY, "s"),
    Field(description="By how much the clock of whoever issues tokens may differ from ours."),
]
DevelopmentKey: TypeAlias = Annotated[
    str | None,
    FilePath(),
    WhenUnset("with `--data DIR`, and no keys named, that of the folder"),
    Field(
        description="The file of a [development key](access.md#for-development), in place of"
        " `FOLDSTREAM_ACCESS_KEYS`; both together are refused."
    ),
]
Production: TypeAlias = Annotated[
    bool,
    YesOrNo(),
    Field(
        description="`yes` refuses a development key, a start of `serve` or `api` without keys, and keys from an"
        " `http://` address."
    ),
]
TokenFile: TypeAlias = Annotated[
    str | None,
    FilePath(),
    WhenUnset("`cli:<login name>`"),
    Field(
        description="A file with the token that verbs of the command line"
        " [present](access.md#workers-and-the-command-line)."
    ),
]
