"""Hand-made mutants of the core and of its kit for tests, each breaking a promise, and the tests that must notice."""
