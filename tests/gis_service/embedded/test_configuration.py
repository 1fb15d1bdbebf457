"""What the private cluster is told, and as whom it runs."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gis_service.embedded.account import Account, server_account
from gis_service.embedded.cluster import Cluster, default_socket_root
from gis_service.embedded.configuration import (
    HBA,
    ROLES,
    SERVICE,
    SUPERUSER,
    configuration,
    identities,
    memory_mb,
    parameters,
    write_configuration,
)
from grid_boundaries.errors import Unavailable

ME = server_account("postgres")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the database's account can reach."""
    with TemporaryDirectory(prefix="gis-place-") as path:
        Path(path).chmod(0o755)
        yield Path(path)


@pytest.mark.parametrize("machine_mb", [0, 256, 1024, 2048, 8192, 16_384, 1_048_576])
def test_memory_follows_the_machine_within_bounds(machine_mb: int) -> None:
    told = parameters(Path("/run/x"), durable=True, machine_mb=machine_mb)
    shared_mb = int(told["shared_buffers"].removesuffix("MB"))
    assert 128 <= shared_mb <= 1024
    assert shared_mb == 128 or shared_mb <= machine_mb / 8
    assert int(told["effective_cache_size"].removesuffix("MB")) >= 256


def test_this_machine_has_memory() -> None:
    assert 256 < memory_mb() < 1 << 24


@pytest.mark.parametrize("durable", [True, False])
def test_only_what_survives_a_power_cut_is_given_up_in_tests(durable: bool) -> None:
    told = parameters(Path("/run/x"), durable=durable, machine_mb=2048)
    expected = "on" if durable else "off"
    assert (told["fsync"], told["full_page_writes"]) == (expected, expected)
    assert told["synchronous_commit"] == "on"


def test_nothing_of_it_reaches_the_network() -> None:
    told = parameters(Path("/run/x"), durable=True, machine_mb=2048)
    assert told["listen_addresses"] == ""
    assert told["unix_socket_permissions"] == "0700"
    assert told["unix_socket_directories"] == "/run/x"
    assert [line.split()[0] for line in HBA.splitlines()] == ["local"]
    assert "peer" in HBA
    assert "trust" not in HBA


@pytest.mark.parametrize("value", ["plain", "it's", "''", "a'b'c", "'", "with space", "网格"])
def test_a_value_with_quotes_stays_one_value(value: str) -> None:
    line = configuration({"name": value})
    assert line == "name = '" + value.replace("'", "''") + "'\n"
    assert line.count("'") % 2 == 0


@pytest.mark.parametrize("name", ["root", "postgres", "gis", "名"])
def test_root_and_the_account_may_take_each_role_and_nobody_else(name: str) -> None:
    lines = [line.split() for line in identities(Account(name, 1, 1)).splitlines()]
    assert {(who.strip('"'), role) for _, who, role in lines} == {
        (who, role) for who in {"root", name} for role in ROLES
    }
    assert {label for label, *_ in lines} == {"gis"}


def test_the_files_are_whole_and_for_the_account_alone(place: Path) -> None:
    for durable in (True, False):  # the second time over what stands there
        told = parameters(place, durable=durable, machine_mb=2048)
        write_configuration(place, ME, told)
        assert (place / "postgresql.conf").read_text() == configuration(told)
    for path in place.iterdir():
        found = path.stat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o600, ME.uid)
    assert sorted(path.name for path in place.iterdir()) == [
        "pg_hba.conf", "pg_ident.conf", "postgresql.conf",
    ]  # fmt: skip


