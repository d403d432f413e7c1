"""What must not be in the repository: registries, machines, unlocked dependencies."""

import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
LOCKS = ("runtime", "dev")


def read(lock: str) -> str:
    return (CHECKOUT / "requirements" / f"{lock}.txt").read_text()


class TestLock:
    @pytest.mark.parametrize("lock", LOCKS)
    def test_carries_names_versions_and_hashes_only(self, lock: str) -> None:
        allowed = re.compile(
            r"""[A-Za-z0-9_.-]+(\[[a-z0-9,-]+\])?==[^\s;]+(\ ;\ .+)?\ \\  # name, version, marker
            |\ {4}--hash=sha256:[0-9a-f]{64}(\ \\)?|\ {4}\#.*|\#.*|""",
            re.VERBOSE,
        )
        assert [line for line in read(lock).splitlines() if not allowed.fullmatch(line)] == []

    @pytest.mark.parametrize("lock", LOCKS)
    def test_names_no_host(self, lock: str) -> None:
        assert "://" not in read(lock)

    def test_of_the_tests_includes_that_of_the_program(self) -> None:
        pins = {lock: set(re.findall(r"^\S+==\S+", read(lock), re.MULTILINE)) for lock in LOCKS}
        assert pins["runtime"] <= pins["dev"]


class TestFiles:
    def test_name_no_machine_and_no_registry(self) -> None:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
        if listed.returncode != 0:
            pytest.skip("This is no git checkout, so nothing says which files are the project's.")
        forbidden = re.compile(r"(/root/|/home/[a-z]+/|(?:index|extra-index)-url|pypi\.(?:org|python))")
        named = [
            f"{name}: {found.group()}"
            for name in listed.stdout.split("\0")
            if name not in {"", "Makefile", "tests/house/test_repository.py"} and (CHECKOUT / name).is_file()
            if (found := forbidden.search((CHECKOUT / name).read_text(errors="ignore")))
        ]
        assert named == []
