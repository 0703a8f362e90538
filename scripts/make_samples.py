"""Make the built-in sample recordings: synthesized speech with a shaped emotion, CC0-1.0.

Two free synthesizers speak (espeak-ng Mandarin from pinyin, flite's "slt" voice in English).
The WORLD vocoder then takes each phrase apart into pitch, spectrum and breath, these are
reshaped towards the emotion, and the phrases are put together again in a quiet room.

Needs, and only for this script (the package itself needs none of it):
    Debian: apt-get install espeak-ng flite
    Python: pip install numpy scipy pyworld "setuptools<80"

Run:
    python scripts/make_samples.py           make everything, print the measured table
    python scripts/make_samples.py --check   make again in memory, compare with what is there

The same tools give the same bytes: every random number comes from a fixed seed.
"""

import argparse
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
import wave
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

try:
    import numpy as np
    import pyworld  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from numpy.typing import NDArray
    from scipy import signal  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from scipy.ndimage import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        gaussian_filter1d,
        median_filter,
    )
except ImportError as error:
    raise SystemExit(
        f"make_samples: the Python package {error.name!r} is missing. "
        'Install: pip install numpy scipy pyworld "setuptools<80"'
    ) from error

Array = NDArray[np.float64]

RATE_HZ = 16_000
FRAME_MS = 5.0
FFT_SIZE = 1024
WINDOW = RATE_HZ // 50
EDGE_S = 0.30
NOISE_DBFS = -68.0
CEILING_DBFS = -4.0
REPO = Path(__file__).resolve().parents[1]
SAMPLES_DIR = REPO / "tests" / "assets" / "samples"
DOCS_PAGE = REPO / "docs" / "samples.md"
TABLE_BEGIN, TABLE_END = "<!-- table: begin -->", "<!-- table: end -->"


@dataclass(frozen=True)
class Phrase:
    """One breath group, spoken by the synthesizer on its own."""

    say: str
    """What the synthesizer reads: English words, or pinyin with tone numbers."""
    syllables: int
    pause_s: float = 0.0
    """Silence after the phrase, seconds."""
    line_st: tuple[float, float] = (0.0, 0.0)
    """Pitch line added from the first to the last frame, semitones."""
    gain_db: float = 0.0
    accents: tuple[tuple[float, float], ...] = ()
    """(place in the phrase from 0 to 1, height in semitones) of extra pitch accents."""


@dataclass(frozen=True)
class Shape:
    """How an emotion bends a voice. The defaults leave it as it is."""

    rate: float = 1.0
    """Speech rate against the synthesizer's own."""
    pitch_st: float = 0.0
    """Shift of the median pitch, semitones."""
    pitch_range: float = 1.0
    """Factor on the distance of log F0 from its median."""
    jitter: float = 0.004
    """Random change of F0 from frame to frame, as a share of F0."""
    tilt_db_per_octave: float = 0.0
    """Turn of the spectrum around 500 Hz; above 0 is brighter (pressed voice)."""
    breath: float = 0.0
    """0 leaves the aperiodicity alone, 1 is a whisper."""
    formants: float = 1.0
    """Factor on the formant frequencies (a smile shortens the vocal tract)."""
    dynamics: float = 1.0
    """Exponent on the loudness contour: above 1 stresses the loud syllables."""
    rms_dbfs: float = -22.0
    """Level of the speech alone; peaks bend softly towards `CEILING_DBFS`."""


@dataclass(frozen=True)
class Sample:
    """One recording of the set."""

    emotion: str
    language: str
    text: str
    phrases: tuple[Phrase, ...]
    shape: Shape = field(default_factory=Shape)

    @property
    def file(self) -> str:
        """Name of the WAV file."""
        return f"{self.emotion}_{self.language}.wav"


HAPPY = Shape(
    rate=1.10,
    pitch_st=4.5,
    pitch_range=1.45,
    jitter=0.006,
    tilt_db_per_octave=1.0,
    formants=1.04,
    dynamics=1.15,
    rms_dbfs=-16.5,
)
ANGRY = Shape(
    rate=1.18,
    pitch_st=3.0,
    pitch_range=1.3,
    jitter=0.012,
    tilt_db_per_octave=2.6,
    formants=1.02,
    dynamics=1.25,
    rms_dbfs=-14.5,
)
SAD = Shape(
    rate=0.78,
    pitch_st=-2.5,
    pitch_range=0.5,
    jitter=0.008,
    tilt_db_per_octave=-2.6,
    breath=0.5,
    formants=0.98,
    dynamics=0.9,
    rms_dbfs=-27.0,
)
NEUTRAL = Shape()

