"""The ServerFeatures service, which clients in other languages ask at their first call what they may use."""

from collections.abc import Iterable, Mapping
from typing import Any

from esdbclient.protos.Grpc import shared_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from grpclib.const import Cardinality, Handler

from infrastructure.embedded.eventstoredb.version import VERSION
from infrastructure.embedded.eventstoredb.wire.calls import Call, Calls

_PACKAGE = "event_store.client.server_features"
PATH = f"/{_PACKAGE}.ServerFeatures/GetSupportedMethods"
_FEATURES = {
    "streams/read": ("position", "events"),
    "streams/batchappend": ("deadline_duration",),
    "projections/create": ("track_emitted_streams",),
}
# The client's package has no code for these two messages; they are as EventStoreDB describes them.
_DESCRIPTION = f"""
name: "serverfeatures.proto" package: "{_PACKAGE}" syntax: "proto3"
message_type {{
  name: "SupportedMethod"
  field {{ name: "method_name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }}
  field {{ name: "service_name" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }}
  field {{ name: "features" number: 3 type: TYPE_STRING label: LABEL_REPEATED }}
}}
message_type {{
  name: "SupportedMethods"
  field {{
    name: "methods" number: 1 type: TYPE_MESSAGE label: LABEL_REPEATED type_name: ".{_PACKAGE}.SupportedMethod"
  }}
  field {{ name: "event_store_server_version" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }}
}}
"""
_described = text_format.Parse(_DESCRIPTION, descriptor_pb2.FileDescriptorProto())
_messages = message_factory.GetMessages([_described], pool=descriptor_pool.DescriptorPool())
SupportedMethod: Any = _messages[f"{_PACKAGE}.SupportedMethod"]
SupportedMethods: Any = _messages[f"{_PACKAGE}.SupportedMethods"]


class ServerFeaturesService:
    """For a server that offers these methods, by their paths, besides its own."""

    def __init__(self, paths: Iterable[str], calls: Calls) -> None:
        self._calls = calls
        listed = [_method(path) for path in [*paths, PATH]]
        self._answer = SupportedMethods(methods=listed, event_store_server_version=VERSION)

    def __mapping__(self) -> Mapping[str, Handler]:
        unary, answer = Cardinality.UNARY_UNARY, SupportedMethods
        return {PATH: self._calls.handler(self._tell, unary, shared_pb2.Empty, answer, denied=self._tell)}

    async def _tell(self, call: Call[shared_pb2.Empty]) -> None:
        await call.receive()
        await call.send(self._answer)


def _method(path: str) -> Any:
    """In lower case, as EventStoreDB lists them."""
    service, _, name = path.lower().removeprefix("/").rpartition("/")
    group = service.rpartition(".")[2]
    features = ("stream", "all") if group == "persistentsubscriptions" else _FEATURES.get(f"{group}/{name}", ())
    return SupportedMethod(method_name=name, service_name=service, features=features)
