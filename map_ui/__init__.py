"""Folium pages: text out; no database, no HTTP."""
