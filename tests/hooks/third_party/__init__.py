"""Two extensions, as packages of other people would hold them. They import public names alone."""
