"""Recordings of an accepted job: files in its folder until they are recognized."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import BinaryIO

from emoscope.errors import AudioTooLargeError, EmoscopeError
from emoscope.files import make_private_folder, write_new
from emoscope.server.http.span_field import spans_to_json
from emoscope.server.service import RecognitionOptions, RecognitionRequest


def write_recordings(
    folder: Path, requests: list[RecognitionRequest], options: RecognitionOptions
) -> tuple[str, dict[int, EmoscopeError]]:
    """Write the recordings to the disk, each into a file that is named by its place.

    Args:
        folder: of the job; made, for the owner only.
        requests: the recordings.
        options: options of all recordings.

    Returns:
        A digest of the whole request, and the errors of recordings that are too large, by place.
    """
    refused: dict[int, EmoscopeError] = {}
    digest = hashlib.sha256(f"{options.granularity} {options.embedding}".encode())
    if options.utterances:
        digest.update(b" utterances")
    if options.spans:
        digest.update(f" spans {spans_to_json(options.spans)}".encode())
    if (options.pause_s, options.longest_s) != (None, None):
        digest.update(f" rules {options.pause_s} {options.longest_s}".encode())
    if options.heads:
        digest.update(f" heads {','.join(options.heads)}".encode())
    make_private_folder(folder)
    for place, request in enumerate(requests):
        try:
            data = request.data()
        except AudioTooLargeError as error:
            refused[place] = error
            digest.update(f"\0{request.name}\0{error.code}\0".encode())
            continue
        digest.update(f"\0{request.name}\0{len(data)}\0".encode())
        digest.update(data)
        write_new(folder / str(place), partial(_write, data=data), mode=0o600)
    return digest.hexdigest(), refused


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(data)
