"""`foldstream eventstore passwd` writes the file of users, and a running server notices."""

import os
import pty
import stat
import subprocess
from pathlib import Path

import pytest
from esdbclient import EventStoreDBClient
from esdbclient.exceptions import GrpcError

from infrastructure.embedded.eventstoredb.access.users import load_users, set_password
from infrastructure.embedded.eventstoredb.errors import StartRefused
from tests.support.processes import FOLDSTREAM
from tests.support.secure import PASSWORD, USER, SecureEventStore
from tests.support.terminal import read_until


def passwd(file: Path, user: str, password: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the command with this input."""
    command = [*FOLDSTREAM, "eventstore", "passwd", str(file), user]
    run = subprocess.run(command, input=password, capture_output=True, text=True, timeout=30, check=False)
    return run.returncode, run.stdout, run.stderr


def test_a_password_from_a_pipe(tmp_path: Path) -> None:
    file = tmp_path / "users"
    assert passwd(file, "ada", "first secret\nnot read\n") == (0, "", "")
    assert load_users(file)["ada"].matches("first secret")
    assert "secret" not in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_password_from_a_terminal_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    file, (ours, theirs) = tmp_path / "users", pty.openpty()
    command = [*FOLDSTREAM, "eventstore", "passwd", str(file), "ada"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        shown = read_until(ours, b"Password of ada: ")
        os.write(ours, b"secret\n")
        shown += read_until(ours, b"Again: ")
        os.write(ours, b"secret\n")
        assert process.wait(30) == 0
    os.close(ours)
    assert b"secret" not in shown
    assert load_users(file)["ada"].matches("secret")


def test_ctrl_d_instead_of_a_password_is_one_line(tmp_path: Path) -> None:
    file, (ours, theirs) = tmp_path / "users", pty.openpty()
    command = [*FOLDSTREAM, "eventstore", "passwd", str(file), "ada\x1b[2J"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        shown = read_until(ours, rb"Password of ada\x1b[2J: ")
        os.write(ours, b"\x04")
        shown += read_until(ours, b"foldstream eventstore: no password was given")
        assert process.wait(30) == 1
    os.close(ours)
    assert b"Traceback" not in shown
    assert not file.exists()


def test_a_second_user_and_a_new_password_leave_the_others_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "users"
    set_password(file, "ada", "one")
    set_password(file, "bob", "two")
    file.chmod(0o640)
    before = load_users(file)
    set_password(file, "ada", "three")
    after = load_users(file)
    assert after["bob"] == before["bob"]
    assert [after["ada"].matches(password) for password in ("one", "three")] == [False, True]
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["users"]


def test_the_same_password_looks_different_each_time(tmp_path: Path) -> None:
    for user in ("ada", "bob"):
        set_password(tmp_path / "users", user, "same")
    users = load_users(tmp_path / "users")
    assert users["ada"].digest != users["bob"].digest


@pytest.mark.parametrize(
    ("user", "password", "reason"),
    [
        ("a:b", "x", "a user's name is 1 to 64 of letters, digits, '.', '_', '-', '@'"),
        ("", "x", "a user's name is 1 to 64 of letters, digits, '.', '_', '-', '@'"),
        ("ada", "", "the password is empty"),
        ("ada", "tab\there", "the password has characters that can't be printed"),
        ("ada", "x" * 1025, "the password is longer than 1024 bytes"),
    ],
)
def test_what_can_not_be_set(tmp_path: Path, user: str, password: str, reason: str) -> None:
    with pytest.raises(StartRefused) as refusal:
        set_password(tmp_path / "users", user, password)
    assert str(refusal.value) == reason
    assert os.listdir(tmp_path) == []


def test_a_refusal_is_one_line(tmp_path: Path) -> None:
    line = f"foldstream eventstore: {tmp_path}/none/users: can't be written: No such file or directory\n"
    assert passwd(tmp_path / "none" / "users", "ada", "secret\n") == (1, "", line)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "there is no user in it; `foldstream eventstore passwd FILE USER` adds one"),
        (b"# a remark\n\n", "there is no user in it; `foldstream eventstore passwd FILE USER` adds one"),
        (b"ada\n", "line 1 has no usable hash of a password"),
        (b"# a remark\nada:plain\n", "line 2 has no usable hash of a password"),
        (b"ada:scrypt$1073741824$8$1$AAAA$AAAA\n", "line 1 has no usable hash of a password"),
        (b"ada:scrypt$16383$8$1$AAAA$AAAA\n", "line 1 has no usable hash of a password"),
        (b"a b:scrypt$16384$8$1$AAAA$AAAA\n", "line 1 does not begin with a user's name"),
        (b"\xff\xfe", "is no file of users"),
    ],
)
def test_a_file_that_is_none_of_users_is_refused_and_left_alone(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "users"
    file.write_bytes(content)
    with pytest.raises(StartRefused) as refusal:
        load_users(file)
    assert str(refusal.value) == f"{file}: {reason}"
    assert file.read_bytes() == content


def test_a_server_notices_new_passwords_and_keeps_its_users_when_it_can_not_read_them(tmp_path: Path) -> None:
    with SecureEventStore(tmp_path) as store:
        assert opens(store, PASSWORD)
        set_password(store.users, USER, "another")
        assert (opens(store, PASSWORD), opens(store, "another")) == (False, True)
        store.users.write_text("nonsense\n", encoding="utf-8")
        assert (opens(store, PASSWORD), opens(store, "another")) == (False, True)
        assert [line for line in store.process.errors if "users_kept" in line]
        store.users.unlink()
        set_password(store.users, "bob", "his")
        assert (opens(store, "another"), opens(store, "his", "bob")) == (False, True)
        assert store.stop() == 0
        said = "\n".join([*store.process.output, *store.process.errors])
    assert [secret for secret in (PASSWORD, "another", "Basic ") if secret in said] == []


def opens(store: SecureEventStore, password: str, user: str = USER) -> bool:
    """Whether a user gets in."""
    with EventStoreDBClient(store.uri(user, password)) as client:
        try:
            client.get_commit_position(timeout=10)
        except GrpcError as error:
            if "Unauthenticated" not in str(error):
                raise
            return False
    return True
