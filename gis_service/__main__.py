"""``python -m gis_service`` is the same as ``gis-service``."""

from gis_service.cli import main

if __name__ == "__main__":
    main()
