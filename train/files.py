"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path


def write(content: str | bytes, target: Path) -> None:
    """Write a file under a temporary name, then rename it; text as UTF-8."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.tmp")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    temporary.replace(target)
