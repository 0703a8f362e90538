"""Imports of optional packages, with the install command when one is missing."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from emoscope.errors import EmoscopeError, ExtraMissingError, PackageMissingError


def require(module: str, *, extra: str) -> ModuleType:
    """Import ``module``, which the extra named ``extra`` installs.

    Raises:
        ExtraMissingError: it is not installed; the error carries the line to type.
    """
    return _imported(module, ExtraMissingError("extra_missing", package=module, extra=extra))


def require_package(package: str) -> ModuleType:
    """Import a package that no extra installs: those who work with it have it.

    Raises:
        PackageMissingError: it is not installed; the error carries the line to type.
    """
    return _imported(package, PackageMissingError(package=package.partition(".")[0]))


def _imported(module: str, missing: EmoscopeError) -> ModuleType:
    """Import a module, or raise the error that says that it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        # A bug inside an installed package is not "not installed": then what it looked for is
        # neither the module nor a package around it.
        if exc.name is None or not f"{module}.".startswith(f"{exc.name}."):
            raise
        raise missing from exc


def check_installed(package: str, *, extra: str) -> None:
    """Look for a package without importing it, which may take seconds.

    Args:
        package: a name without dots.
        extra: what installs it.

    Raises:
        ExtraMissingError: it is not installed; the error carries the line to type.
    """
    if importlib.util.find_spec(package) is None:
        raise ExtraMissingError("extra_missing", package=package, extra=extra)
