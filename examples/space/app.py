"""Emoscope as a Gradio app on Hugging Face Spaces or in ModelScope Studio.

Both start this file and look for port 7860. Nothing is kept: ``EMOSCOPE_STORE=none``. Further
settings are variables of the Space, for example ``EMOSCOPE_MODEL``.
"""

import os

os.environ.setdefault("EMOSCOPE_STORE", "none")

from emoscope.cli.main import main

if __name__ == "__main__":
    host = os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0")  # noqa: S104 - a container's own address
    port = os.environ.get("GRADIO_SERVER_PORT", "7860")
    main(["gradio", "--host", host, "--port", port, "--open"])
