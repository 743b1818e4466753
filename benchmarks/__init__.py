"""Costs of batchcore, measured beside Powertools for Python and a bare loop: ``python -m benchmarks``."""
