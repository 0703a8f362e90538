"""Settings: arguments, then ``EMOSCOPE_*``, then ``emoscope.toml``, then defaults.

Only front ends read them; the library takes arguments.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from emoscope.errors import SettingError, SettingsFileError
from emoscope.limits import COMMAND_LINE, PADDING_S, UPLOAD, Limits
from emoscope.messages.renamed import RENAMED_TEXT
from emoscope.paths.choices import (
    OLD_PRECISION,
    BackendName,
    DeviceChoice,
    Keep,
    LanguageChoice,
    LogForm,
    Precision,
)
from emoscope.results.abstention import ABSTENTION_THRESHOLDS, AbstentionThresholds
from emoscope.results.agreement import MAX_SCORE_DIFFERENCE, MIN_COSINE, AgreementThresholds
from emoscope.results.utterances import UTTERANCE_RULES, UtteranceRules
from emoscope.results.utterances import utterance_rules as rules_of
from emoscope.settings.toml_file import read_settings_file

FILE = "emoscope.toml"
"""Name of the settings file, looked for in the current folder."""
RENAMED = {
    "fast_min_cosine": "int8_min_cosine",
    "fast_max_score_difference": "int8_max_score_difference",
    "fast_on_pull": "int8_on_pull",
}
"""Old names of settings, which still work and warn."""


class Settings(BaseSettings):
    """One field per setting; its description is its documentation."""

    model_config = SettingsConfigDict(
        env_prefix="EMOSCOPE_",
        # A container passes on what is not set as an empty string.
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
    )

    model: str = Field("auto", description="model name, folder, or auto")
    backend: BackendName = Field(
        "onnxruntime", description="what runs the model; openvino needs the extra of that name"
    )
    threads: int = Field(
        0,
        ge=0,
        le=1024,
        description="threads inside one run; 0 takes all cores, for the compact model one",
    )
    device: DeviceChoice = Field(
        "cpu",
        description="what computes: cpu; cuda: an NVIDIA GPU, or an error (needs onnxruntime-gpu); "
        "auto: the GPU where it can be used",
    )
    precision: Precision = Field(
        "exact",
        description="exact; int8: the variant with 8-bit weights, or an error; auto: that variant "
        "where it agreed with the exact model and was measured to be faster",
    )
    int8_min_cosine: float = Field(
        MIN_COSINE, ge=-1, le=1, description="lowest embedding cosine of a variant that is used"
    )
    int8_max_score_difference: float = Field(
        MAX_SCORE_DIFFERENCE,
        ge=0,
        le=1,
        description="largest difference of a score of a variant that is used",
    )
    int8_on_pull: bool = Field(
        False, description="emoscope models pull makes the int8 variant as well"
    )
    resume: bool = Field(
        True,
        description="emoscope recognize goes on where it broke off in a recording of two minutes "
        "or more; what is known so far waits in the cache, a week at most",
    )
    language: LanguageChoice = Field(
        "auto", description="language of the terminal: zh, en, or auto (from LANG)"
    )
    heads: tuple[str, ...] = Field(
        (), description="names of heads whose answers every result has, as a JSON list"
    )
    text_model: Path | None = Field(
        None, description="folder of a text model in ONNX, for the words of recordings"
    )
    text_labels: Path | None = Field(
        None, description="JSON file: labels of the text model to emotions"
    )
    fusion_rule: Path | None = Field(
        None, description="rule of voice and words, made by emoscope fuse fit"
    )
    utterance_rules: Annotated[UtteranceRules, BeforeValidator(rules_of)] = Field(
        UTTERANCE_RULES, description="table: pauses and lengths of utterances, in seconds"
    )
    outputs: Path = Field(Path("outputs"), description="folder of the run directories")
    store: Keep = Field(
        "all",
        description="what the server keeps of a run: all; features, not the sound; none, nothing",
    )
    outputs_max_bytes: int = Field(
        0,
        ge=0,
        description="the server deletes the oldest runs above this; jobs count as well, and are "
        "refused when they alone are more; 0 for no bound",
    )
    outputs_keep_days: float = Field(
        0.0, ge=0, description="the server deletes runs and ended jobs after so many days; 0: never"
    )
    outputs_lock_wait_s: float = Field(
        0.0,
        ge=0,
        description="seconds that a starting server waits for another one to leave the folder",
    )
    search: bool = Field(True, description="the server keeps vectors of its runs, for searches")
    host: str = Field("127.0.0.1", description="address the server listens on")
    port: int = Field(7860, ge=0, le=65535, description="port of the page and the API")
    allowed_hosts: tuple[str, ...] = Field(
        (), description="further Host names the server answers to, as a JSON list"
    )
    log: LogForm = Field(
        "off", description="a line for each request; off leaves warnings and errors"
    )
    log_client: bool = Field(
        False, description="lines of the log have the address of the client as well"
    )
    audit_log: Path | None = Field(
        None, description="file of who read, changed or deleted which run; none by default"
    )
    keys: Path = Field(
        Path("emoscope-keys.json"),
        validate_default=True,
        description="file of the API keys, by default in the current folder; see emoscope keys",
    )
    open: bool = Field(
        False, description="let everybody in who can reach the port, also from other machines"
    )
    rate_per_minute: int = Field(
        0,
        ge=0,
        description="requests a minute that change, recognize, search, export or pack, of each "
        "key or address, a sixth of them at once; 0 for no limit",
    )
    tls_cert: Path | None = Field(
        None, description="certificate (PEM); with it the server is https"
    )
    tls_key: Path | None = Field(None, description="private key of the certificate (PEM)")
    root_path: str = Field(
        "", pattern=r"^(/[A-Za-z0-9._-]+)*$", description="path that a proxy puts before ours"
    )
    upload_max_bytes: int = Field(
        UPLOAD.max_bytes or 0, ge=1_000, description="largest upload in bytes"
    )
    upload_max_duration_s: float = Field(
        UPLOAD.max_duration_s, gt=0, description="longest upload in seconds of sound"
    )
    max_duration_s: float = Field(
        COMMAND_LINE.max_duration_s, gt=0, description="longest recording on the command line in s"
    )
    queue_size: int = Field(64, ge=1, description="requests that may wait before 503 is answered")
    requests_at_once: int = Field(
        4, ge=1, le=64, description="requests in work at once: decoding, in the model, writing"
    )
    decoders: int = Field(2, ge=1, le=64, description="decoding processes of the server")
    decode_deadline_s: float = Field(
        20.0, gt=0, description="seconds that decoding one recording may take on the server"
    )
    deadline_s: float = Field(
        120.0, gt=0, description="seconds that a request may wait and work before 504 is answered"
    )
    uploads_at_once: int = Field(256, ge=1, description="bodies that are received at once")
    uploads_max_bytes: int = Field(
        2_000_000_000,
        ge=1_000,
        description="bytes of all bodies together that are received or in work, in files of the "
        "temporary folder; above this 503 is answered",
    )
    upload_grace_s: float = Field(
        10.0,
        gt=0,
        description="seconds for which an upload may pause; its rate is counted over them",
    )
    upload_min_bytes_per_s: float = Field(
        8_000.0, gt=0, description="rate that an upload must keep up, over the last seconds"
    )
    request_max_files: int = Field(
        32, ge=1, le=1_000, description="recordings in one request to /v1/recognitions"
    )
    request_max_bytes: int = Field(
        50_000_000, ge=1_000, description="largest body of a request to /v1/recognitions in bytes"
    )
    job_max_files: int = Field(500, ge=1, le=10_000, description="recordings in one job")
    job_max_bytes: int = Field(
        500_000_000, ge=1_000, description="largest body of a request to /v1/jobs in bytes"
    )
    jobs_waiting: int = Field(100, ge=1, description="jobs that may wait before 503 is answered")
    streams_at_once: int = Field(8, ge=0, le=1_000, description="live streams at once")
    stream_max_duration_s: float = Field(
        3_600.0, gt=0, description="longest live stream in seconds of sound"
    )
    stream_idle_s: float = Field(
        30.0, gt=0, description="seconds after which a live stream that sends nothing is ended"
    )
    stream_grace_s: float = Field(
        15.0, ge=0, description="seconds in which a lost live stream may be resumed"
    )
    drain_s: float = Field(
        15.0, ge=0, description="seconds to finish accepted requests in when the server is stopped"
    )

    abstain_min_duration_s: float = Field(
        ABSTENTION_THRESHOLDS.min_duration_s,
        ge=0,
        description="no emotion is claimed for a shorter recording, in s",
    )
    abstain_min_snr_db: float = Field(
        ABSTENTION_THRESHOLDS.min_snr_db,
        description="no emotion is claimed in more noise than this, in dB",
    )
    abstain_max_clipped_share: float = Field(
        ABSTENTION_THRESHOLDS.max_clipped_share,
        ge=0,
        le=1,
        description="nor where more than this share is clipped",
    )
    abstain_min_bandwidth_hz: float = Field(
        ABSTENTION_THRESHOLDS.min_bandwidth_hz,
        ge=0,
        description="nor where the sound ends below this, in Hz",
    )
    abstain_min_margin: float = Field(
        ABSTENTION_THRESHOLDS.min_margin,
        ge=0,
        le=1,
        description="nor where the first score leads by less; 0 is off",
    )

    @property
    def thresholds(self) -> AbstentionThresholds:
        """When no emotion is claimed."""
        return AbstentionThresholds(
            self.abstain_min_duration_s,
            self.abstain_min_snr_db,
            self.abstain_max_clipped_share,
            self.abstain_min_bandwidth_hz,
            self.abstain_min_margin,
        )

    @property
    def agreement_thresholds(self) -> AgreementThresholds:
        """What an int8 variant has to reach."""
        return AgreementThresholds(self.int8_min_cosine, self.int8_max_score_difference)

    @property
    def upload_limits(self) -> Limits:
        """Limits of the server's recordings."""
        return Limits(self.upload_max_bytes, self.upload_max_duration_s, PADDING_S)

    @property
    def file_limits(self) -> Limits:
        """Limits of the command line's recordings."""
        return Limits(max_duration_s=self.max_duration_s)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not a source of ours
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of the sources of settings: arguments, environment, file.

        Args:
            settings_cls: this class.
            init_settings: arguments of the constructor.
            env_settings: variables of the environment.
            dotenv_settings: not a source here.
            file_secret_settings: not a source here.
        """
        old_env = {
            name: value for name in RENAMED if (value := os.environ.get(f"EMOSCOPE_{name.upper()}"))
        }
        toml = read_settings_file(Path(FILE))
        return (
            init_settings,
            env_settings,
            InitSettingsSource(settings_cls, _with_new_names(old_env)),
            InitSettingsSource(settings_cls, _with_new_names(toml)),
        )

    @field_validator("precision", mode="before")
    @classmethod
    def _int8(cls, value: object) -> object:
        if value != OLD_PRECISION:
            return value
        _warn_of_old_name(f"precision {OLD_PRECISION}", "int8")
        return "int8"

    @field_validator(
        "model",
        "outputs",
        "keys",
        "tls_cert",
        "tls_key",
        "audit_log",
        "text_model",
        "text_labels",
        "fusion_rule",
        mode="before",
    )
    @classmethod
    def _not_empty(cls, value: object) -> object:
        if isinstance(value, str) and not value.strip():
            raise ValueError("empty; the current folder is written as a dot")
        return value

    @field_validator("keys")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.absolute()


def _with_new_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give settings under their old names those of today; where both are given, today's counts."""
    new = {name: value for name, value in values.items() if name not in RENAMED}
    for name in values.keys() & RENAMED.keys():
        _warn_of_old_name(name, RENAMED[name])
        new.setdefault(RENAMED[name], values[name])
    return new


