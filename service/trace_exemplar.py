"""Names the trace that is under way, for metrics to show one of the requests that they count."""

from typing import TypeAlias

from opentelemetry.trace import format_trace_id, get_current_span

Exemplar: TypeAlias = dict[str, str]


def trace_exemplar() -> Exemplar | None:
    """The labels of an exemplar: the trace's id. None where nothing is traced, or the trace is not kept."""
    context = get_current_span().get_span_context()
    return {"trace_id": format_trace_id(context.trace_id)} if context.is_valid and context.trace_flags.sampled else None
