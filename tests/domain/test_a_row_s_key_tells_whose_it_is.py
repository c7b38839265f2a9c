"""The key of a stream's row is the stream's id, with the tenant in front where that is another than the default one."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.stream_name import (
    StreamName,
    category_in,
    row_key,
    row_key_of,
    stream_name,
    stream_of_row,
    tenant_prefix,
)

TENANTS: Final = st.just("default") | st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True)
CATEGORIES: Final = st.sampled_from(("order", "saga_2", "x"))
IDS: Final = st.from_regex(r"[A-Za-z0-9._:-]{0,40}[0-9a-f]", fullmatch=True)


@given(TENANTS, CATEGORIES, IDS)
def test_it_leads_to_the_stream_and_back(tenant: str, category: str, aggregate_id: str) -> None:
    stream = stream_name(category, aggregate_id, tenant)
    key = row_key(tenant, aggregate_id)
    assert (row_key_of(stream), stream_of_row(category, key)) == (key, stream)
    assert (category_in(stream), key[-1]) == (category, stream[-1])
    assert tenant_prefix(key) == key.removesuffix(aggregate_id)
    assert StreamName.parse(stream) == StreamName(tenant, category, aggregate_id)


def test_that_of_the_default_tenant_is_the_id_as_it_always_was() -> None:
    assert row_key_of("order-7e4a-00f") == row_key("default", "7e4a-00f") == "7e4a-00f"
    assert row_key_of("acme.order-7e4a-00f") == row_key("acme", "7e4a-00f") == "acme/7e4a-00f"


def test_no_id_is_like_the_key_of_another_tenant_s_row() -> None:
    with pytest.raises(ValueError, match="an aggregate's id has no /, unlike 'acme/7e4a'"):
        stream_name("order", "acme/7e4a")


@pytest.mark.parametrize("key", ["default/0", "Acme/0", "a/b/0", "/0"])
def test_what_is_no_key_leads_to_no_stream_of_a_tenant(key: str) -> None:
    assert stream_of_row("order", key) not in {stream_name("order", "0", each) for each in ("default", "acme", "a")}
