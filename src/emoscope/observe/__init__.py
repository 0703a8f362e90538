"""Observability of a server: logs and metrics."""
