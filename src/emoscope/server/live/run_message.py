"""Result message of a live stream: the result, its run and files."""

from __future__ import annotations

from emoscope.outputs.store import Run
from emoscope.streaming.messages import ResultMessage


def of_run(run: Run, files: dict[str, str]) -> ResultMessage:
    """Return the last message of a stream that went well."""
    result = {key: value for key, value in run.result.to_dict().items() if key != "frames"}
    return ResultMessage(result=result, run=run.name, files=files)
