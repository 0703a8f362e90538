"""Damaged files of twelve formats through the decoding processes: crashes, time, memory.

    python benchmarks/decoder_mutants.py                        36,000 of them
    python benchmarks/decoder_mutants.py --count 1000000 --seconds 0.3

The damage is that of ``tests/audio/test_fuzz.py``, from other seeds. It ends with 1 when a process
was lost, an answer took longer than 5 s or memory passed 1 GiB. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from mutants import DEADLINE_S, seeds, survive


def main() -> int:
    """Decode them and say what became of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, default=36_000)
    parser.add_argument("--keep", type=Path, help="folder for what ended a decoder")
    parser.add_argument("--seed", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=1.5, help="of sound in each, undamaged")
    asked = parser.parse_args()
    began_s = time.perf_counter()
    found = survive(
        -(-asked.count // len(seeds())), duration_s=asked.seconds, first_seed=asked.seed
    )
    print(f"{found.said.total()} mutants in {time.perf_counter() - began_s:.0f} s")
    for code, count in found.said.most_common():
        print(f"  {code:34} {count}")
    for number, mutant in enumerate(found.lost if asked.keep else []):
        asked.keep.mkdir(parents=True, exist_ok=True)
        (asked.keep / f"lost{number}").write_bytes(mutant)
    found.lost.clear()
    print(json.dumps({**vars(found), "mutants": found.said.total()}))
    return int(found.replaced > 0 or found.slowest_s > DEADLINE_S or found.peak_mb > 1024)


if __name__ == "__main__":
    sys.exit(main())
