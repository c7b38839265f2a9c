"""Whether the keys are there by which tokens are verified, and are no development key."""

from infrastructure.access.errors import KeysUnavailable, KeysUnusable
from service.cli.doctor.findings import Finding, fail, ok, warn
from service.settings import Settings
from service.token_verifier import token_verifier

_ADVICE = "FOLDSTREAM_ACCESS_KEYS names a file or an address of keys"


async def keys(settings: Settings) -> Finding:
    """Reads them as the API would. Raises SettingsError as `require_usable_keys`."""
    try:
        source = token_verifier(settings).source
        await source.refresh()
        found = source.current()
    except (KeysUnusable, KeysUnavailable) as error:
        return fail("keys", str(error), _ADVICE)
    if settings.development_key is not None:
        advice = f"{_ADVICE}; FOLDSTREAM_PRODUCTION=yes refuses a development key"
        return warn("keys", "whoever reads the file of the development key can sign any token", advice)
    return ok("keys", f"{len(found.keys)} are known")
