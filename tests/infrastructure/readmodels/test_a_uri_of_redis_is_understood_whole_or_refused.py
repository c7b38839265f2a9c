"""The URI of Redis: its user and password reach the server as they are meant, all else is known or refused."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from redis.asyncio import BlockingConnectionPool, Redis

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.uri import address_in, node_uri, nodes_in, require_valid
from tests.support.redis import RedisProcess
from tests.support.secure import Certificates

ENCODE = "in user and password all but letters, digits and -._~ has to be percent-encoded, as %40 for @"
KNOWN = "known are db, username, password, client_name"
KNOWN_OF_TLS = "ssl_ca_certs, ssl_certfile, ssl_keyfile, ssl_password, ssl_cert_reqs, ssl_check_hostname"
FORM = "must be a URI such as redis://host:6379/0, rediss://…, redis+cluster://host:6379,… or unix:///path"
NO_DATABASE = "names a database, of which a cluster has only 0"
NO_HOST = f"names no host, or a host or port that can't be one; {ENCODE}"
UNMATCHED = "names a ssl_certfile and a ssl_keyfile that don't belong together"
NO_SOCKET = "must have the socket's whole path behind unix://, such as unix:///run/redis.sock"
PASSWORDS = ("p@ss", "a:b/c?d#e&f=g", "50%", "%40", "Zürich€", "+[x]")


@pytest.fixture(scope="module")
def own() -> Iterator[RedisProcess]:
    """A server of this module's own: its users are changed."""
    server = RedisProcess().start()
    yield server
    server.close()


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_user_and_a_password_of_any_characters_open_redis(own: RedisProcess, password: str) -> None:
    user = f"ada:{password}"
    with connect(own.uri) as admin:
        admin.acl_setuser(user, enabled=True, passwords=[f"+{password}"], categories=["+@all"])
    uri = own.uri.replace("unix://", f"unix://{quote(user, safe='')}:{quote(password, safe='')}@")
    require_valid(uri)
    with connect(uri) as connection:
        assert connection.acl_whoami() == user
    assert asyncio.run(_whoami(uri)) == user


def test_a_password_alone_opens_redis_before_the_host_and_as_an_option(own: RedisProcess) -> None:
    with connect(own.uri) as admin:
        admin.config_set("requirepass", "p@ss/wörd%40")
        secret = quote("p@ss/wörd%40", safe="")
        for uri in (own.uri.replace("unix://", f"unix://:{secret}@"), f"{own.uri}?password={secret}"):
            require_valid(uri)
            with connect(uri) as connection:
                assert connection.ping() is True
            assert asyncio.run(_whoami(uri)) == "default"
        with connect(own.uri) as connection, pytest.raises(redis.AuthenticationError):
            connection.ping()
        admin.config_set("requirepass", "")


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("redis://host", "redis://host/0"),
        ("redis://host/", "redis://host/0"),
        ("redis://:secret@host:6379/0", "redis://host:6379/0"),
        ("redis://[::1]:6379/15", "redis://[::1]:6379/15"),
        ("redis://:p%40%3A%2Fss@host/0?client_name=shop", "redis://host/0"),
        ("redis://ada:pä@host?db=3", "redis://host/3"),
        ("redis://host?password=secret", "redis://host/0"),
        ("rediss://host/0?ssl_cert_reqs=none&ssl_check_hostname=false", "rediss://host/0"),
        ("rediss://host?ssl_check_hostname=No", "rediss://host/0"),
        ("redis+cluster://:s3cret@a:7000,b,[::1]:7002", "redis+cluster://a:7000,b,[::1]:7002"),
        ("redis+cluster://a/0?client_name=shop", "redis+cluster://a"),
        ("rediss+cluster://ada:s3cret@a?db=0&ssl_cert_reqs=none", "rediss+cluster://a"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("unix://ada:secret@/run/a%20b.sock?db=1", "unix:///run/a b.sock?db=1"),
    ],
)
def test_what_can_be_used_is_taken_and_shown_without_user_and_password(uri: str, address: str) -> None:
    require_valid(uri)
    assert address_in(uri) == address


def test_each_server_of_a_cluster_has_its_login_and_its_options() -> None:
    uri = "rediss+cluster://ada:p%40ss@a:7000,b,[::1]:7002/0?client_name=shop"
    assert nodes_in(uri) == [("a", 7000), ("b", 6379), ("::1", 7002)]
    assert node_uri(uri, ("::1", 7002)) == "rediss://ada:p%40ss@[::1]:7002?client_name=shop"
    assert node_uri("redis+cluster://a", ("10.0.0.1", 7001)) == "redis://10.0.0.1:7001"


