"""The running service: app, settings, database, access, routes, command line, demo data."""
