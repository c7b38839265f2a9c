"""`foldstream health`: asks a process on this machine how it fares, as a probe of a container does."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import typer

from service.addresses import reached_at
from service.cli.options import Json
from service.errors import NotAnswered
from service.settings import Settings, SettingsError, variable_of

_SECONDS: Final = 8.0  # a look of the API takes a few seconds where a server is silent
_WRONG: Final = 3
Question = Annotated[Literal["live", "ready"], typer.Argument(help="Whether it works at all, or can do its work.")]
AskedPort = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65_535, help="Its port for metrics [default: as the settings say]."),
]


def health(question: Question = "ready", port: AskedPort = None, as_json: Json = False) -> int:
    """Ask a worker or an API on this machine whether it works, at its port for metrics; 3 where it does not.

    It is 0 too where it serves and somebody should look; what is printed says why. 1: nobody answers.
    """
    from infrastructure.terminal import print_json, require_output  # noqa: PLC0415 - a command loads only what it runs
    from service.tables import print_table  # noqa: PLC0415 - as above

    require_output()
    told = _asked(Settings.from_environment(), port, question)
    if as_json:
        print_json(told)
    else:
        checks: Mapping[str, Any] = told.get("checks", {})
        rows = [(name, check["state"], check["detail"] or "") for name, check in checks.items()]
        print_table(("check", "state", "detail"), [(question, told["status"], ""), *rows])
    return 0 if told["status"] in {"ok", "degraded"} else _WRONG


def _asked(settings: Settings, port: int | None, question: str) -> dict[str, Any]:
    """What it answers. Raises SettingsError where no port is named, NotAnswered."""
    import httpx  # noqa: PLC0415 - a command loads only what it runs

    port = port or settings.metrics_port
    if port is None:
        raise SettingsError(variable_of("metrics_port"), "is not set; it, or --port, says where to ask")
    address = f"{reached_at(settings.metrics_host)}:{port}"
    schemes = ("http",) if settings.tls_certificate_file is None else ("https", "http")
    reason = ""
    for scheme in schemes:
        url = f"{scheme}://{address}/health/{question}"
        try:  # a process on this machine; its certificate names the hosts that others know it by
            return _document(httpx.get(url, timeout=_SECONDS, trust_env=False, verify=False).json())
        except (httpx.HTTPError, ValueError) as error:
            reason = reason or str(error) or type(error).__name__
    raise NotAnswered(address, reason)


def _document(answer: object) -> dict[str, Any]:
    """Raises ValueError where it is no answer to the question."""
    if not isinstance(answer, dict) or not isinstance(answer.get("status"), str):
        raise ValueError("what answers there is no process of this service")
    return answer
