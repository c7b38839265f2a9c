"""A small file system of a test's own, where the machine allows one to be mounted."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str, *, writable: bool = True) -> Iterator[Path]:
    """Mounts one of a size such as `8m` at that folder; skips the test where that is not allowed."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    folder.mkdir(exist_ok=True)
    mounted = _run("mount", "-t", "tmpfs", "-o", f"{_mode(writable)},size={size}", "tmpfs", str(folder))
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        unmounted = _run("umount", "--lazy", str(folder))
        assert unmounted.returncode == 0, unmounted.stderr


def remount(folder: Path, *, writable: bool) -> None:
    """Lets the file system be written, or not."""
    done = _run("mount", "-o", f"remount,{_mode(writable)}", str(folder))
    assert done.returncode == 0, done.stderr


def _mode(writable: bool) -> str:
    return "rw" if writable else "ro"


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
