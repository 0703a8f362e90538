"""A text model in the layout of Hugging Face."""

from __future__ import annotations

from pathlib import Path

import pytest

from text_models import write_text_model


@pytest.fixture(scope="session")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the model."""
    return write_text_model(tmp_path_factory.mktemp("text") / "tiny-text")
