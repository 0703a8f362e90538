"""The real application, page and all, over a model without weights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import serving


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Site]:
    with serving.site(tmp_path_factory.mktemp("site") / "outputs") as running:
        yield running
