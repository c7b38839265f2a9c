"""Servers that are not there, as the environment names them."""

from typing import Final

NOWHERE: Final = {
    "FOLDSTREAM_EVENTSTORE_URI": "esdb://somebody:a-secret@127.0.0.1:1?tls=false",
    "FOLDSTREAM_REDIS_URI": "redis://:a-secret@127.0.0.1:1/0",
}
