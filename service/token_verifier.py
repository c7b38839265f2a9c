"""The verifier of tokens that a deployment's settings ask for."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from infrastructure.access.claims import TokenRules
from infrastructure.access.key_file import KeyFile, development_key_file
from infrastructure.access.no_keys import NoKeys
from infrastructure.access.revocations import NOTHING_REVOKED, Revocations
from infrastructure.access.verifier import KeySource, TokenVerifier
from service.settings import Settings, SettingsError, variable_of
from service.settings.texts import is_address


def token_verifier(
    settings: Settings, revocations: Callable[[], Revocations] = lambda: NOTHING_REVOKED
) -> TokenVerifier:
    """A verifier of tokens by the keys that are set; without any it refuses every token.

    Raises SettingsError as `require_usable_keys`, KeysUnusable for a file without keys.
    """
    return TokenVerifier(_source_of(settings), token_rules(settings), revocations)


def token_rules(settings: Settings) -> TokenRules:
    """Whom tokens have to be for and from."""
    return TokenRules(settings.access_audience, settings.access_issuer, settings.access_leeway_seconds)


def require_usable_keys(settings: Settings) -> None:
    """Raises SettingsError for two sources of keys, and in production for none, for a development key, or for keys
    that come over the network as anybody on the way may change them.
    """
    if settings.development_key is not None and settings.access_keys is not None:
        raise SettingsError(settings.place_of("development_key"), f"is set beside {variable_of('access_keys')}")
    if not settings.production:
        return
    if settings.development_key is not None:
        raise SettingsError(
            settings.place_of("development_key"), "is set, and this is production: its key signs any token"
        )
    if settings.access_keys is None:
        raise SettingsError(variable_of("access_keys"), "is not set; in production it names the keys of the tokens")
    if urlsplit(settings.access_keys).scheme == "http":
        raise SettingsError(settings.place_of("access_keys"), "should be an https:// address in production")


def may_use_development_key(settings: Settings) -> bool:
    """Whether that of a data folder counts: where no keys are named, and this is not production."""
    return not settings.production and settings.development_key is None and settings.access_keys is None


def _source_of(settings: Settings) -> KeySource:
    require_usable_keys(settings)
    if settings.development_key is not None:
        return development_key_file(Path(settings.development_key))
    if settings.access_keys is None:
        return NoKeys()
    algorithms = frozenset(settings.access_algorithms)
    if is_address(settings.access_keys):
        from infrastructure.access.key_address import KeyAddress  # noqa: PLC0415 - it loads a client of HTTP

        return KeyAddress(settings.access_keys, algorithms)
    return KeyFile(Path(settings.access_keys), algorithms)
