"""The first pages: `/` and `/docs`."""

import re
from html.parser import HTMLParser

import httpx
import pytest

from service.http.endpoints.reference import reference

LINKS = {
    "docs": "/docs",
    "openapi": "/openapi.json",
    "live": "/health/live",
    "ready": "/health/ready",
    "metrics": "/metrics",
}


class Page(HTMLParser):
    """What a page links to, and the names of its elements that are still open at its end."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.names: set[str] = set()
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.links += [str(value) for name, value in attrs if name in {"href", "src"}]
        self.ids += [str(value) for name, value in attrs if name == "id"]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_root_says_what_this_is_and_where_to_go_on(http: httpx.Client) -> None:
    answer = http.get("/")
    assert answer.json() == {
        "name": "Foldstream",
        "version": http.get("/openapi.json").json()["info"]["version"],
        "description": "Orders, stock, accounts and trips, kept as events.",
        "links": LINKS,
    }
    assert answer.headers["Vary"] == "Accept"
    assert [http.get(path).status_code for path in LINKS.values()] == [200] * len(LINKS)


def test_a_browser_gets_the_root_as_a_page(http: httpx.Client) -> None:
    answer = http.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    page = Page(answer.text)
    assert (page.links, page.open) == (list(LINKS.values()), [])


def test_the_reference_names_every_operation_rule_and_form(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    page = Page(http.get("/docs").text)
    assert page.open == []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert f"{method.upper()}{path}{operation['description']}" in page.text
    assert page.ids == sorted(document["components"]["schemas"])
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)
    assert set(re.findall("Refused: [a-z, -]*", page.text)) >= {"Refused: order-exists, conflict"}


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_need_nothing_from_elsewhere(http: httpx.Client, path: str) -> None:
    answer = http.get(path, headers={"Accept": "text/html"})
    page = Page(answer.text)
    assert not page.names & {"script", "link", "img", "iframe"}
    assert all(link.startswith(("/", "#")) for link in page.links)
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_what_the_document_says_is_text_on_the_page() -> None:
    members = {"<i>": {"const": "<u>"}}
    schema = {"type": "object", "description": "`<b>` & more", "properties": members, "examples": [{"<i>": "é"}]}
    document = {
        "info": {"title": "<T>", "version": "1", "description": "<D>"},
        "paths": {},
        "components": {"schemas": {"A": schema}},
    }
    page = Page(reference(document))
    assert not page.names & {"b", "i", "u", "t", "d"}
    assert page.text.endswith('Forms of dataA<b> & moremember<i><u>{\n  "<i>": "é"\n}')