def test_the_authority_of_rediss_is_a_file_of_certificates(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    trustme.CA().cert_pem.write_to_path(str(file))
    require_valid(f"rediss://host?ssl_ca_certs={file}")
    assert address_in(f"rediss://host?ssl_ca_certs={file}") == "rediss://host/0"


def test_a_certificate_of_rediss_goes_with_its_key_and_the_password_of_that(tmp_path: Path) -> None:
    files = Certificates(tmp_path).write()
    pair = f"rediss://host?ssl_certfile={files.certificate}&ssl_keyfile={files.key}"
    require_valid(pair)
    both = tmp_path / "both.pem"
    both.write_bytes(files.certificate.read_bytes() + files.key.read_bytes())
    require_valid(f"rediss://host?ssl_certfile={both}&ssl_keyfile={both}")
    _encrypt(files.key, b"s3cret")
    require_valid(f"{pair}&ssl_password=s3cret")
    for uri, reason in (
        (pair, UNMATCHED),
        (f"{pair}&ssl_password=wr0ng", f"{UNMATCHED} with this password"),
        (f"rediss://host?ssl_certfile={files.certificate}&ssl_keyfile={files.certificate}", UNMATCHED),
        (f"rediss://host?ssl_certfile={files.certificate}", "needs ssl_certfile and ssl_keyfile together"),
        (f"rediss://host?ssl_keyfile={files.key}", "needs ssl_certfile and ssl_keyfile together"),
        ("rediss://host?ssl_password=s3cret", "has the option ssl_password without a ssl_keyfile"),
    ):
        with pytest.raises(ValueError, match=f"^{reason}$"):
            require_valid(uri)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("redis://:s3cret@host/abc", "has a path that is not the number of a database, such as /0"),
        ("redis://host/0/1", "has a path that is not the number of a database, such as /0"),
        ("redis://host/-1", "has a path that is not the number of a database, such as /0"),
        ("redis://host/0?db=1", "has the number of its database both as its path and as the option db"),
        ("redis://host?db=x", "has the option db, which should be a whole number from 0 to 2147483647"),
        (
            "redis://:s3cret@host?nosuch=1",
            f"has the unknown option nosuch; {KNOWN}",
        ),
        (
            "redis://host?decode_responses=True",
            f"has the unknown option decode_responses; {KNOWN}",
        ),
        (
            "redis://host?socket_timeout=0.001",
            f"has the unknown option socket_timeout; {KNOWN}",
        ),
        (
            "redis://host?ssl_ca_certs=/etc/passwd",
            f"has the unknown option ssl_ca_certs; {KNOWN}",
        ),
        (
            "rediss://host?ssl_nosuch=1",
            f"has the unknown option ssl_nosuch; {KNOWN}, {KNOWN_OF_TLS}",
        ),
        ("rediss://host?ssl_ca_certs=/etc/passwd", "names a ssl_ca_certs that holds no certificate in PEM"),
        ("rediss://host?ssl_keyfile=/nowhere", "names a ssl_keyfile that can't be read: No such file or directory"),
        (
            "rediss://host?ssl_cert_reqs=maybe",
            "has the option ssl_cert_reqs, which should be none or optional or required",
        ),
        (
            "rediss://host?ssl_cert_reqs=Required",
            "has the option ssl_cert_reqs, which should be none or optional or required",
        ),
        ("REDIS://:s3cret@host", FORM),
        ("unix:/run/redis.sock", FORM),
        ("redis://host?client_name=a%20b", "has the option client_name, which should be of visible ASCII characters"),
        ("redis://host?client_name", "has the option client_name without a value"),
        ("redis://:s3cret@host?password=other", "has a user or a password both before its host and as an option"),
        ("redis://:s3@cret@host", f"has an @ at the wrong place: {ENCODE}"),
        ("redis://:s3/cret@host/0", f"has an @ at the wrong place: {ENCODE}"),
        ("redis://host?password=s3@cret", f"has an @ at the wrong place: {ENCODE}"),
        ("redis://:100%s3cret@host", "has a % that begins no percent-encoding; a % itself is %25"),
        ("redis://host:0", "has a port that is not from 1 to 65535"),
        ("redis://host:port", NO_HOST),
        ("redis://", NO_HOST),
        ("redis://a,b", "names several hosts; redis+cluster:// takes a list of nodes, redis:// one host"),
        ("redis+cluster://", NO_HOST),
        ("redis+cluster://a,", NO_HOST),
        ("redis+cluster://:s3cret@a:1,b:0", "has a port that is not from 1 to 65535"),
        ("redis+cluster://:s3cret@a:1,:s3cret@b:2", f"has an @ at the wrong place: {ENCODE}"),
        ("redis+cluster://a/1", NO_DATABASE),
        ("redis+cluster://a?db=2", NO_DATABASE),
        ("redis+cluster://a?ssl_ca_certs=/etc/passwd", f"has the unknown option ssl_ca_certs; {KNOWN}"),
        ("Redis+cluster://a", FORM),
        ("unix+cluster:///run/redis.sock", FORM),
        ("redis://host ", "has white space or a control character in it"),
        ("unix://run/redis.sock", NO_SOCKET),
        ("unix://", NO_SOCKET),
    ],
)
def test_what_can_t_be_used_is_refused_in_one_line_without_a_secret(uri: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refusal:
        require_valid(uri)
    assert str(refusal.value) == reason


def _encrypt(file: Path, password: bytes) -> None:
    key = load_pem_private_key(file.read_bytes(), None)
    encryption = BestAvailableEncryption(password)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


async def _whoami(uri: str) -> object:
    async with Redis(connection_pool=BlockingConnectionPool.from_url(uri)) as connected:
        return await connected.acl_whoami()
