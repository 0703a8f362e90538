"""Program that serves on a Ray cluster of its own until its standard input ends.

Prints the address when two replicas answer. In a process of its own, since Ray changes the process
that it is started in.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sys
import tempfile

import ray
from ray import serve

from emoscope.server.ray import application


def main() -> None:
    """Serve."""
    folder = tempfile.mkdtemp(prefix="er-")  # short: sockets lie below it
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"  # by the import of emoscope
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=100_000_000,
        logging_level=logging.ERROR,
        log_to_driver=False,
        _temp_dir=folder,
        _node_ip_address="127.0.0.1",
    )
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        arguments = {"model": "compact", "min_replicas": "2", "max_replicas": "2"}
        serve.run(application(arguments), name="emoscope")
        print(f"http://127.0.0.1:{port}", flush=True)
        sys.stdin.read()
        serve.shutdown()
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