SAMPLES = (
    Sample(
        "angry",
        "zh",
        "我说过多少次了，别再碰我的东西！你给我出去！",
        (
            Phrase("wo3 shuo1 guo4 duo1 shao3 ci4 le5", 7, 0.10, (0.0, 0.0), 0.0, ((0.55, 2.0),)),
            Phrase("bie2 zai4 peng4 wo3 de5 dong1 xi5", 7, 0.20, (0.5, 0.5), 0.5, ((0.3, 2.5),)),
            Phrase("ni3 gei2 wo3 chu1 qu4", 5, 0.0, (0.5, 1.0), 1.5, ((0.7, 3.0),)),
        ),
        ANGRY,
    ),
    Sample(
        "happy",
        "zh",
        "太好了，我们终于成功了！大家快来看呀！",
        (
            Phrase("tai4 hao3 le5", 3, 0.16, (1.0, 1.0), 1.0, ((0.2, 3.0),)),
            Phrase(
                "wo3 men5 zhong1 yu2 cheng2 gong1 le5", 7, 0.24, (-0.5, 2.0), 0.0, ((0.75, 2.5),)
            ),
            Phrase("da4 jia1 kuai4 lai2 kan4 ya5", 6, 0.0, (0.0, 2.0), 0.5, ((0.45, 2.0),)),
        ),
        HAPPY,
    ),
    Sample(
        "sad",
        "zh",
        "他走了以后，家里一下子空了。我很想他。",
        (
            Phrase("ta1 zou3 le5 yi3 hou4", 5, 0.28, (0.5, -0.5)),
            Phrase("jia1 li5 yi2 xia4 zi5 kong1 le5", 7, 0.42, (0.0, -1.0), -1.0),
            Phrase("wo3 hen2 xiang3 ta1", 4, 0.0, (-0.5, -2.0), -2.0),
        ),
        SAD,
    ),
    Sample(
        "neutral",
        "zh",
        "会议改到周三下午三点，地点还是二楼会议室。",
        (
            Phrase("hui4 yi4 gai3 dao4 zhou1 san1 xia4 wu3 san1 dian3", 10, 0.22, (0.0, -0.5)),
            Phrase("di4 dian3 hai2 shi4 er4 lou2 hui4 yi4 shi4", 9, 0.0, (0.0, -1.0)),
        ),
        NEUTRAL,
    ),
    Sample(
        "happy",
        "en",
        "We did it! I can't believe it, we actually won! Come and celebrate with us!",
        (
            Phrase("We did it!", 3, 0.18, (-0.5, 1.0), 0.0, ((0.5, 4.0),)),
            Phrase("I can't believe it,", 5, 0.08, (0.0, 0.5), 0.0, ((0.55, 3.5),)),
            Phrase("we actually won!", 5, 0.24, (0.5, 2.0), 0.5, ((0.3, 2.5), (0.8, 4.0))),
            Phrase(
                "Come and celebrate with us!", 7, 0.0, (1.0, 3.0), 0.0, ((0.15, 3.0), (0.5, 3.5))
            ),
        ),
        HAPPY,
    ),
    Sample(
        "angry",
        "en",
        "I told you not to touch it! Why do you never listen to me? Get out of my room!",
        (
            Phrase(
                "I told you not to touch it!", 7, 0.14, (0.0, 0.5), 0.0, ((0.5, 2.5), (0.8, 2.0))
            ),
            Phrase("Why do you never listen to me?", 8, 0.18, (0.5, 0.5), 0.5, ((0.4, 2.5),)),
            Phrase("Get out of my room!", 5, 0.0, (0.5, 1.0), 1.5, ((0.2, 2.5), (0.8, 2.5))),
        ),
        ANGRY,
    ),
    Sample(
        "sad",
        "en",
        "I still set the table for two. I can't believe she is gone.",
        (
            Phrase("I still set the table for two.", 8, 0.40, (0.5, -1.0)),
            Phrase("I can't believe,", 4, 0.15, (0.0, -1.0), -1.0),
            Phrase("she is gone.", 3, 0.0, (-0.5, -2.0), -2.0),
        ),
        SAD,
    ),
    Sample(
        "neutral",
        "en",
        "The meeting is on Wednesday at three, in the second floor conference room.",
        (
            Phrase("The meeting is on Wednesday at three,", 9, 0.20, (0.0, -0.5)),
            Phrase("in the second floor conference room.", 9, 0.0, (0.0, -1.0)),
        ),
        NEUTRAL,
    ),
)

