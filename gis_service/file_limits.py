"""How much a file that somebody sends may hold, as the settings say."""

from __future__ import annotations

from gis_service.settings import Settings
from layers.load.limits import Limits


def file_limits(settings: Settings) -> Limits:
    """Return the bounds on one file that the settings give."""
    return Limits(
        file_bytes=settings.body_limit_bytes,
        unzipped_bytes=settings.unzipped_limit_bytes,
        unzip_ratio=settings.unzip_ratio_limit,
        archive_files=settings.unzip_files_limit,
        features=settings.feature_limit,
        vertices=settings.vertex_limit,
        nesting=settings.nesting_limit,
        properties=settings.property_limit,
        property_bytes=settings.property_limit_bytes,
    )
