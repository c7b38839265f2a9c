"""Which keys a deployment's settings may name: not two kinds at once, and in production none of development."""

from pathlib import Path

import pytest

from infrastructure.access.claims import TokenRules
from infrastructure.access.errors import KeysUnavailable, KeysUnusable
from infrastructure.access.key_address import KeyAddress
from infrastructure.access.key_file import KeyFile
from service.cli.surroundings import settings_at
from service.http.app import create_app
from service.settings import Settings, SettingsError
from service.token_verifier import may_use_development_key, require_usable_keys, token_rules, token_verifier
from tests.infrastructure.access.issuer import key_set, rsa
from tests.service.http.api_server import away
from tests.support.access import development_key, token_for

DEVELOPMENT = "FOLDSTREAM_DEVELOPMENT_KEY"
KEYS = "FOLDSTREAM_ACCESS_KEYS"


def refusal(settings: Settings) -> str | None:
    """Why keys can't be used as these settings say, None where they can."""
    try:
        require_usable_keys(settings)
    except SettingsError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({}, None),
        ({DEVELOPMENT: "key"}, None),
        ({KEYS: "http://id.example/keys"}, None),
        ({DEVELOPMENT: "key", KEYS: "keys"}, f"{DEVELOPMENT}: is set beside {KEYS}"),
        ({"FOLDSTREAM_PRODUCTION": "yes", KEYS: "keys"}, None),
        ({"FOLDSTREAM_PRODUCTION": "yes", KEYS: "https://id.example/keys"}, None),
        (
            {"FOLDSTREAM_PRODUCTION": "yes"},
            f"{KEYS}: is not set; in production it names the keys of the tokens",
        ),
        (
            {"FOLDSTREAM_PRODUCTION": "yes", DEVELOPMENT: "key"},
            f"{DEVELOPMENT}: is set, and this is production: its key signs any token",
        ),
        (
            {"FOLDSTREAM_PRODUCTION": "yes", KEYS: "http://id.example/keys"},
            f"{KEYS}: should be an https:// address in production",
        ),
    ],
)
def test_keys_are_refused_by_name_and_reason(variables: dict[str, str], reason: str | None) -> None:
    settings = Settings.from_mapping(variables)
    assert refusal(settings) == reason


def test_an_api_in_production_does_not_start_without_keys() -> None:
    with pytest.raises(SettingsError):
        create_app(away(production=True))


def test_an_api_without_keys_takes_no_token(tmp_path: Path) -> None:
    verifier = create_app(away(development_key=None)).state.verifier
    with pytest.raises(KeysUnavailable) as refused:
        verifier.caller_of(token_for(development_key(tmp_path)))
    assert refused.value.reason == "no keys are set up here, so that no token can be verified"


def test_an_api_takes_tokens_by_the_keys_that_are_named(tmp_path: Path) -> None:
    key = development_key(tmp_path)
    verifier = create_app(away(development_key=str(key))).state.verifier
    assert verifier.caller_of(token_for(key, subject="anna", tenant="acme")).tenant == "acme"
    with pytest.raises(KeysUnusable):
        create_app(away(access_keys=str(key), development_key=None))


def test_settings_say_whom_tokens_are_for_and_by_which_algorithms(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(rsa()))
    variables = {
        KEYS: str(file),
        "FOLDSTREAM_ACCESS_ALGORITHMS": "RS256, EdDSA",
        "FOLDSTREAM_ACCESS_AUDIENCE": "shop",
        "FOLDSTREAM_ACCESS_ISSUER": "https://id.example",
        "FOLDSTREAM_ACCESS_LEEWAY_SECONDS": "0",
    }
    verifier = token_verifier(Settings.from_mapping(variables))
    assert (type(verifier.source), verifier.source.algorithms) == (KeyFile, frozenset({"RS256", "EdDSA"}))
    assert verifier.rules == TokenRules("shop", "https://id.example", 0)
    at_address = token_verifier(Settings.from_mapping({KEYS: "https://id.example/keys"}))
    assert type(at_address.source) is KeyAddress
    assert token_rules(Settings()) == TokenRules("foldstream", None, 30)


def test_without_variables_no_keys_are_named_and_it_is_not_production() -> None:
    found = Settings.from_mapping({})
    assert (found.access_keys, found.development_key, found.token_file, found.production) == (None, None, None, False)
    assert (found.access_algorithms, found.access_audience) == (("RS256", "ES256", "EdDSA"), "foldstream")
    assert (found.access_issuer, found.access_leeway_seconds) == (None, 30)


def test_every_setting_of_access_is_read_from_its_variable() -> None:
    variables = {
        "FOLDSTREAM_ACCESS_KEYS": "https://id.example/keys",
        "FOLDSTREAM_ACCESS_ALGORITHMS": "ES256",
        "FOLDSTREAM_ACCESS_AUDIENCE": "shop",
        "FOLDSTREAM_ACCESS_ISSUER": "https://id.example",
        "FOLDSTREAM_ACCESS_LEEWAY_SECONDS": "5",
        "FOLDSTREAM_DEVELOPMENT_KEY": "data/access/development.jwk",
        "FOLDSTREAM_PRODUCTION": "yes",
        "FOLDSTREAM_TOKEN_FILE": "/run/secrets/token",
    }
    assert Settings.from_mapping(variables) == Settings(
        access_keys="https://id.example/keys",
        access_algorithms=("ES256",),
        access_audience="shop",
        access_issuer="https://id.example",
        access_leeway_seconds=5,
        development_key="data/access/development.jwk",
        production=True,
        token_file="/run/secrets/token",
    )


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        (KEYS, "ftp://id.example/keys", "should be the path of a file, or an https:// address without a login"),
        (KEYS, "https://", "should be the path of a file, or an https:// address without a login"),
        (KEYS, "https://u:p@id.example/", "should be the path of a file, or an https:// address without a login"),
        ("FOLDSTREAM_ACCESS_ALGORITHMS", "none", "should be some of RS256, ES256, EdDSA, with commas"),
        ("FOLDSTREAM_ACCESS_ALGORITHMS", "RS256,HS256", "should be some of RS256, ES256, EdDSA, with commas"),
        ("FOLDSTREAM_ACCESS_AUDIENCE", "a b", "should be 1 to 256 visible ASCII characters"),
        ("FOLDSTREAM_ACCESS_ISSUER", "\u00e4", "should be 1 to 256 visible ASCII characters"),
        ("FOLDSTREAM_ACCESS_LEEWAY_SECONDS", "301", "should be a whole number from 0 to 300"),
        ("FOLDSTREAM_PRODUCTION", "true", "should be yes or no"),
    ],
)
def test_a_setting_of_access_that_can_t_be_used_is_refused(variable: str, value: str, reason: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_mapping({variable: value})
    assert str(refused.value) == f"{variable}: {reason}"


def test_the_key_of_a_folder_is_used_where_no_other_is_named(tmp_path: Path) -> None:
    assert settings_at(tmp_path).development_key is None
    key = development_key(tmp_path)
    assert settings_at(tmp_path).development_key == str(key)
    assert settings_at(None).development_key is None
    assert may_use_development_key(Settings())
    others = (Settings(access_keys="keys"), Settings(production=True), Settings(development_key="key"))
    assert [may_use_development_key(settings) for settings in others] == [False, False, False]
