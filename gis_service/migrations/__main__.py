"""Write a revision from the tables in the code: ``python -m gis_service.migrations MESSAGE``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url

from gis_service.embedded.cluster import Cluster
from gis_service.embedded.configuration import OWNER
from gis_service.migrations import configuration, migrate


def write_revision(message: str) -> None:
    """Compare a scratch database at the newest revision with the code, and write the difference."""
    with tempfile.TemporaryDirectory(prefix="gis-migration-") as folder:
        Path(folder).chmod(0o755)  # the database's account must pass through
        with Cluster(Path(folder) / "postgres", durable=False) as cluster:
            cluster.ensure_database("gis_migration")
            url = make_url(cluster.url(OWNER, "gis_migration"))
            engine = create_engine(url.set(drivername="postgresql+psycopg"))
            migrate(engine)
            with engine.begin() as connection:
                config = configuration(connection)
                number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
                command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
            engine.dispose()


if __name__ == "__main__":
    write_revision(sys.argv[1])
