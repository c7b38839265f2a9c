"""The servers that a verb works on: those that are named, else those of the service that runs in a folder.

Whoever gets the address of one is on record before, where that is kept.
"""

import json
from pathlib import Path
from typing import Final

from infrastructure.access.development_key import FILE
from service.cli.access.records import record_attempt
from service.errors import NoRedis, NoStore
from service.settings import Settings

_SETTINGS: Final = {"eventstore": "eventstore_uri", "redis": "redis_uri"}


def store_uri(data: Path) -> str:
    """The event store that is named, else that of the service which runs in this folder.

    Raises NoStore, SettingsError, StoreUnavailable.
    """
    return store_settings(data).eventstore


def store_settings(data: Path) -> Settings:
    """The settings, with an event store that is named or runs in this folder. Raises NoStore, SettingsError."""
    return _requiring(data, NoStore)


def both_servers(data: Path) -> Settings:
    """The settings, with an event store and a Redis that are named or run in this folder.

    Raises NoStore, NoRedis, SettingsError.
    """
    return _requiring(data, NoStore, NoRedis)


def redis_settings(data: Path) -> Settings:
    """The settings, with a Redis that is named or runs in this folder. Raises NoRedis, SettingsError."""
    return _requiring(data, NoRedis)


def _requiring(data: Path, *missing: type[NoStore | NoRedis]) -> Settings:
    """The settings for a verb that is put on record now; raises those of these of which there is no server."""
    settings = settings_at(data)
    found = {NoStore: settings.eventstore_uri, NoRedis: settings.redis_uri}
    for refusal in missing:
        if found[refusal] is None:
            raise refusal(data)
    record_attempt(settings)
    return settings


def settings_at(data: Path | None) -> Settings:
    """The settings; a server that they don't name is that of the service in this folder. Raises SettingsError.

    So is the key of its tokens, but in production.
    """
    from service.token_verifier import may_use_development_key  # noqa: PLC0415 - a command loads only what it runs

    settings = Settings.from_environment()
    running = {} if data is None else _running_in(data)
    missing = {name: uri for name, uri in running.items() if getattr(settings, name) is None}
    if data is not None and may_use_development_key(settings) and (data / FILE).exists():
        missing["development_key"] = str(data / FILE)
    return settings.model_copy(update=missing)


def folders_in(data: Path | None) -> list[Path]:
    """The folders of the embedded servers that are used with `settings_at(data)`."""
    if data is None:
        return []
    named, running = Settings.from_environment(), _running_in(data)
    return [data / name for name, setting in _SETTINGS.items() if setting in running and not getattr(named, setting)]


def _running_in(data: Path) -> dict[str, str]:
    """The addresses of a folder's servers, by the setting that would name another."""
    try:
        listed = json.loads((data / "run" / "processes.json").read_text(encoding="utf-8"))
        servers = [entry for entry in listed if entry["name"] in _SETTINGS and "uri" in entry]
        return {_SETTINGS[entry["name"]]: str(entry["uri"]) for entry in servers}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