WORDS = {
    "happy": ("快乐", "Happy"),
    "angry": ("愤怒", "Angry"),
    "sad": ("悲伤", "Sad"),
    "neutral": ("中性", "Neutral"),
    "zh": ("中文", "Chinese"),
    "en": ("英文", "English"),
}


# --- speaking -----------------------------------------------------------------------------


def speak_zh(pinyin: str, rate: float, path: Path) -> None:
    """Speak pinyin with espeak-ng; some builds lack the dictionary for Chinese characters."""
    options = ["-v", "cmn-latn-pinyin", "-s", str(round(190 * rate)), "-p", "75"]
    _run(["espeak-ng", *options, "-w", str(path), pinyin])


def speak_en(words: str, rate: float, path: Path) -> None:
    """Speak English with flite's statistical voice "slt"."""
    stretch = f"duration_stretch={1.0 / rate:.4f}"
    _run(["flite", "-voice", "slt", "--setf", stretch, "-t", words, "-o", str(path)])


# espeak-ng's Mandarin tones span about 4 semitones, a speaker's 8 or more; flite is near enough.
VOICE_RANGE = {"zh": 1.5, "en": 1.15}
SPEAK: dict[str, Callable[[str, float, Path], None]] = {"zh": speak_zh, "en": speak_en}


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def spoken(sample: Sample, phrase: Phrase) -> Array:
    """The synthesizer's rendering of a phrase, trimmed, 16 kHz, peak 0.5."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "phrase.wav"
        SPEAK[sample.language](phrase.say, sample.shape.rate, path)
        samples, rate_hz = read_wav(path)
    if rate_hz != RATE_HZ:
        divisor = int(np.gcd(rate_hz, RATE_HZ))
        samples = signal.resample_poly(samples, RATE_HZ // divisor, rate_hz // divisor)
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.max(np.abs(samples)))
    margin = RATE_HZ // 50
    samples = samples[max(0, loud[0] - margin) : loud[-1] + margin]
    return np.asarray(0.5 * samples / np.max(np.abs(samples)), dtype=np.float64)


# --- pitch --------------------------------------------------------------------------------


def pitch(samples: Array) -> tuple[Array, Array]:
    """F0 in Hz (0 where unvoiced) and the time in seconds, every 5 ms."""
    f0, times = pyworld.harvest(samples, RATE_HZ, 60.0, 600.0, FRAME_MS)
    f0 = pyworld.stonemask(samples, f0, times, RATE_HZ)
    # Harvest runs on into consonants and wanders there; such frames would chirp.
    voiced = np.flatnonzero(f0 > 0)
    semitones = 12.0 * np.log2(f0[voiced] / np.median(f0[voiced]))
    stray = np.abs(semitones - median_filter(semitones, 21)) > 2.5
    f0[voiced[stray | (np.abs(semitones) > 10.0)]] = 0.0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], f0 > 0, [0]])))
    for begin, end in edges.reshape(-1, 2):
        if end - begin < 6:
            f0[begin:end] = 0.0
    return f0, times


# --- shaping ------------------------------------------------------------------------------


def shaped(samples: Array, phrase: Phrase, shape: Shape, median_hz: float, seed: int) -> Array:
    """Take a phrase apart with WORLD, bend pitch, spectrum and breath, put it together.

    Args:
        samples: the phrase at 16 kHz.
        phrase: its own pitch line, accents and gain.
        shape: the emotion.
        median_hz: median F0 of the whole recording, around which the range is scaled.
        seed: seed of the random jitter.
    """
    f0, times = pitch(samples)
    spectrum = pyworld.cheaptrick(samples, f0, times, RATE_HZ, fft_size=FFT_SIZE)
    aperiodicity = pyworld.d4c(samples, f0, times, RATE_HZ, fft_size=FFT_SIZE)
    f0 = bend_pitch(f0, phrase, shape, median_hz, np.random.default_rng(seed))
    spectrum = bend_spectrum(spectrum, shape)
    aperiodicity = bend_breath(aperiodicity, shape.breath)
    made = pyworld.synthesize(f0, spectrum, aperiodicity, RATE_HZ, FRAME_MS)
    fade = min(len(made) // 4, RATE_HZ // 100)
    made[:fade] *= np.linspace(0.0, 1.0, fade)
    made[-fade:] *= np.linspace(1.0, 0.0, fade)
    return np.asarray(made * 10.0 ** (phrase.gain_db / 20.0))


def bend_pitch(
    f0_hz: Array, phrase: Phrase, shape: Shape, median_hz: float, rng: np.random.Generator
) -> Array:
    """New F0 per frame, Hz; unvoiced frames stay 0."""
    voiced = f0_hz > 0
    place = np.linspace(0.0, 1.0, len(f0_hz))
    semitones = np.zeros_like(f0_hz)
    semitones[voiced] = 12.0 * np.log2(f0_hz[voiced] / median_hz)
    semitones = semitones * shape.pitch_range + shape.pitch_st
    semitones += np.interp(place, (0.0, 1.0), phrase.line_st)
    seconds = len(f0_hz) * FRAME_MS / 1000.0
    for at, height in phrase.accents:
        semitones += height * np.exp(-0.5 * ((place - at) * seconds / 0.10) ** 2)
    # A human pitch is never still: a slow drift, and the cycle-to-cycle jitter on top.
    drift = gaussian_filter1d(rng.standard_normal(len(f0_hz)), 20.0) * 1.5
    factor = 1.0 + shape.jitter * rng.standard_normal(len(f0_hz))
    bent = median_hz * 2.0 ** ((semitones + drift) / 12.0) * factor
    return np.where(voiced, np.clip(bent, 60.0, 700.0), 0.0)


def bend_spectrum(spectrum: Array, shape: Shape) -> Array:
    """Move formants, turn the tilt, and stretch the loudness contour of a (T, F) spectrum."""
    bins = np.arange(spectrum.shape[1], dtype=np.float64)
    log_power = np.log(spectrum)
    if shape.formants != 1.0:
        source = np.minimum(bins / shape.formants, bins[-1])
        log_power = np.stack([np.interp(source, bins, row) for row in log_power])
    hz = np.maximum(bins * RATE_HZ / FFT_SIZE, 100.0)
    octaves = np.clip(np.log2(hz / 500.0), -1.0, 3.0)
    log_power += shape.tilt_db_per_octave * octaves * np.log(10.0) / 10.0
    # Only the audible part is stretched, so that pauses do not turn into holes.
    loudness = np.log(np.sum(np.exp(log_power), axis=1))
    loudness = gaussian_filter1d(loudness, 4.0)
    above = np.maximum(loudness - (np.max(loudness) - np.log(10.0) * 3.0), 0.0)
    change = (shape.dynamics - 1.0) * (above - np.max(above))
    return np.ascontiguousarray(np.exp(log_power + change[:, None]))


def bend_breath(aperiodicity: Array, breath: float) -> Array:
    """Blend the voice with breath, more of it at high frequencies, as in a lax voice."""
    hz = np.arange(aperiodicity.shape[1]) * RATE_HZ / FFT_SIZE
    share = breath * np.clip(hz / 3000.0, 0.15, 1.0)
    return np.ascontiguousarray(aperiodicity + (1.0 - aperiodicity) * share[None, :])


def in_room(samples: Array, shape: Shape, rng: np.random.Generator) -> Array:
    """Set the level and add silence at both ends, a small room and its faint noise."""
    edge = np.zeros(round(EDGE_S * RATE_HZ))
    dry = np.concatenate([edge, samples, edge])
    tail_s = np.arange(round(0.15 * RATE_HZ)) / RATE_HZ
    tail = rng.standard_normal(len(tail_s)) * np.exp(-tail_s / 0.025)
    tail[: RATE_HZ // 250] = 0.0  # nothing comes back before 4 ms
    tail *= 10.0 ** (-16.0 / 20.0) / np.sqrt(np.sum(tail**2))
    wet = dry + signal.fftconvolve(dry, tail)[: len(dry)]
    power, speech = speech_power(wet)
    wet *= 10.0 ** (shape.rms_dbfs / 20.0) / np.sqrt(np.mean(power[speech]))
    ceiling = 10.0 ** (CEILING_DBFS / 20.0)
    wet = ceiling * np.tanh(wet / ceiling)
    # Last, because bending an uneven wave leaves a small offset behind.
    high_pass = signal.butter(2, 60.0, "highpass", fs=RATE_HZ, output="sos")
    wet = signal.sosfilt(high_pass, wet)
    noise = signal.lfilter([1.0], [1.0, -0.9], rng.standard_normal(len(wet)))
    noise *= 10.0 ** (NOISE_DBFS / 20.0) / np.sqrt(np.mean(noise**2))
    return np.asarray(wet + noise)


def made(sample: Sample) -> Array:
    """The whole recording, float in [-1, 1] at 16 kHz."""
    seed = zlib.crc32(sample.file.encode())
    dry = [spoken(sample, phrase) for phrase in sample.phrases]
    pitches = np.concatenate([pitch(phrase)[0] for phrase in dry])
    median_hz = float(np.median(pitches[pitches > 0]))
    pitch_range = sample.shape.pitch_range * VOICE_RANGE[sample.language]
    shape = replace(sample.shape, pitch_range=pitch_range)
    parts: list[Array] = []
    for number, (phrase, samples) in enumerate(zip(sample.phrases, dry, strict=True)):
        parts.append(shaped(samples, phrase, shape, median_hz, seed + number))
        parts.append(np.zeros(round(phrase.pause_s * RATE_HZ)))
    return in_room(np.concatenate(parts), shape, np.random.default_rng(seed))


def speech_power(samples: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Power of every 20 ms, and which of them hold speech: within 30 dB of the loudest."""
    frames = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
    power = np.mean(frames**2, axis=1)
    return power, power > np.max(power) / 1000.0


