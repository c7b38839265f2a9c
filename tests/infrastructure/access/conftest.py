"""A verifier that knows one key of each kind."""

from pathlib import Path

import pytest

from infrastructure.access.claims import TokenRules
from infrastructure.access.key_file import KeyFile
from infrastructure.access.verification_keys import ALGORITHMS
from infrastructure.access.verifier import TokenVerifier
from tests.infrastructure.access.issuer import NOW, curve, edwards, key_set, rsa
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def verifier(tmp_path: Path, clock: Clock) -> TokenVerifier:
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(rsa(), curve(), edwards()))
    return TokenVerifier(KeyFile(file, frozenset(ALGORITHMS)), TokenRules(issuer=None), clock=clock)
