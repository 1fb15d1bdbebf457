"""The private cluster: made once, shared, stopped by its last user, recovering by itself."""

from __future__ import annotations

import os
import signal
import stat
import time
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from gis_service.embedded.cluster import SOCKET_PATH_LIMIT_BYTES, Cluster
from gis_service.embedded.configuration import OWNER, PORT, SERVICE, SUPERUSER
from grid_boundaries.errors import Unavailable
from tests.gis_service.embedded.conftest import started


def do(cluster: Cluster, statement: LiteralString, role: str = SUPERUSER, name: str = "") -> None:
    """Run a statement and commit."""
    with psycopg.connect(cluster.url(role, name or "postgres")) as connection:
        connection.execute(statement)


def asked(cluster: Cluster, question: LiteralString, role: str = SUPERUSER, name: str = "") -> str:
    """Return the one value that a statement gives."""
    with psycopg.connect(cluster.url(role, name or "postgres")) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return str(row[0])


def server_pid(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split("\n")[0])


def test_opening_makes_and_starts_a_cluster(cluster: Cluster) -> None:
    assert cluster.major is None
    cluster.open()
    assert cluster.is_running()
    assert cluster.major == cluster.installation.major


def test_pages_carry_checksums(cluster: Cluster) -> None:
    cluster.open()
    assert asked(cluster, "show data_checksums") == "on"


def test_nothing_listens_on_the_network(cluster: Cluster) -> None:
    cluster.open()
    assert asked(cluster, "show listen_addresses") == ""


def test_a_commit_waits_for_the_disk_unless_told_otherwise(folder: Path) -> None:
    with Cluster(folder) as cluster:
        assert asked(cluster, "show synchronous_commit") == "on"
        assert asked(cluster, "show fsync") == "on"


def test_folders_are_closed_to_others(cluster: Cluster) -> None:
    cluster.open()
    for closed in (cluster.folder, cluster.data, cluster.socket_folder):
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_root_does_not_run_the_server(cluster: Cluster) -> None:
    cluster.open()
    assert cluster.data.stat().st_uid != 0
    assert Path(f"/proc/{server_pid(cluster)}").stat().st_uid == cluster.account.uid


def test_closing_stops_the_server_cleanly(cluster: Cluster) -> None:
    cluster.open()
    cluster.close()
    assert not cluster.is_running()
    assert not (cluster.data / "postmaster.pid").exists()
    assert "database system is shut down" in (cluster.folder / "server.log").read_text()


def test_closing_twice_or_unopened_does_nothing(cluster: Cluster) -> None:
    cluster.close()
    cluster.open()
    cluster.close()
    cluster.close()
    assert not cluster.is_running()


def test_what_was_written_is_there_after_a_stop(cluster: Cluster) -> None:
    cluster.open()
    do(cluster, "create table kept as select 7 as n")
    cluster.close()
    cluster.open()
    assert asked(cluster, "select n from kept") == "7"


def test_the_last_of_two_users_stops_the_server(folder: Path) -> None:
    with Cluster(folder, durable=False) as first:
        second = Cluster(folder, durable=False)
        second.open()
        pid = server_pid(first)
        second.close()
        assert first.is_running()
        assert server_pid(first) == pid
    assert not first.is_running()


def use_for_a_while(folder: Path, told: Pipe) -> None:
    with Cluster(folder, durable=False) as cluster:
        told.send(server_pid(cluster))
        told.recv()


def test_processes_that_start_together_share_one_cluster(folder: Path) -> None:
    users = [started(use_for_a_while, folder) for _ in range(3)]
    assert len({here.recv() for _, here in users}) == 1
    for process, here in users:
        assert Cluster(folder).is_running()
        here.send("go")
        process.join(60)
    assert not Cluster(folder).is_running()


def test_a_killed_user_is_not_counted(folder: Path) -> None:
    process, here = started(use_for_a_while, folder)
    pid = here.recv()
    process.kill()
    process.join(60)
    with Cluster(folder, durable=False) as cluster:
        assert server_pid(cluster) == pid  # the server outlived its user and is taken over
    assert not cluster.is_running()


def test_a_killed_server_recovers_what_was_committed(cluster: Cluster) -> None:
    cluster.open()
    do(cluster, "create table kept as select 7 as n")
    os.kill(server_pid(cluster), signal.SIGKILL)
    cluster.open()
    assert asked(cluster, "select n from kept") == "7"


def test_an_initdb_that_was_cut_short_leaves_nothing_in_the_way(cluster: Cluster) -> None:
    half = cluster.folder / "making-half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("15\n")
    cluster.account.owns(cluster.folder, 0o700)
    cluster.open()
    assert not half.exists()


