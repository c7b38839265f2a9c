"""Sets up logging: events with key-values, for people on a terminal, as JSON lines for everything else."""

import logging
import sys
import threading
from datetime import datetime
from io import StringIO
from types import TracebackType
from typing import Final, Literal, TextIO, TypeAlias

import stamina
import stamina.instrumentation
import structlog
from structlog.typing import Processor

from infrastructure.terminal import printable, printable_lines
from infrastructure.times import time_text

LogForm: TypeAlias = Literal["console", "json"]
_OF_LINES: Final = ("stack", "exception")
_log: Final = structlog.stdlib.get_logger("foldstream")


def default_form() -> LogForm:
    """`console` where stderr is a terminal, else `json`."""
    return "console" if sys.stderr.isatty() else "json"


def set_up(form: LogForm, process: str) -> None:
    """Sends all logging of this process, that of libraries too, to stderr in this form.

    It goes through the standard handler, so that a closed stderr stops nothing.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _write_times,
        _name_trace,
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=not structlog.is_configured(),  # who has configured it may do so again
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_last(form, process)))
    logging.raiseExceptions = False
    stamina.instrumentation.set_on_retry_hooks(())  # retries are not logged; giving up is
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for loud in ("httpx", "httpcore", "uvicorn.error", "esdbclient"):
        logging.getLogger(loud).setLevel(logging.WARNING)
    logging.getLogger("opentelemetry.trace").setLevel(logging.ERROR)  # it warns of each header that is no trace
    _take_what_nobody_catches()


def _take_what_nobody_catches() -> None:
    """Errors that end the process or a thread, or that Python can't raise, and warnings. asyncio logs its own."""
    sys.excepthook = _log_ending
    threading.excepthook = _log_end_of_thread
    sys.unraisablehook = _log_unraisable
    logging.captureWarnings(True)


def _log_ending(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _log.critical("unexpected_error", exc_info=(kind, error, trace))


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is not SystemExit:  # which ends a thread in silence
        name = None if ended.thread is None else ended.thread.name
        error = ended.exc_value or ended.exc_type()
        _log.critical("unexpected_error", thread=name, exc_info=(ended.exc_type, error, ended.exc_traceback))


def _log_unraisable(failed: "sys.UnraisableHookArgs") -> None:
    error = failed.exc_value or failed.exc_type()
    where = f"{failed.err_msg or 'Exception ignored in'} {failed.object!r}"
    _log.error("unexpected_error", where=where, exc_info=(failed.exc_type, error, failed.exc_traceback))


def _last(form: LogForm, process: str) -> list[Processor]:
    def name(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {"process": process, **event}

    own: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, name]
    if form == "console":
        return [
            *own,
            _escape,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_print_traceback),
        ]
    return [*own, structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]


def _write_times(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {name: time_text(value) if isinstance(value, datetime) else value for name, value in event.items()}


def _name_trace(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Where a span is recorded, the line says which, as OpenTelemetry's conventions for logs have it."""
    from infrastructure.telemetry.spans import current_ids  # noqa: PLC0415 - most verbs log nothing

    return {**event, **current_ids()}


def _escape(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Texts as they may be shown; of all other values the renderer shows what `repr` makes, which is printable."""
    return {printable(name): _shown(name, value) for name, value in event.items()}


def _shown(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    return printable_lines(value) if name in _OF_LINES else printable(value)


def _print_traceback(where: TextIO, error: structlog.typing.ExcInfo) -> None:
    text = StringIO()
    structlog.dev.plain_traceback(text, error)
    where.write(printable_lines(text.getvalue()))
