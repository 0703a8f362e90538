"""Write ``golden_tiny.npz``: FunASR's own answers for the tiny model of ``official_folder``.

Needs torch and FunASR, which the product does not; in an environment of their own:

    python -m venv parityvenv
    echo "torch==2.13.0" > constraints.txt
    parityvenv/bin/pip install "torch==2.13.0"            # the build for the CPU
    parityvenv/bin/pip install "funasr==1.4.16" -c constraints.txt
    parityvenv/bin/python tests/parity/make_golden.py

Only needed again when the weights or clips change; ``test_tiny.py`` compares against the file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from parity.funasr_answers import write_answers
from parity.official_folder import SIZES, write_folder

GOLDEN = Path(__file__).with_name("golden_tiny.npz")
SECONDS = [0.2, 0.7, 2.0, 8.0]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Path(folder), SIZES["tiny"])
        write_answers(Path(folder), GOLDEN, SECONDS)
    print(f"{GOLDEN.name}: {GOLDEN.stat().st_size} bytes")


if __name__ == "__main__":
    main()