# --- files --------------------------------------------------------------------------------


def read_wav(path: Path) -> tuple[Array, int]:
    """Samples in [-1, 1] and rate in Hz of a 16-bit mono WAV file."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2 or file.getnchannels() != 1:
            raise ValueError(f"{path.name}: expected 16-bit mono")
        data = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return data.astype(np.float64) / 32768.0, file.getframerate()


def wav_bytes(samples: Array) -> bytes:
    """A 16-bit mono WAV file at 16 kHz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.round(samples * 32767.0).astype("<i2").tobytes())
    return buffer.getvalue()


def described(sample: Sample, data: bytes, frames: int) -> dict[str, object]:
    """The entry of `samples.json`."""
    emotion, language = WORDS[sample.emotion], WORDS[sample.language]
    return {
        "file": sample.file,
        "language": sample.language,
        "emotion": sample.emotion,
        "text": sample.text,
        "title_zh": f"{emotion[0]}（{language[0]}）",
        "title_en": f"{emotion[1]} ({language[1]})",
        "duration_s": round(frames / RATE_HZ, 3),
        "licence": "CC0-1.0",
        "sha256": hashlib.sha256(data).hexdigest(),
    }


# --- measuring ----------------------------------------------------------------------------

COLUMNS = (
    "recording",
    "length, s",
    "F0 median, Hz",
    "F0 range 5-95 %, st",
    "F0 end - start, st",
    "rms of speech, dBFS",
    "peak, dBFS",
    "syllables / s",
    "tilt 0.3-5 kHz, dB/octave",
    "aperiodic share 1-4 kHz, %",
)


