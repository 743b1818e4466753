"""Lanes side by side, in worker threads or as asyncio tasks."""
