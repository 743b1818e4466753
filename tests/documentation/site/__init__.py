"""The site of the documentation, as it is built and as a browser shows it."""