def measured(sample: Sample, samples: Array) -> tuple[str, ...]:
    """One row of the table, measured on the finished recording and not on the settings."""
    f0, times = pitch(samples)
    power, speech = speech_power(samples)
    loud = np.repeat(speech, round(1000 * WINDOW / RATE_HZ / FRAME_MS))[: len(f0)]
    voiced = (f0 > 0) & np.pad(loud, (0, len(f0) - len(loud)))
    pitch_st = 12.0 * np.log2(f0[voiced])
    low, high = np.percentile(pitch_st, (5, 95))
    third = len(pitch_st) // 3
    fall = float(np.median(pitch_st[-third:]) - np.median(pitch_st[:third]))
    rms = 10.0 * np.log10(np.mean(power[speech]))
    peak = 20.0 * np.log10(np.max(np.abs(samples)))
    syllables = sum(phrase.syllables for phrase in sample.phrases)
    spoken_s = float(np.sum(speech)) * WINDOW / RATE_HZ
    spectrum = pyworld.cheaptrick(samples, f0, times, RATE_HZ, fft_size=FFT_SIZE)[voiced]
    aperiodicity = pyworld.d4c(samples, f0, times, RATE_HZ, fft_size=FFT_SIZE)[voiced]
    hz = np.arange(FFT_SIZE // 2 + 1) * RATE_HZ / FFT_SIZE
    tilt = _slope(hz, np.mean(spectrum, axis=0))
    band = (hz >= 1000) & (hz <= 4000)
    noise = float(np.mean(aperiodicity[:, band] ** 2))
    return (
        sample.file.removesuffix(".wav"),
        f"{len(samples) / RATE_HZ:.2f}",
        f"{2 ** (np.median(pitch_st) / 12):.0f}",
        f"{high - low:.1f}",
        f"{fall:+.1f}",
        f"{rms:.1f}",
        f"{peak:.1f}",
        f"{syllables / spoken_s:.1f}",
        f"{tilt:.1f}",
        f"{100 * noise:.0f}",
    )


def _slope(hz: Array, power: Array) -> float:
    """Slope of a long-term spectrum in dB per octave, every third of an octave alike."""
    edges = 300.0 * 2.0 ** (np.arange(13) / 3.0)
    centres, levels = [], []
    for low, high in pairwise(edges):
        inside = (hz >= low) & (hz < high)
        centres.append(np.log2(np.sqrt(low * high)))
        levels.append(10.0 * np.log10(np.mean(power[inside])))
    return float(np.polyfit(centres, levels, 1)[0])


def table(rows: list[tuple[str, ...]]) -> str:
    """The rows as a Markdown table."""
    rule = ("---",) + ("---:",) * (len(COLUMNS) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in (COLUMNS, rule, *rows))


# --- running ------------------------------------------------------------------------------


def missing_tools() -> list[str]:
    """The synthesizers that are not on this machine."""
    return [tool for tool in ("espeak-ng", "flite") if shutil.which(tool) is None]


def write_table(text: str) -> None:
    """Put the table between its two marks in the documentation page."""
    page = DOCS_PAGE.read_text(encoding="utf-8")
    head, rest = page.split(TABLE_BEGIN)
    tail = rest.split(TABLE_END)[1]
    DOCS_PAGE.write_text(f"{head}{TABLE_BEGIN}\n{text}\n{TABLE_END}{tail}", encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """Make or check the recordings; the exit code is 0 when all is well."""
    parser = argparse.ArgumentParser(description="Make the built-in sample recordings.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    check = bool(parser.parse_args(argv).check)
    if missing := missing_tools():
        names = " ".join(missing)
        print(f"make_samples: missing: {names}. Install: apt-get install {names}", file=sys.stderr)
        return 2

    entries, rows, changed = [], [], []
    for sample in SAMPLES:
        samples = made(sample)
        data = wav_bytes(samples)
        path = SAMPLES_DIR / sample.file
        if not path.exists() or path.read_bytes() != data:
            changed.append(sample.file)
        if not check:
            path.write_bytes(data)
        entries.append(described(sample, data, len(samples)))
        rows.append(measured(sample, samples))
    print(table(rows))
    print(f"\nchanged: {', '.join(changed) or 'nothing, byte for byte the same'}")
    if check:
        return 1 if changed else 0
    listing = json.dumps(entries, ensure_ascii=False, indent=2) + "\n"
    (SAMPLES_DIR / "samples.json").write_text(listing, encoding="utf-8")
    write_table(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
