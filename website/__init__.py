"""The site of the documentation. See ``mkdocs.yml``."""
