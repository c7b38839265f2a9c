"""The keys of a token on the command line are looked at as often as by an API, and before the token is refused."""

from pathlib import Path
from time import time

import pytest

from infrastructure.access.errors import UnknownKey
from service.cli.callers import PresentedToken
from service.settings import Settings
from tests.infrastructure.access.issuer import Issuer, curve, key_set, rsa
from tests.infrastructure.access.key_server import open_key_server


def present(file: Path, issuer: Issuer) -> None:
    file.write_text(issuer.token(exp=int(time()) + 600), encoding="utf-8")


def test_an_address_is_not_asked_at_each_look_but_before_a_token_is_refused(tmp_path: Path) -> None:
    present(file := tmp_path / "token", rsa())
    with open_key_server(key_set(rsa())) as server:
        token = PresentedToken(Settings(access_keys=server.url), str(file))
        assert {token.caller().subject for _ in range(10)} == {"anna"}
        assert server.asked == 1
        server.content = key_set(curve())
        present(file, curve())
        assert (token.caller().subject, server.asked) == ("anna", 2)
        present(file, rsa())
        with pytest.raises(UnknownKey):
            token.caller()
        assert server.asked == 3
