"""Plugins: found, loaded and checked, and their wrappers put round the hooks of a source."""
