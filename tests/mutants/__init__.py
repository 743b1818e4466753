"""Hand-made mutants of the core, each breaking a promise, and the tests that must notice."""
