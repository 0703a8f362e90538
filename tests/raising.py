"""Expect an error by its code, for the tests of several folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emoscope.errors import EmoscopeError, all_codes

if TYPE_CHECKING:
    from _pytest.raises import RaisesExc


def raises_code(code: str, **options: Any) -> RaisesExc[EmoscopeError]:
    """Return ``pytest.raises`` for exactly the class and the code of an error."""
    return pytest.raises(all_codes()[code].kind, check=lambda e: e.code == code, **options)