def test_a_program_runs_with_a_clean_environment(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGDATA", "PGOPTIONS", "PGHOST", "LD_PRELOAD", "PYTHONPATH", "LC_TIME"):
        monkeypatch.setenv(name, "canary")
    done = ME.run(["env"], folder=place)
    assert done.returncode == 0
    assert "canary" not in done.stdout
    assert "LC_ALL=C.UTF-8" in done.stdout


def test_a_program_that_fails_is_told_and_not_raised(place: Path) -> None:
    done = ME.run(["sh", "-c", "echo 出错 >&2; exit 7"], folder=place)
    assert (done.returncode, done.stderr) == (7, "出错\n")


def test_output_that_is_no_text_is_read_all_the_same(place: Path) -> None:
    done = ME.run(["printf", r"\377\376"], folder=place)
    assert done.stdout == "\ufffd\ufffd"


def test_a_program_cannot_wait_for_the_keyboard(place: Path) -> None:
    assert ME.run(["cat"], folder=place).stdout == ""


def test_a_program_of_root_runs_as_the_account_without_roots_groups(place: Path) -> None:
    if not ME.switches:
        return  # only root hands over to another account
    done = ME.run(["id", "-u"], folder=place)
    assert int(done.stdout) == ME.uid != 0
    groups = ME.run(["id", "-G"], folder=place).stdout.split()
    assert "0" not in groups


def test_folders_are_made_all_the_way_and_closed_at_the_end(place: Path) -> None:
    deep = place / "a" / "b" / "c"
    for _ in range(2):
        ME.make_folder(deep)
    assert stat.S_IMODE(deep.stat().st_mode) == 0o700
    assert stat.S_IMODE(deep.parent.stat().st_mode) == 0o755
    assert deep.stat().st_uid == ME.uid


def test_many_who_make_one_folder_at_once_all_find_it_theirs(place: Path) -> None:
    """Nobody meets it made and not yet given to the account."""
    for number in range(12):
        deep = place / str(number) / "data"
        with ThreadPoolExecutor(8) as crew:
            for made in [crew.submit(ME.make_folder, deep) for _ in range(8)]:
                made.result(60)
        assert deep.stat().st_uid == ME.uid
        assert stat.S_IMODE(deep.stat().st_mode) == 0o700


def test_an_empty_folder_of_root_is_given_and_a_filled_one_is_refused(place: Path) -> None:
    if not ME.switches:
        return  # only root hands over to another account
    made = place / "made"
    made.mkdir()
    (made / "letter").touch()
    with pytest.raises(Unavailable, match="does not belong"):
        ME.make_folder(made)
    (made / "letter").unlink()
    ME.make_folder(made)
    assert made.stat().st_uid == ME.uid


def test_a_folder_behind_a_closed_door_is_refused_with_the_remedy(place: Path) -> None:
    if not ME.switches:
        return  # only root hands over to another account
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(Unavailable) as found:
        ME.make_folder(closed / "data")
    assert found.value.code == "folder-out-of-reach"
    assert "GIS_DATA_DIR" in found.value.zh
    assert "GIS_DATA_DIR" in found.value.en


def test_an_account_that_is_none_is_refused_by_name() -> None:
    if not ME.switches:
        return  # only root hands over to another account
    with pytest.raises(Unavailable) as found:
        server_account("nobody-of-this-name")
    assert found.value.code == "account-missing"
    assert "nobody-of-this-name" in found.value.en
    assert "GIS_ACCOUNT" in found.value.zh


def test_sockets_live_where_both_find_them(tmp_path: Path) -> None:
    stranger = Account("gis", 4711, 4711)
    if ME.switches:
        assert default_socket_root(stranger, tmp_path) == tmp_path
    else:
        assert default_socket_root(stranger, tmp_path).name == "gis-4711"
        mine = Account("me", os.geteuid(), os.getegid())
        assert default_socket_root(mine, tmp_path) == tmp_path
        assert default_socket_root(mine, tmp_path / "missing").name == f"gis-{os.geteuid()}"


@pytest.mark.parametrize("role", [SERVICE, SUPERUSER])
def test_an_address_names_role_database_and_socket(place: Path, role: str) -> None:
    cluster = Cluster(place / "postgres", socket_root=place / "s")
    url = cluster.url(role, "gis_ningshan")
    assert url.startswith(f"postgresql://{role}@/gis_ningshan?host={place / 's'}/")


def test_a_stale_pid_of_a_machine_that_was_switched_off_is_no_obstacle(place: Path) -> None:
    """After a power cut the file names a process that is now something else's, or nobody's."""
    with Cluster(place / "postgres", durable=False, socket_root=place / "s"):
        pass
    data = place / "postgres" / "cluster"
    left_over = data / "postmaster.pid"
    lines = [
        "4194303",
        str(data),
        "1700000000",
        "5432",
        str(place / "s"),
        "",
        "  123  456",
        "ready",
    ]
    left_over.write_text("\n".join(lines) + "\n")
    os.chown(left_over, ME.uid, ME.gid)
    left_over.chmod(0o600)
    with Cluster(place / "postgres", durable=False, socket_root=place / "s") as cluster:
        assert cluster.is_running()
        assert left_over.read_text().split("\n")[0] != "4194303"


def test_a_half_written_configuration_is_written_anew_at_each_start(place: Path) -> None:
    with Cluster(place / "postgres", durable=False, socket_root=place / "s"):
        pass
    broken = place / "postgres" / "cluster" / "postgresql.conf"
    broken.write_text("shared_buffers = 'lots\n")
    (broken.parent / "postgresql.conf.new").write_text("half")
    with Cluster(place / "postgres", durable=False, socket_root=place / "s") as cluster:
        assert cluster.is_running()
    assert not (broken.parent / "postgresql.conf.new").exists()


def test_a_data_folder_that_others_may_write_to_is_one_sentence(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gis_service.embedded.cluster.RETRY_S", 0.2)
    with Cluster(place / "postgres", durable=False, socket_root=place / "s"):
        pass
    (place / "postgres" / "cluster").chmod(0o777)
    cluster = Cluster(place / "postgres", durable=False, socket_root=place / "s")
    with pytest.raises(Unavailable) as found, cluster:
        pass
    assert found.value.code == "database-does-not-start"
    assert "permissions" in found.value.en
