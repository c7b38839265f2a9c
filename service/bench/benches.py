"""Which benches there are, and the parts that each measures one after the other."""

from collections.abc import Mapping
from typing import Final

from service.bench.commands.crowding import crowding
from service.bench.commands.deciding import deciding
from service.bench.commands.loading import loading
from service.bench.figures import Part
from service.bench.store.appending import appending
from service.bench.store.delivering import delivering
from service.bench.store.keeping import keeping
from service.bench.store.reading import reading

BENCHES: Final[Mapping[str, tuple[Part, ...]]] = {
    "store": (reading, appending, delivering, keeping),
    "commands": (deciding, loading, crowding),
}
