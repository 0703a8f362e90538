"""ASGI middleware: access log, Host and Origin checks, API keys."""
