"""The URI of an event store: its user and password reach the store as they are meant, all else is known or refused."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from infrastructure.embedded.eventstoredb.access.users import set_password
from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.uri import address_in, require_valid
from tests.support.secure import SecureEventStore

ENCODE = "in user and password all but letters, digits and -._~ has to be percent-encoded, as %40 for @"
LOGIN = "needs a user and a password before its host, as TLS is used; tls=false turns it off"
KNOWN = (
    "tls, tlsCaFile, tlsVerifyCert, userCertFile, userKeyFile, connectionName, nodePreference, maxDiscoverAttempts, "
    "discoveryInterval, gossipTimeout, keepAliveInterval, keepAliveTimeout, defaultDeadline"
)
NO_COLON = "has a : in the user's name, where the event store can't be told where the name ends"
NO_HOST = f"names no host, or a host or port that can't be one; {ENCODE}"
PASSWORDS = ("p@ss", "a:b/c?d#e&f=g", "50%", "%40", "Zürich €", "+ [x]")
END = 1  # of a log in which nothing was written but what the server itself writes at its start


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureEventStore]:
    """A store in secure mode whose users have odd names and passwords."""
    folder = tmp_path_factory.mktemp("secure")
    with SecureEventStore(folder) as running:
        yield running


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_of_any_characters_opens_the_store(store: SecureEventStore, password: str) -> None:
    user = f"ada@{PASSWORDS.index(password)}.example"
    set_password(store.users, user, password)
    uri = store.uri(user, password)
    require_valid(uri)
    with open_reader(uri) as reader:
        assert reader.end() == END
    assert asyncio.run(_end(uri)) == END


def test_a_wrong_password_does_not(store: SecureEventStore) -> None:
    with open_reader(store.uri(password="p@ss%40")) as reader, pytest.raises(StoreUnavailable) as refusal:
        reader.end()
    assert ("UNAUTHENTICATED" in str(refusal.value), "p@ss" in str(refusal.value)) == (True, False)


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("esdb://host:2113?tls=false", "host:2113"),
        ("esdb://host/?TLS=False", "host:2113"),
        ("esdb://[::1]:2113?tls=false", "[::1]:2113"),
        ("esdb+discover://name?tls=false&nodePreference=leader&maxDiscoverAttempts=3&gossipTimeout=5", "name:2113"),
        ("esdb://a%3Bb:p%40%3A%2F%3F%23%25ss@n1:2113,n2?tls=true&tlsVerifyCert=true", "n1:2113,n2:2113"),
        ("esdb://ada:pä@host?keepAliveInterval=10000&keepAliveTimeout=10000&discoveryInterval=100", "host:2113"),
        ("esdb://ada%40x:p%40ss@host?connectionName=shop-1&defaultDeadline=5", "host:2113"),
    ],
)
def test_what_can_be_used_is_taken_and_shown_without_user_and_password(uri: str, address: str) -> None:
    require_valid(uri)
    assert address_in(uri) == address


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("esdb://host", LOGIN),
        ("esdb://ada@host", LOGIN),
        ("esdb://ada:@host?tls=true", LOGIN),
        (
            "esdb://a%3Ab:s3cret@host",
            NO_COLON,
        ),
        ("esdb://ada:s3cret@host?nosuch=1", f"has the unknown option nosuch; known are {KNOWN}"),
        ("esdb://ada:s3cret@host?tls=perhaps", "has the option tls, which should be true or false"),
        ("esdb://ada:s3cret@host?tls=", "has the option tls without a value"),
        ("esdb://ada:s3cret@host?tls", "has the option tls without a value"),
        ("esdb://ada:s3cret@host?tls=true&TLS=false", "has the option TLS twice"),
        (
            "esdb://ada:s3cret@host?connectionName=a%0Ab",
            "has the option connectionName, which should be of visible ASCII characters",
        ),
        (
            "esdb://ada:s3cret@host?tlsVerifyCert=false",
            "has the option tlsVerifyCert: certificates are always verified; tlsCaFile names who signed them",
        ),
        (
            "esdb://ada:s3cret@host?nodePreference=follower",
            "has the option nodePreference, which can only be leader: decisions need the newest events",
        ),
        (
            "esdb://ada:s3cret@a,b?maxDiscoverAttempts=0",
            "has the option maxDiscoverAttempts, which should be a whole number from 1 to 1000",
        ),
        (
            "esdb://ada:s3cret@a?gossipTimeout=-1",
            "has the option gossipTimeout, which should be a whole number from 1 to 60",
        ),
        (
            "esdb://ada:s3cret@a?keepAliveTimeout=NaN",
            "has the option keepAliveTimeout, which should be a whole number from 1 to 3600000",
        ),
        (
            "esdb://ada:s3cret@host?tlsCaFile=/nowhere/ca.crt",
            "names a tlsCaFile that can't be read: No such file or directory",
        ),
        ("esdb://ada:s3cret@host?tlsCaFile=/etc/passwd", "names a tlsCaFile that holds no certificate in PEM"),
        ("esdb://ada:s3cret@host?userCertFile=/", "names a userCertFile that can't be read: Is a directory"),
        ("esdb://ada:s3cret@host?userCertFile=/etc/passwd", "needs userCertFile and userKeyFile together"),
        (
            "esdb://ada:s3cret@host?userCertFile=/etc/passwd&userKeyFile=/etc/passwd",
            "names a userCertFile and a userKeyFile that don't belong together",
        ),
        ("esdb://ada:s3@cret@host", f"has an @ at the wrong place: {ENCODE}"),
        ("esdb://ada:s3/cret@host?tls=false", f"has an @ at the wrong place: {ENCODE}"),
        ("esdb://ada:s3?cret@host", f"has an @ at the wrong place: {ENCODE}"),
        ("esdb://ada:s3#cret@host", f"has an @ at the wrong place: {ENCODE}"),
        ("esdb://ada:[s3cret@host", f"can't be taken apart: {ENCODE}"),
        ("esdb://ada:℀s3cret@host", f"can't be taken apart: {ENCODE}"),
        ("esdb://ada:100%s3cret@host", "has a % that begins no percent-encoding; a % itself is %25"),
        ("esdb://ada:%FFs3cret@host", "has a percent-encoding in it that is not UTF-8"),
        ("esdb://ada:s3cret@host\n", "has white space or a control character in it"),
        ("esdb://ada:s3cret\udcff@host", "has a character in it that is not UTF-8 or can't be printed"),
        ("esdb://ada:s3cret@host#x", f"has a # in it: {ENCODE}"),
        ("esdb://ada:s3cret@host:2113/path", "has a path; behind the port only ?options may follow"),
        ("esdb://ada:s3cret@host:port", NO_HOST),
        ("esdb://ada:s3cret@", NO_HOST),
        ("esdb://ada:s3cret@a,,b", NO_HOST),
        ("esdb://ada:s3cret@host:65536", "has a port that is not from 1 to 65535"),
        ("esdb://ada:s3cret@[::1]", "has an IPv6 address without its port, such as [::1]:2113"),
        (
            "esdb+discover://ada:s3cret@a,b",
            "names several hosts; esdb+discover:// takes one name, esdb:// a list of nodes",
        ),
    ],
)
def test_what_can_t_be_used_is_refused_in_one_line_without_a_secret(uri: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refusal:
        require_valid(uri)
    assert str(refusal.value) == reason


def test_a_file_is_named_as_it_is_encoded(store: SecureEventStore, tmp_path: Path) -> None:
    file = tmp_path / "ca of 100%.crt"
    file.write_bytes(store.files.ca.read_bytes())
    uri = store.uri().replace(quote(str(store.files.ca)), quote(str(file)))
    require_valid(uri)
    with open_reader(uri) as reader:
        assert reader.end() == END


async def _end(uri: str) -> int:
    client = await command_client(uri)
    try:
        return await Log(client).end()
    finally:
        await client.close()
