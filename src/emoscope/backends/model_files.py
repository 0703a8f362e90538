"""The files of a model on this machine; a folder of official files is converted first."""

from __future__ import annotations

import os
from pathlib import Path

from emoscope.hub.official_folder import find_or_convert
from emoscope.hub.progress import PullListener, log_pull
from emoscope.models.catalog import LocalModel


def local_model(model: str | os.PathLike[str], listener: PullListener = log_pull) -> LocalModel:
    """Find the files of a model; nothing is ever downloaded here.

    Args:
        model: ``auto``, a name of the table, a folder with a card, or an official folder.
        listener: called before a conversion; by default that is logged.

    Raises:
        ModelError: the model is unknown, not on this machine, or its folder is incomplete.
        ExtraMissingError: the packages that convert official files are not installed.
    """
    return find_or_convert(model, convert=_convert, listener=listener)


def _convert(folder: Path, target: Path, *, name: str, revision: str) -> LocalModel:
    from emoscope.emotion2vec.convert import convert  # few models need it

    return convert(folder, target, name=name, revision=revision)
