"""Which speakers are angry when: a query over the output of a batch, and its picture.

    emoscope batch ../shared/data/*.tar ../shared/data/more/*.tar --out calls -m compact
    python benchmarks/batch_speakers.py calls ../shared/data docs/images/batch_speakers.svg

The sound is acted, so "when" is the emotion that was to be played. Speakers of corpora on which the
model was trained are left out. Needs duckdb.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

QUERY = """
SELECT speaker, acted, avg(angry) AS anger, count(*) AS clips
FROM read_parquet('{out}/part-*.parquet') AS part
JOIN (
    SELECT path, speaker, emotion AS acted
    FROM read_csv(['{data}/clips.csv', '{data}/more/clips.csv'], all_varchar = true)
    WHERE role = 'evaluate' AND corpus IN ('tess', 'savee', 'turev', 'emotiontts')
) AS list ON part.member = list.path
WHERE len(abstain) = 0
GROUP BY ALL HAVING count(*) >= 5
"""
ORDER = ("angry", "disgusted", "fearful", "surprised", "happy", "neutral", "sad")
CELL, LEFT, TOP = (64, 22), 120, 34


def picture(rows: list[tuple[str, str, float, int]]) -> str:
    """Draw speakers by emotions as an SVG: the redder, the larger the mean score of anger."""
    found = {(speaker, acted): (anger, clips) for speaker, acted, anger, clips in rows}
    of_angry = {speaker: value[0] for (speaker, acted), value in found.items() if acted == "angry"}
    speakers = sorted(of_angry, key=lambda one: -of_angry[one])
    columns = [one for one in ORDER if any((speaker, one) in found for speaker in speakers)]
    width, height = LEFT + CELL[0] * len(columns) + 8, TOP + CELL[1] * len(speakers) + 8
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}" font-family="sans-serif" font-size="12">'
        ),
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for place, acted in enumerate(columns):
        x = LEFT + CELL[0] * (place + 0.5)
        parts.append(f'<text x="{x}" y="{TOP - 10}" text-anchor="middle">{acted}</text>')
    for line, speaker in enumerate(speakers):
        y = TOP + CELL[1] * line
        parts.append(f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{speaker}</text>')
        for place, acted in enumerate(columns):
            if (speaker, acted) not in found:
                continue
            anger, clips = found[speaker, acted]
            x, other = LEFT + CELL[0] * place, round(250 * (1 - anger))
            ink = "#fff" if anger > 0.5 else "#333"
            parts += [
                (
                    f'<rect x="{x + 1}" y="{y + 1}" width="{CELL[0] - 2}" height="{CELL[1] - 2}"'
                    f' fill="rgb({round(250 - 35 * anger)},{other},{other})">'
                    f"<title>{speaker}, {acted}: {anger:.2f} ({clips} clips)</title></rect>"
                ),
                (
                    f'<text x="{x + CELL[0] / 2}" y="{y + 15}" text-anchor="middle" fill="{ink}">'
                    f"{anger:.2f}</text>"
                ),
            ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Ask, print and draw."""
    out, data, target = sys.argv[1:]
    rows = duckdb.sql(QUERY.format(out=out, data=data)).fetchall()
    Path(target).write_text(picture(rows), "utf-8")
    print(f"{len(rows)} cells in {target}")


if __name__ == "__main__":
    main()
