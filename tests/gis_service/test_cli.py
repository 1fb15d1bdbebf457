"""The command line as a person uses it: one sentence for what is refused, never a traceback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gis_service.embedded.cluster import Cluster

CHECKOUT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A data folder that the commands of this module share."""
    folder = Path(tempfile.mkdtemp(prefix="gis-cli-"))
    folder.chmod(0o755)
    yield folder / "data"
    shutil.rmtree(folder)


def gis_service(*words: str, data_dir: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command with settings as a person would set them."""
    return subprocess.run(
        [sys.executable, "-m", "gis_service", *words],
        env=environment(data_dir, settings),
        capture_output=True,
        text=True,
        timeout=500,
        cwd=CHECKOUT,
    )


def environment(data_dir: Path, settings: dict[str, str]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIS_")}
    given = {f"GIS_{name.upper()}": value for name, value in settings.items()}
    return {**own, **given, "GIS_DATA_DIR": str(data_dir), "COLUMNS": "200"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def assert_refused(finished: subprocess.CompletedProcess[str], zh: str, en: str) -> None:
    assert finished.returncode == 1
    assert zh in finished.stderr
    assert en in finished.stderr
    assert "Traceback" not in finished.stderr
    assert len(finished.stderr.strip().splitlines()) == 2


def test_migrate_makes_the_database_and_then_finds_it_made(data_dir: Path) -> None:
    first = gis_service("migrate", data_dir=data_dir)
    assert (first.returncode, first.stderr) == (0, "")
    assert "brought up to date" in first.stdout
    assert "up to date already" in gis_service("migrate", data_dir=data_dir).stdout


def test_a_command_leaves_no_server_behind(data_dir: Path) -> None:
    assert gis_service("check", data_dir=data_dir).returncode == 0
    assert not Cluster(data_dir / "postgres").is_running()


def test_a_wrong_setting_is_named(data_dir: Path) -> None:
    finished = gis_service("check", data_dir=data_dir, port="http")
    assert_refused(finished, "设置 GIS_PORT 有误", "The setting GIS_PORT is wrong")


def test_a_database_that_does_not_answer_is_one_sentence(data_dir: Path) -> None:
    url = "postgresql://somebody@/somewhere?host=/nowhere"
    finished = gis_service("check", data_dir=data_dir, database_url=url)
    assert_refused(finished, "连不上数据库", "The database cannot be reached")


def test_serving_others_needs_tls(data_dir: Path) -> None:
    finished = gis_service("serve", data_dir=data_dir, host="0.0.0.0")
    assert_refused(finished, "需要 TLS", "needs TLS")


def test_a_taken_port_is_one_sentence(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        finished = gis_service("serve", "--port", str(taken.getsockname()[1]), data_dir=data_dir)
    assert_refused(finished, "不能在 127.0.0.1", "set another GIS_PORT")


def test_an_unknown_dataset_is_refused_with_those_at_hand(data_dir: Path) -> None:
    finished = gis_service("load", "--dataset", "atlantis", "--from", "/", data_dir=data_dir)
    assert_refused(finished, "没有数据集说明", "taipei.toml")


def test_certificates_come_with_what_to_set_and_how_to_trust(data_dir: Path) -> None:
    finished = gis_service("certificate", "gis.local", "10.0.0.1", data_dir=data_dir)
    assert finished.returncode == 0
    for word in ("GIS_TLS_CERT=", "GIS_TLS_KEY=", "SHA-256", "Android", "iOS"):
        assert word in finished.stdout
    assert (data_dir / "tls" / "server.pem").exists()


def test_the_service_serves_until_it_is_told_to_stop(data_dir: Path) -> None:
    port = free_port()
    service = subprocess.Popen(
        [sys.executable, "-m", "gis_service", "serve", "--port", str(port)],
        env=environment(data_dir, {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    assert service.stdout is not None
    try:
        for line in service.stdout:
            if f"http://127.0.0.1:{port}/" in line:
                break
        # the port is held from the start, so the first request waits until the app answers
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=300) as answer:
            assert answer.status == 200
    finally:
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=300)
    assert service.returncode == 0
    assert not Cluster(data_dir / "postgres").is_running()
