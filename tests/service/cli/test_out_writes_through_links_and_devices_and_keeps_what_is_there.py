"""`--out` writes to whatever it names; a lost output is one line, or a quiet end."""

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.history.errors import UnknownStream
from service.cli.out_file import write_json_lines
from service.errors import FileUnusable
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.history.ledger import told
from tests.support.eventstore import EventStoreProcess
from tests.support.processes import FOLDSTREAM

LINES = ['{"a": "é"}', '{"b": "\\n"}']
WHOLE = '{"a": "é"}\n{"b": "\\n"}\n'


def broken_off() -> Iterator[str]:
    yield LINES[0]
    raise UnknownStream("order-0")


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new"
    write_json_lines(str(file), LINES)
    assert (file.read_text(encoding="utf-8"), file.stat().st_mode & 0o777) == (WHOLE, 0o600)


def test_a_file_that_is_there_keeps_its_mode_and_its_links(tmp_path: Path) -> None:
    file, link, other = tmp_path / "file", tmp_path / "link", tmp_path / "other"
    file.write_text("something longer than what is to be written there now", encoding="utf-8")
    file.chmod(0o640)
    link.symlink_to(file)
    write_json_lines(str(link), LINES)
    assert (link.is_symlink(), file.read_text(encoding="utf-8"), file.stat().st_mode & 0o777) == (True, WHOLE, 0o640)
    os.link(file, other)
    write_json_lines(str(file), LINES[:1])
    assert other.read_text(encoding="utf-8") == f"{LINES[0]}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "other"]


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("before", encoding="utf-8")
    for out in (file, tmp_path / "new"):
        with pytest.raises(UnknownStream):
            write_json_lines(str(out), broken_off())
    assert [(path.name, path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()] == [("file", "before")]


def test_a_fifo_is_written_into(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writing = threading.Thread(target=write_json_lines, args=(str(fifo), LINES))
    writing.start()
    assert fifo.read_text(encoding="utf-8") == WHOLE
    writing.join(10)
    assert fifo.is_fifo()


def test_what_can_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match=r"^the file /dev/full can't be used: No space left on device$"):
        write_json_lines("/dev/full", LINES)
    with pytest.raises(FileUnusable, match=r"can't be used: Is a directory$"):
        write_json_lines(str(tmp_path), LINES)


def test_a_full_disk_is_one_line_and_a_reader_that_is_gone_none() -> None:
    with EventStoreProcess(None) as process, operating(process.uri) as operator:
        stream, _ = told(operator, "1.00")
        environment = {"FOLDSTREAM_EVENTSTORE_URI": process.uri, "PYTHONPATH": os.getcwd()}
        reading, gone = os.pipe()
        os.close(reading)
        with open("/dev/full", "wb") as full:
            running = [
                subprocess.Popen([*FOLDSTREAM, verb, stream], env=environment, stdout=out, stderr=subprocess.PIPE)
                for verb in ("history", "export")
                for out in (full, gone)
            ]
        os.close(gone)
        ends = [(each.communicate(timeout=60)[1].decode(), each.returncode) for each in running]
    line = "the output can't be written: No space left on device\n"
    history, export = f"foldstream history: {line}", f"foldstream export: {line}"
    assert ends == [(history, 1), ("", 0), (export, 1), ("", 0)]