def test_a_server_that_cannot_start_is_one_sentence_with_the_log(cluster: Cluster) -> None:
    cluster.open()
    cluster.close()
    (cluster.data / "global" / "pg_control").write_bytes(b"")
    started = time.monotonic()
    with pytest.raises(Unavailable, match="did not start") as refused:
        cluster.open()
    assert str(cluster.folder / "server.log") in refused.value.zh
    assert "pg_control" in refused.value.en
    assert time.monotonic() - started < 60


def test_data_of_another_major_version_are_refused_with_the_remedy(cluster: Cluster) -> None:
    cluster.open()
    cluster.close()
    version = (cluster.data / "PG_VERSION").read_text()
    (cluster.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(Unavailable, match="postgresql-9-postgis-3") as refused:
        cluster.open()
    assert refused.value.code == "other-major-version"
    (cluster.data / "PG_VERSION").write_text(version)


def test_a_socket_path_that_the_system_cannot_hold_is_refused(folder: Path) -> None:
    rest = SOCKET_PATH_LIMIT_BYTES - len(f"/x/123456789012/.s.PGSQL.{PORT}")
    Cluster(folder, socket_root=Path("/x" + "y" * rest))
    with pytest.raises(Unavailable, match="GIS_SOCKET_DIR") as refused:
        Cluster(folder, socket_root=Path("/x" + "y" * (rest + 1)))
    assert refused.value.where == {"length_bytes": SOCKET_PATH_LIMIT_BYTES + 1}


def test_two_data_folders_have_two_sockets(folder: Path) -> None:
    assert Cluster(folder).socket_folder != Cluster(folder / "other").socket_folder


def test_a_folder_of_somebody_else_is_refused() -> None:
    with pytest.raises(Unavailable, match="does not belong"):
        Cluster(Path("/usr")).open()


def test_a_folder_out_of_the_accounts_reach_is_refused(folder: Path) -> None:
    folder.parent.chmod(0o700)
    cluster = Cluster(folder, durable=False)
    with pytest.raises(Unavailable, match="cannot reach") if os.geteuid() == 0 else cluster:
        cluster.open()


def test_a_database_has_postgis_and_belongs_to_the_owner(cluster: Cluster) -> None:
    cluster.open()
    cluster.ensure_database("gis_here")
    assert asked(cluster, "select postgis_lib_version()", name="gis_here") >= "3.3"
    owner = "select datdba::regrole::text from pg_database where datname = 'gis_here'"
    assert asked(cluster, owner) == OWNER


def test_ensuring_a_database_twice_keeps_what_is_in_it(cluster: Cluster) -> None:
    cluster.open()
    for _ in range(2):
        cluster.ensure_database("gis_here")
        do(cluster, "create table if not exists a ()", OWNER, "gis_here")
    count = "select count(*) from pg_class where relname = 'a'"
    assert asked(cluster, count, name="gis_here") == "1"


def test_a_copy_of_a_template_has_its_tables(cluster: Cluster) -> None:
    cluster.open()
    cluster.ensure_database("gis_one")
    do(cluster, "create table a as select 3 as n", OWNER, "gis_one")
    cluster.ensure_database("gis_two", template="gis_one")
    assert asked(cluster, "select n from a", role=OWNER, name="gis_two") == "3"
    cluster.drop_database("gis_two")
    assert asked(cluster, "select count(*) from pg_database where datname = 'gis_two'") == "0"


def test_a_name_with_quotes_is_only_a_name(cluster: Cluster) -> None:
    cluster.open()
    cluster.ensure_database('gis"; drop role gis_owner; --', template="template1")
    assert asked(cluster, "select count(*) from pg_roles where rolname = 'gis_owner'") == "1"


def test_the_service_may_not_make_tables_nor_become_the_owner(cluster: Cluster) -> None:
    cluster.open()
    cluster.ensure_database("gis_here")
    statements: tuple[LiteralString, ...] = (
        "create table mine ()",
        "set role gis_owner",
        "set role postgres",
    )
    for statement in statements:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            do(cluster, statement, SERVICE, "gis_here")


def test_a_role_that_is_not_mapped_gets_no_connection(cluster: Cluster) -> None:
    cluster.open()
    do(cluster, "create role stranger login superuser")
    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        do(cluster, "select 1", "stranger")


def test_a_database_whose_making_was_cut_short_lets_the_service_in(cluster: Cluster) -> None:
    cluster.open()
    cluster.ensure_database("gis_here")
    do(cluster, "revoke all on database gis_here from gis_service")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        do(cluster, "select 1", SERVICE, "gis_here")
    cluster.ensure_database("gis_here")
    do(cluster, "select 1", SERVICE, "gis_here")
