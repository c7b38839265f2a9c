"""Lines of a file of spans, as processes write them."""

import json

TRACE = "0af7651916cd43dd8448eb211c80319c"


def span_line(name: str, span_id: int, parent: int | None = None, *, trace: str = TRACE, status: str = "UNSET") -> str:
    """A span of the API that began `span_id` seconds after midnight and took one and a half."""
    return json.dumps(
        {
            "name": name,
            "context": {"trace_id": f"0x{trace}", "span_id": f"0x{span_id:016x}", "trace_state": "[]"},
            "kind": "SpanKind.INTERNAL",
            "parent_id": None if parent is None else f"0x{parent:016x}",
            "start_time": f"2026-07-01T00:00:{span_id:02}.000000Z",
            "end_time": f"2026-07-01T00:00:{span_id + 1:02}.500000Z",
            "status": {"status_code": status},
            "attributes": {"foldstream.outcome": "appended"},
            "events": [],
            "links": [],
            "resource": {"attributes": {"service.name": "foldstream-api"}, "schema_url": ""},
        }
    )
