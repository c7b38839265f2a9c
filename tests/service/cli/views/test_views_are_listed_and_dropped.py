"""`foldstream views` lists the views that there are, and drops one on an operator's word."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.times import time_text
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import EVIL, raw
from tests.service.cli.views.conftest import SECONDS, Shelf
from tests.service.http.api_server import NOBODY

COLUMNS = ["view", "projection", "state", "as", "of", "position", "rows", "bytes", "expires"]


@pytest.fixture
def own(shelf: Shelf) -> Shelf:
    """The same shelf; its views are the test's own."""
    settings = shelf.settings.model_copy(update={"namespace": f"views-{uuid4().hex[:12]}"})
    return Shelf(settings, shelf.skus, shelf.between)


def test_where_there_is_none_it_says_how_one_is_made(own: Shelf) -> None:
    said = own.run("views")
    assert said.stdout == "There are no views; `foldstream rebuild PROJECTION --into NAME` makes one.\n"
    assert json.loads(own.run("views", "--json").stdout) == {"views": []}


def test_it_says_of_what_each_is_how_large_and_until_when(own: Shelf) -> None:
    view = own.make("past", to_position=own.between)
    end = time_text(view.expires.replace(microsecond=0))
    for words in (("views",), ("views", "list")):
        head, row = own.run(*words).stdout.splitlines()
        assert head.split() == [
            "view",
            "projection",
            "state",
            "as",
            "of",
            "position",
            "rows",
            "bytes",
            "expires",
            "made",
            "by",
        ]
        cells = row.split()
        assert cells[:6] == ["past", "stock_levels", "ready", "position", str(own.between), str(own.between)]
        assert (int(cells[6].replace(",", "")) >= 6, cells[-2:]) == (True, [end, "cli:ann"])
    [told] = json.loads(own.run("views", "--json").stdout)["views"]
    assert (told.pop("rows") >= 6, told.pop("bytes") > 500) == (True, True)
    assert told == {
        "view": "past", "projection": "stock_levels", "version": 1, "state": "ready", "as_of": None,
        "to_position": own.between, "from_time": None, "from_position": None, "position": own.between,
        "partitions": 1, "store": view.store, "made_at": time_text(view.made_at), "made_by": "cli:ann",
        "why": "to look back", "expires": time_text(view.expires),
    }  # fmt: skip


def test_dropped_it_is_no_longer_listed_and_that_is_logged(own: Shelf) -> None:
    for name in ("one", "other"):
        own.make(name, to_position=own.between)
    process = own.start("views", "drop", "one", "--yes", "--why", "it is written", "--json")
    assert process.wait(within=SECONDS) == 0
    [dropped] = json.loads("".join(process.output))["dropped"]
    assert (dropped["projection"], dropped["keys"] > 8) == ("stock_levels", True)
    [line] = map(json.loads, process.errors)
    told = (line["event"], line["view"], line["why"], line["keys"])
    assert told == ("view_dropped", "one", "it is written", dropped["keys"])
    assert [each["view"] for each in json.loads(own.run("views", "--json").stdout)["views"]] == ["other"]
    with connect(own.settings.redis) as connection:
        keys = connection.scan_iter(match=f"{{{own.settings.namespace}:*", count=1_000)
        assert [key for key in keys if b"view-one" in key or b"view:one" in key] == []
    said = own.run("views", "drop", "other", "stock_levels", "--yes")
    assert said.stdout.startswith("Dropped the view other of stock_levels: ")


def test_what_is_not_there_can_not_be_dropped(own: Shelf) -> None:
    own.make("past", to_position=own.between)
    refused = own.run("views", "drop", "none", "--yes")
    assert str(refused.exception) == "there is no view none; `foldstream views` lists those that there are"
    refused = own.run("views", "drop", "past", "order_summary", "--yes")
    assert str(refused.exception).startswith("there is no view past of order_summary; ")
    refused = own.run("views", "drop", "past", "nothing", "--yes")
    assert (refused.exit_code, "there is no projection 'nothing'; there are: " in refused.stderr) == (2, True)
    assert own.find("past") is not None


def test_where_there_is_nobody_to_ask_nothing_is_dropped(own: Shelf) -> None:
    own.make("past", to_position=own.between)
    refused = own.run("views", "drop", "past")
    assert (refused.exit_code, "there is nobody to ask; --yes does it without asking" in refused.stderr) == (2, True)
    assert own.find("past") is not None


def test_what_others_have_stored_is_shown_escaped(own: Shelf) -> None:
    view = own.make("past", to_position=own.between)
    with connect(own.settings.redis) as connection:
        evil = view.to_json().replace("cli:ann", json.dumps(EVIL)[1:-1])
        connection.set(ProjectionKeys(own.settings.namespace, "stock_levels").view("past"), evil)
    for form in ((), ("--json",)):
        said = own.run("views", *form)
        assert (raw(said.stdout), said.exception) == ([], None)


def test_what_keeps_it_from_listing_is_one_line(own: Shelf, tmp_path: Path) -> None:
    away = Shelf(own.settings.model_copy(update={"redis_uri": f"redis://{NOBODY}"}), own.skus, own.between)
    assert str(away.run("views").exception).startswith(f"Redis at redis://{NOBODY}")
    key = ProjectionKeys(own.settings.namespace, "stock_levels")
    own.make("past", to_position=own.between)
    with connect(own.settings.redis) as connection:
        connection.set(key.view("past"), '{"format": 2}')
    said = "stock_levels: its format 2 was stored by a later release; this one waits"
    assert str(own.run("views").exception) == said.replace("stock_levels", "view")