def _warn_of_old_name(old: str, new: str) -> None:
    """Warn those who run the program, who do not see a ``DeprecationWarning``."""
    texts = (RENAMED_TEXT("zh", old=old, new=new), RENAMED_TEXT("en", old=old, new=new))
    warnings.warn(" · ".join(texts), FutureWarning, stacklevel=2)


def load_settings(**arguments: Any) -> Settings:
    """Read the settings; an argument of None counts as not given.

    Raises:
        SettingError: a value cannot be used, or ``emoscope.toml`` names an unknown setting.
        SettingsFileError: ``emoscope.toml`` cannot be read.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        return Settings(**_with_new_names(given))
    except ValidationError as exc:
        first = exc.errors()[0]
        setting = ".".join(str(part) for part in first["loc"]) or "?"
        raise SettingError(
            "setting_invalid", setting=setting, reason=first["msg"].removeprefix("Value error, ")
        ) from exc
    except SettingsFileError:
        raise
    except ValueError as exc:  # a JSON list that is no JSON
        raise SettingError("setting_invalid", setting="EMOSCOPE_*", reason=str(exc)) from exc


def language_of(setting: str) -> Literal["zh", "en"]:
    """Return ``zh`` or ``en``; ``auto`` follows the machine's language."""
    if setting == "zh" or setting == "en":
        return setting  # type: ignore[return-value]  # narrowed by the comparison
    spoken = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
    )
    return "zh" if spoken.lower().startswith("zh") else "en"
