"""The commands `foldstream token`, which prints one, and `foldstream token revoke`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from domain.stream_name import DEFAULT_TENANT
from infrastructure.access.claims import LONGEST_LIFE
from service.access.action import Action
from service.cli import completion
from service.cli.help_option import HelpfulGroup
from service.cli.operator_act import Act, Reason
from service.cli.options import DEFAULT_DATA, Data, Json, Tenant, parse_time, with_options
from service.cli.verbs import asked_for, epilog, pass_on_options, verb, with_shared_options

app = typer.Typer(cls=HelpfulGroup, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Whom a token names, and for how long."""

    subject: Annotated[str | None, typer.Option(metavar="TEXT", help="Who presents it [default: the login name].")] = (
        None
    )
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE",
            autocompletion=completion.roles,
            help="customer, clerk, warehouse, auditor, operator, monitor or administrator; may be given several times"
            " [default: administrator].",
        ),
    ] = None
    tenant: Tenant = DEFAULT_TENANT
    seconds: Annotated[int, typer.Option(min=1, max=LONGEST_LIFE - 1, metavar="N", help="How long it is good for.")] = (
        3600
    )
    data: Data = DEFAULT_DATA
    as_json: Json = False


def _token(context: typer.Context, options: Token) -> int:
    """Print a token signed by a data folder's development key; or revoke one.

    `foldstream serve` makes that key where no others are named; in production there is none.
    """
    if context.invoked_subcommand is not None:
        pass_on_options(context)
        return 0
    from service.cli.tokens.issue import Wanted, print_token  # noqa: PLC0415 - a command loads only what it runs

    wanted = Wanted(options.subject, options.role or ["administrator"], options.tenant, options.seconds)
    return print_token(options.data, wanted, as_json=options.as_json)


app.callback(invoke_without_command=True, epilog=epilog("token --data data --subject anna --role clerk"))(
    asked_for(Action.ISSUE_TOKENS, with_shared_options(with_options(Token)(_token), ()))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """Which tokens count no more."""

    why: Reason
    jti: Annotated[str | None, typer.Option("--jti", metavar="ID", help="The token with this id.")] = None
    subject: Annotated[str | None, typer.Option(metavar="TEXT", help="All tokens of this subject.")] = None
    tenant: Tenant = DEFAULT_TENANT
    before: Annotated[
        datetime | None,
        typer.Option(
            parser=parse_time, metavar="TIME", help="Of the subject's only those issued before then [default: now]."
        ),
    ] = None
    data: Data = DEFAULT_DATA
    as_json: Json = False


def _revoke(_: typer.Context, options: Revoke) -> int:
    """Revoke a token, or all of a subject, before they expire: every API process heeds it within some two seconds."""
    from service.cli.tokens.revocation import Meant, revoke  # noqa: PLC0415 - a command loads only what it runs

    meant = Meant(options.jti, options.subject, options.tenant, options.before)
    return revoke(options.data, meant, Act(options.why), as_json=options.as_json)


verb(
    app,
    "revoke",
    action=Action.REVOKE_TOKENS,
    example="token revoke --subject anna --why 'a lost laptop'",
    uses=("eventstore",),
)(with_options(Revoke)(_revoke))
