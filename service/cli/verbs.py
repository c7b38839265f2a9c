"""What all verbs share: their options, an example in their help, and how they ask before they act."""

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, Signature, cleandoc, signature
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, get_type_hints

import typer
from typer.models import ArgumentInfo

from infrastructure.terminal import AS_JSON, confirm, print_error, require_output
from service import logs
from service.access.action import Action
from service.cli.help_option import HelpfulCommand, HelpfulGroup, print_help
from service.cli.options import DEFAULT_DATA, parse_path
from service.settings import Settings, SettingsError, override, variable_of

Server: TypeAlias = Literal["eventstore", "redis"]
Run: TypeAlias = Callable[..., int]
Declared: TypeAlias = Action | Literal["open"]
_SERVERS: Final[Mapping[Server, str]] = {
    "eventstore": "The event store to use in place of that of FOLDSTREAM_EVENTSTORE_URI. A password belongs in the"
    " variable: options show in the list of processes.",
    "redis": "The Redis to use in place of that of FOLDSTREAM_REDIS_URI. A password belongs in the variable: options"
    " show in the list of processes.",
}
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def verb(
    app: typer.Typer, name: str | None = None, *, action: Declared, example: str, uses: tuple[Server, ...] = ()
) -> Callable[[Run], Run]:
    """Registers a verb. It takes all shared options; its help lists those that have an effect on it.

    These are `--json` and `--data` where the function takes `as_json` and `data`, and the servers that it `uses`. The
    policies are asked whether the caller may do its `action` before it runs.
    """

    def registered(run: Run) -> Run:
        _register(app, name, asked_for(action, with_shared_options(run, uses)), example)
        return run

    return registered


def server(
    app: typer.Typer, *, example: str, uses: tuple[Server, ...] = ("eventstore", "redis")
) -> Callable[[Run], Run]:
    """Registers a verb that serves until it is stopped; it ends with 0 then.

    Nobody is asked for it: a worker that ended has to start again, whatever became of the token of whoever started it.
    """

    def registered(run: Run) -> Run:
        _register(app, run.__name__, with_shared_options(run, uses, serves=True), example)
        return run

    return registered


def _register(app: typer.Typer, name: str | None, run: Run, example: str) -> None:
    summary = " ".join(cleandoc(run.__doc__ or "").partition("\n\n")[0].split())
    app.command(name, cls=HelpfulCommand, short_help=summary, epilog=epilog(example))(run)


def asked_for(action: Declared, run: Run) -> Run:
    """The verb, which runs only for those who may; `action` is told of it."""
    said = [name for name, each in signature(run).parameters.items() if _is_argument(each) or name == "tenant"]

    @wraps(run)
    def command(**given: Any) -> int:
        if not isinstance(action, Action) or given["context"].invoked_subcommand is not None:  # that one is asked for
            return run(**given)
        from service.cli.permission import permitted  # noqa: PLC0415 - a command loads only what it runs

        named = {name: given[name] for name in said}
        is_part = None not in {given.get("stop_when_closed"), given.get("fold", "")}
        with permitted(action, given["data"], named, is_part=is_part):
            return run(**given)

    command.action = action  # type: ignore[attr-defined]  # for whoever lists the verbs
    return command


def _is_argument(parameter: Parameter) -> bool:
    """Whether it is told by its place, not by an option."""
    said = getattr(parameter.annotation, "__metadata__", ())
    return any(isinstance(each, ArgumentInfo) for each in said)


def pass_on_options(context: typer.Context) -> None:
    """Gives a subcommand the options of its group, as in `projections --data DIR list`, where it has none itself."""
    given = {name: context.params[name] for name in ("data", "as_json") if context.params[name] is not None}
    context.default_map = {str(context.invoked_subcommand): given}


def epilog(example: str) -> str:
    """An example as the end of a help, each line by itself."""
    lines = "\n".join(f"  foldstream {line}" for line in cleandoc(example).splitlines())
    return f"Example:\n\n\b\n{lines}"


def with_shared_options(run: Run, uses: tuple[Server, ...], *, serves: bool = False) -> Run:
    """The function with all shared options; one that serves ends with 0 on Ctrl-C, and logs JSON with `--json`."""
    own = {name: each.replace(annotation=hint) for (name, each), hint in zip(*_described(run), strict=True)}
    shared = {name: each for name, each in _shared(uses, serves=serves).items() if name not in own}

    def command(**given: Any) -> int:
        _choose_servers(given)
        if serves and given["as_json"]:
            AS_JSON.set(True)
            given["context"].obj = "json"
            logs.set_up("json", given["context"].command.name or "foldstream")
        try:
            return run(**{name: given[name] for name in own})
        except KeyboardInterrupt:
            if serves:
                return 0
            raise

    parameters = {"context": Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context), **own, **shared}
    command.__signature__ = Signature(  # type: ignore[attr-defined]  # what `inspect` and typer look at first
        [each.replace(kind=Parameter.KEYWORD_ONLY) for each in parameters.values()]
    )
    command.__annotations__ = {name: each.annotation for name, each in parameters.items()}
    command.__name__, command.__doc__ = run.__name__, run.__doc__
    return command


def verb_group(summary: str) -> typer.Typer:
    """A group of verbs, which prints its help where none is named."""
    return typer.Typer(
        cls=HelpfulGroup,
        help=summary,
        add_completion=False,
        short_help=summary,
        invoke_without_command=True,
        callback=_help_alone,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def _help_alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print_help(context)


def consented(question: str, *, yes: bool) -> bool:
    """Whether it is to be done; asked on a terminal, where nobody has said so. Raises BadParameter where nobody is."""
    if yes:
        return True
    require_consent(yes=yes)
    try:
        agreed = confirm(question)
    except EOFError as error:
        raise typer.Abort from error
    if not agreed:
        print_error("Nothing was done.")
    return agreed


def require_consent(*, yes: bool) -> None:
    """Raises BadParameter where there is nobody to ask, OutputUnusable where nobody could be told what was done."""
    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("there is nobody to ask; --yes does it without asking")
    require_output()


def _described(run: Run) -> tuple[list[tuple[str, Parameter]], list[Any]]:
    parameters = list(signature(run).parameters.items())
    hints = get_type_hints(run, include_extras=True)
    return parameters, [hints[name] for name, _ in parameters]


def _shared(uses: tuple[Server, ...], *, serves: bool) -> dict[str, Parameter]:
    json = Annotated[bool, typer.Option("--json", hidden=not serves, help="Print and log JSON.")]
    data = Annotated[Path, typer.Option("--data", parser=parse_path, hidden=True)]
    uris: dict[str, Any] = {
        name: Annotated[
            str | None,
            typer.Option(f"--{name}", metavar="URI", parser=_uri_of(name), hidden=name not in uses, help=help_),
        ]
        for name, help_ in _SERVERS.items()
    }
    hints: dict[str, Any] = {"as_json": json, "data": data, **uris}
    defaults: dict[str, Any] = {"as_json": False, "data": DEFAULT_DATA}
    return {
        name: Parameter(name, Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=hint)
        for name, hint in hints.items()
    }


def _uri_of(server: Server) -> Callable[[str], str]:
    setting = f"{server}_uri"

    def parse(text: str) -> str:
        if not text:
            raise typer.BadParameter("the empty text is no URI")
        try:
            Settings.from_mapping({variable_of(setting): text})
        except SettingsError as error:
            raise typer.BadParameter(error.reason) from error
        return text

    return parse


def _choose_servers(given: Mapping[str, Any]) -> None:
    for server in _SERVERS:
        if given.get(server) is not None:
            override(f"{server}_uri", given[server])
