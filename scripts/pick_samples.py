"""Make the sample recordings of the package from free recordings of acted speech.

    python scripts/pick_samples.py --data FOLDER           make everything
    python scripts/pick_samples.py --data FOLDER --check   compare with what is there

`FOLDER` is that of train/README.md. Clips are cut from nothing and changed in nothing but their
level; a little faint noise stands before and behind each. EmoDB is CC0-1.0,
the contents of CREMA-D are DbCL-1.0.

Needs numpy and soundfile.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import tarfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile  # type: ignore[import-not-found,import-untyped,unused-ignore]

SAMPLES_DIR = Path(__file__).resolve().parents[1] / "src" / "emoscope" / "assets" / "samples"
RATE_HZ = 16_000
EDGE_S = 0.15
PAUSE_S = 0.6
NOISE = 1e-4
PEAK = 0.7


@dataclass(frozen=True)
class Choice:
    """One sample: which clips it is made of and what its list says."""

    file: str
    paths: tuple[str, ...]
    """Members of `emodb.tar` or `more/cremad.tar`, one after the other."""
    language: str
    emotion: str
    text: str
    title_zh: str
    title_en: str
    licence: str
    source: str


EMODB = ("CC0-1.0", "EmoDB (F. Burkhardt et al., 2005), as republished by audEERING")
CREMAD = ("DbCL-1.0", "CREMA-D (H. Cao et al., 2014), contents DbCL 1.0, database ODbL 1.0")


def _emodb(name: str, clip: str, emotion: str, text: str, zh: str, en: str) -> Choice:
    """A German sentence."""
    file, paths = f"emodb_{name}.wav", tuple(f"emodb/{one}.opus" for one in clip.split())
    return Choice(file, paths, "de", emotion, text, f"{zh}（德语）", f"{en} (German)", *EMODB)


def _cremad(name: str, clip: str, emotion: str, text: str, zh: str, en: str) -> Choice:
    """An English sentence."""
    file, paths = f"cremad_{name}.wav", (f"cremad/{clip}.opus",)
    return Choice(file, paths, "en", emotion, text, f"{zh}（英语）", f"{en} (English)", *CREMAD)


MP3 = "emodb_sequence.mp3"
"""Of the sequence, for browsers; scripts/make_sample_results.py makes it."""
WEEKENDS = "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht."
CHOICES: tuple[Choice, ...] = (
    _emodb(
        "angry", "09b02Wd", "angry",
        "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.", "愤怒", "Angry",
    ),
    _emodb(
        "happy", "13b09Fb", "happy",
        "Ich will das eben wegbringen und dann mit Karl was trinken gehen.", "快乐", "Happy",
    ),
    _emodb(
        "sad", "09a05Tb", "sad",
        "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.", "悲伤", "Sad",
    ),
    _emodb(
        "neutral", "09b01Na", "neutral",
        "Was sind denn das für Tüten, die da unter dem Tisch stehen?", "中性", "Neutral",
    ),
    _emodb(
        "fearful", "09b10Aa", "fearful",
        "Die wird auf dem Platz sein, wo wir sie immer hinlegen.", "恐惧", "Fearful",
    ),
    _emodb(
        "disgusted", "09b01Ea", "disgusted",
        "Was sind denn das für Tüten, die da unter dem Tisch stehen?", "厌恶", "Disgusted",
    ),
    _cremad("happy", "1061_DFA_HAP_XX", "happy", "Don't forget a jacket.", "快乐", "Happy"),
    _emodb(
        "sequence", "11b03Nb 11b03Fc 11b03Wb 11b03Td", "neutral", WEEKENDS,
        "同一句话：中性、快乐、愤怒、悲伤", "One sentence: neutral, happy, angry, sad",
    ),
)  # fmt: skip


def main() -> None:
    """Write the samples, their list and their licence, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    entries, made = [], {}
    for choice in CHOICES:
        samples = join([read(options.data, path) for path in choice.paths], choice.file)
        made[choice.file] = as_wav(samples)
        entries.append(
            {
                "file": choice.file,
                "language": choice.language,
                "emotion": choice.emotion,
                "text": choice.text,
                "title_zh": choice.title_zh,
                "title_en": choice.title_en,
                "duration_s": round(len(samples) / RATE_HZ, 3),
                "licence": choice.licence,
                "source": f"{choice.source}; {', '.join(choice.paths)}",
                "sha256": hashlib.sha256(made[choice.file]).hexdigest(),
            }
        )
    made["samples.json"] = (json.dumps(entries, ensure_ascii=False, indent=2) + "\n").encode()
    made["LICENSE"] = licence().encode()
    different = [
        name
        for name, content in made.items()
        if not (SAMPLES_DIR / name).is_file() or (SAMPLES_DIR / name).read_bytes() != content
    ]
    if options.check:
        sys.exit(f"different: {', '.join(different)}" if different else 0)
    for name, content in made.items():
        (SAMPLES_DIR / name).write_bytes(content)
    print(f"wrote {len(made)} files, {sum(map(len, made.values())) / 1e6:.2f} MB")


def read(data: Path, path: str) -> np.ndarray:
    """Samples of one clip."""
    corpus = path.partition("/")[0]
    places = (data / f"{corpus}.tar", data / "more" / f"{corpus}.tar")
    with tarfile.open(next(place for place in places if place.is_file())) as tar:
        source = tar.extractfile(path)
        if source is None:
            raise FileNotFoundError(path)
        samples, rate_hz = soundfile.read(io.BytesIO(source.read()), dtype="float32")
    if rate_hz != RATE_HZ:
        raise ValueError(f"{path}: {rate_hz} Hz")
    return np.asarray(samples)


def join(clips: list[np.ndarray], name: str) -> np.ndarray:
    """Clips with faint noise around them, faded in and out, the loudest at `PEAK`."""
    random = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]))
    fade = np.minimum(1.0, np.arange(1, 161) / 160.0)
    loudest = max(float(np.abs(clip).max()) for clip in clips)
    parts = [np.zeros(round(EDGE_S * RATE_HZ))]
    for clip in clips:
        shaped = (clip - clip.mean()) * (PEAK / loudest)
        shaped[:160] *= fade
        shaped[-160:] *= fade[::-1]
        parts += [shaped, np.zeros(round(PAUSE_S * RATE_HZ))]
    parts[-1] = parts[0]
    samples = np.concatenate(parts)
    return samples + NOISE * random.standard_normal(len(samples))


def as_wav(samples: np.ndarray) -> bytes:
    """16-bit mono WAV."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.round(samples * 32767.0).astype("<i2").tobytes())
    return content.getvalue()


def licence() -> str:
    """The licence file beside the samples: every recording with its licence and its makers."""
    lines = [
        "Sample recordings of Emoscope: real acted speech, chosen by scripts/pick_samples.py.",
        "",
    ]
    for (name, makers), link in (
        (EMODB, "https://creativecommons.org/publicdomain/zero/1.0/"),
        (CREMAD, "https://opendatacommons.org/licenses/dbcl/1-0/"),
    ):
        files = [choice.file for choice in CHOICES if choice.licence == name]
        if files:
            files += [MP3 for file in files if file == MP3.replace(".mp3", ".wav")]
            lines += [f"{name} ({link})", makers, *[f"  {file}" for file in files], ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
