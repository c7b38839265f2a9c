"""The image: what it copies is there, what it installs is locked, and all that the service needs is in its wheel.

No Docker engine is needed: the steps that are ours are done by hand, the rest is read.
"""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.architecture.sources import ROOT
from tests.deployment.dockerfile import copied, given, shipped_files, stages
from tests.support.command_lines import refusal

BUILD, IMAGE = stages()
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINNED: Final = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def texts(name: str) -> list[str]:
    """What the image, its last stage, says by instructions of this name."""
    return [each.text for each in IMAGE if each.name == name]


def pinned(lock: str) -> dict[str, str]:
    """The version of each library in a lock."""
    return dict(PINNED.findall((ROOT / lock).read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the build stage, made of what that copies alone."""
    folder = tmp_path_factory.mktemp("build")
    for name in copied():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-build-isolation", "--no-deps")
    subprocess.run([*pip, "--wheel-dir", "wheels", "."], cwd=folder, check=True, timeout=100)
    [built] = (folder / "wheels").iterdir()
    return built


def test_the_build_is_given_what_it_copies_and_nothing_else() -> None:
    assert sorted(copied()) == sorted(given())
    assert [name for name in copied() if not (ROOT / name).exists()] == []


def test_all_files_of_our_packages_are_in_the_wheel(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == shipped_files()


def test_the_wheel_has_our_program_and_the_version_of_the_label(wheel: Path) -> None:
    packed = zipfile.ZipFile(wheel)
    [entry] = [name for name in packed.namelist() if name.endswith("/entry_points.txt")]
    assert packed.read(entry).decode().split("\n")[1] == "foldstream = service.__main__:main"
    assert wheel.name.startswith(f"foldstream-{PROJECT['version']}-py3-none-any")
    [labels] = texts("LABEL")
    assert dict(part.split("=", 1) for part in shlex.split(labels)) == {
        "org.opencontainers.image.title": PROJECT["name"],
        "org.opencontainers.image.description": PROJECT["description"],
        "org.opencontainers.image.version": PROJECT["version"],
        "org.opencontainers.image.revision": "${REVISION}",
    }


def test_what_is_installed_is_locked_by_hashes() -> None:
    ran = [each.text for stage in (BUILD, IMAGE) for each in stage if each.name == "RUN"]
    installs = [step for text in ran for step in text.split("&&") if " install " in step]
    assert [step for step in installs if "--require-hashes" not in step and "--no-deps" not in step] == []
    assert pinned("requirements.lock").items() <= pinned("requirements-dev.lock").items()


def test_the_build_takes_setuptools_alone_of_what_we_develop_with() -> None:
    script = next(each.text for each in BUILD if each.text.startswith("sed ")).partition(" > ")[0]
    said = subprocess.run(shlex.split(script), cwd=ROOT, capture_output=True, text=True, check=True, timeout=10).stdout
    assert PINNED.findall(said) == [("setuptools", pinned("requirements-dev.lock")["setuptools"])]
    assert "--hash=sha256:" in said


def test_both_stages_have_the_same_python_of_those_that_we_support() -> None:
    assert [stage[0].text.split()[0] for stage in (BUILD, IMAGE)] == ["python:3.13-slim"] * 2
    assert PROJECT["requires-python"] == ">=3.11,<3.14"


def test_it_runs_as_nobody_in_particular_and_is_stopped_as_our_processes_expect() -> None:
    assert texts("USER") == ["1000:1000"]
    assert texts("STOPSIGNAL") == ["SIGTERM"]
    assert "PYTHONUNBUFFERED=1" in texts("ENV")[0].split()
    assert texts("COPY") == ["--from=build /opt/foldstream /opt/foldstream"]


def test_its_command_is_one_of_ours_and_listens_where_it_says() -> None:
    [command] = texts("CMD")
    program, *words = yaml.safe_load(command)
    assert (program, refusal(words)) == ("foldstream", None)
    assert texts("EXPOSE") == [words[words.index("--port") + 1]]
