"""A private PostgreSQL cluster with PostGIS, kept in the data folder and run by the service."""
