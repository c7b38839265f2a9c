"""On a Redis Cluster a view is made, read, listed and dropped as on one Redis."""

import pytest

from infrastructure.readmodels.connection import connect
from infrastructure.views.errors import UnknownView
from infrastructure.views.removal import unlink
from tests.infrastructure.readmodels.tallies import tallies
from tests.infrastructure.readmodels.workers import deployment
from tests.infrastructure.views.album import Album
from tests.infrastructure.views.told_log import ToldLog
from tests.support.redis_cluster import RedisCluster


def test_its_partitions_lie_on_several_servers(
    cluster: RedisCluster, eventstore_uri: str, namespace: str, category: str, log: ToldLog
) -> None:
    album = Album(deployment(eventstore_uri, cluster.uri, namespace, 8), tallies(category))
    position = log.written[50].position
    view = album.make("here", to_position=position)
    assert album.known() == [view]
    assert album.rows("here", log.tallies) == log.rows(position)
    page = album.page("here", "owner:ann")
    assert [(each.member, each.score) for each in page.entries] == log.entries("ann", position)
    album.catalog(lambda catalog: catalog.remove(view))
    for number in range(view.partitions):
        keys = view.keys(namespace, number)
        with connect(cluster.uri, keys.checkpoint) as connection:
            assert unlink(connection, keys) > 0
    with pytest.raises(UnknownView):
        album.rows("here", log.tallies)
