"""Every error that Emoscope raises, each with a stable code and a sentence in both languages.

* EmoscopeError
  - InputError
    + AudioError (ValueError)               the sound itself
      x AudioEmptyFileError                 audio_empty_file
      x AudioNotRecognizedError             audio_not_recognized
      x AudioPlaylistError                  audio_playlist
      x AudioCodecRefusedError              audio_codec_refused
      x AudioDamagedError                   audio_damaged
      x AudioNoStreamError                  audio_no_stream
      x AudioNoSamplesError                 audio_no_samples
      x AudioTooShortError                  audio_too_short
      x AudioSilentError                    audio_silent
      x AudioTooLongError                   audio_too_long
      x AudioTooLargeError                  audio_too_large
      x AudioTooManyChannelsError           audio_too_many_channels
      x AudioChannelsChangeError            audio_channels_change
      x AudioRateError                      audio_rate_out_of_range
      x AudioNotFiniteError                 audio_not_finite
    + SourceNotFoundError (FileNotFoundError)   source_not_found
    + SourceUnreadableError (OSError)           source_unreadable
    + SourceNothingFoundError (FileNotFoundError) source_nothing_found
      x NothingRecognizedError              nothing_recognized
    + ListMalformedError (ValueError)           list_malformed
    + LabelUnknownError (ValueError)        label_unknown
    + SegmentsMissingError (ValueError)     segments_missing
    + ChannelsMismatchError (ValueError)    channels_mismatch
    + MicrophoneError (OSError)             microphone_unavailable
    + RequestError (ValueError)             the question around the sound
      x FieldMissingError                   field_missing
      x TooManyFilesError                   too_many_files
      x RequestMalformedError               request_malformed
      x FormBrokenOffError                  form_broken_off
      x LengthMissingError                  length_required
      x RangeRefusedError                   range_refused
      x GranularityError                    granularity_invalid
      x BooleanError                        boolean_invalid
      x NameRefusedError                    name_refused
      x TitleRefusedError                   title_refused
      x CorrectionRefusedError              correction_refused
      x HostRefusedError                    host_refused
      x OriginRefusedError                  origin_refused
      x RouteNotFoundError                  route_not_found
      x MethodNotAllowedError               method_not_allowed
      x KeyRequiredError (PermissionError)  key_required
      x ScopeMissingError (PermissionError) scope_missing
      x FieldInvalidError                   field_invalid
      x RequestTooLargeError                request_too_large
      x IdempotencyError                    idempotency_conflict
      x JobNotFoundError                    job_not_found
      x JobStateError                       job_state
      x StreamMessageError                  stream_message
      x StreamIdleError (TimeoutError)      stream_idle
      x StreamNotFoundError (LookupError)   stream_not_found
  - ModelError
    + ModelUnknownError (LookupError)       model_unknown
    + ModelNotInstalledError (FileNotFoundError) model_not_installed
    + ModelFileMissingError (FileNotFoundError)  model_file_missing
    + ModelChangedError (ValueError)        model_changed
    + ModelContractError (ValueError)       model_contract
    + ModelFastMissingError (FileNotFoundError)  model_fast_missing
    + ModelFastRefusedError (ValueError)    model_fast_refused
    + ModelRunError (RuntimeError)          model_run_failed
    + DeviceUnavailableError (RuntimeError) device_unavailable
    + CheckpointError (ValueError)          official weights
      x CheckpointDamagedError              checkpoint_damaged
      x CheckpointRefusedError              checkpoint_refused
      x CheckpointTensorsError              checkpoint_tensors
    + ModelConfigError (ValueError)         model_config
    + TokensHiddenError (ValueError)        tokens_hidden
    + TokensCountError (ValueError)         tokens_count
    + ModelPullError (ConnectionError)      model_pull_failed
    + ModelCacheError (OSError)             model_cache_failed
      x CacheFolderUnknownError             cache_folder_unknown
    + ModelDiskFullError (OSError)          model_disk_full
    + ModelBusyError (TimeoutError)         model_busy
    + ModelBuiltInError (ValueError)        model_built_in
    + HubError (OSError)                    one hub would not give one file
      x HubNotFoundError (FileNotFoundError)  hub_not_found
      x HubRefusedError (PermissionError)     hub_refused
      x HubBusyError (ConnectionError)        hub_busy
      x HubUnreachableError (ConnectionError) hub_unreachable
      x HubAnswerError (ValueError)           hub_answer_refused
      x HubFileChangedError (ValueError)      hub_file_changed
  - StoreError (OSError)                    store_failed
    + StoreFullError                        store_full
    + RunNotFoundError                      run_not_found
    + RunDamagedError                       run_damaged
  - DecoderError (RuntimeError)             the process that decodes for a server
    + DecoderCrashedError                   decoder_crashed
    + DecoderTimeoutError (TimeoutError)    decoder_timeout
  - ServiceError (RuntimeError)             a server that will not do it now
    + BusyError                             server_busy
    + ServerClosingError                    server_closing
    + RateError                             rate_limited
    + DeadlineError (TimeoutError)          deadline_exceeded
    + UploadSlowError (TimeoutError)        upload_too_slow
    + StreamUnreachableError (ConnectionError)  stream_unreachable
    + StreamRefusedError                    stream_refused
    + CancelledError                        cancelled
  - EngineClosedError (RuntimeError)        engine_closed
  - ClientError (RuntimeError)              what a client met
    + RequestFailedError                    request_failed
    + ServerUnreachableError (ConnectionError) server_unreachable
  - SettingError (ValueError)               setting_invalid
    + ArgumentEmptyError                    argument_empty
    + SettingsFileError                     settings_file
  - ExtraMissingError (ImportError)         extra_missing
  - InternalError (RuntimeError)            internal

Each is also the standard error of its kind, so ``except FileNotFoundError`` is right without
having read this page. Codes never change meaning; faces turn them into exit codes and HTTP
statuses by one table each.
"""

from __future__ import annotations

from string import Formatter
from typing import ClassVar


class EmoscopeError(Exception):
    """The root. A subclass states a code and one sentence per language with named gaps.

    Args:
        **data: exactly the values that the two sentences name; a missing or a surplus one is a
            ``TypeError``, so a misspelt name cannot pass unseen.
    """

    code: ClassVar[str] = ""
    zh: ClassVar[str] = ""
    en: ClassVar[str] = ""

    def __init__(self, **data: object) -> None:
        gaps = self.gaps()
        if gaps != data.keys():
            raise TypeError(f"{type(self).__name__} takes {sorted(gaps)}, not {sorted(data)}")
        self.data = data
        super().__init__(self.en.format(**data))

    @classmethod
    def gaps(cls) -> set[str]:
        """Names of the values that the sentences need."""
        parts = [*Formatter().parse(cls.zh), *Formatter().parse(cls.en)]
        return {name for _, name, _, _ in parts if name}

    @property
    def detail_zh(self) -> str:
        """The sentence in Chinese."""
        return self.zh.format(**self.data)

    @property
    def detail_en(self) -> str:
        """The sentence in English."""
        return self.en.format(**self.data)

    def __reduce__(self) -> tuple[object, ...]:
        # The default would call the class with the finished sentence as its only argument.
        return _rebuild, (type(self), self.data)


def _rebuild(kind: type[EmoscopeError], data: dict[str, object]) -> EmoscopeError:
    return kind(**data)


class InputError(EmoscopeError):
    """What was given cannot be used; the same input will fail again."""


class AudioError(InputError, ValueError):
    """The sound cannot be used."""


class AudioEmptyFileError(AudioError):
    """Zero bytes."""

    code = "audio_empty_file"
    zh = "文件是空的（0 字节）。请重新录音或重新导出。"
    en = "The file is empty (0 bytes). Record or export it again."


class AudioNotRecognizedError(AudioError):
    """No accepted format fits these bytes."""

    code = "audio_not_recognized"
    zh = "无法识别这个文件：它的内容不是受支持的音频格式（WAV、MP3、M4A、FLAC、OGG、Opus、WebM、AAC、AMR）。"  # noqa: E501 - one sentence
    en = (
        "This file is not audio in a supported format "
        "(WAV, MP3, M4A, FLAC, OGG, Opus, WebM, AAC, AMR)."
    )


class AudioPlaylistError(AudioError):
    """A playlist or stream description: it names sound elsewhere, which is never fetched."""

    code = "audio_playlist"
    zh = "这是播放列表或流描述文件，不含声音。出于安全考虑，系统不会去读取它指向的地址。"
    en = (
        "This is a playlist or stream description and holds no sound. "
        "The addresses it names are never opened."
    )


class AudioCodecRefusedError(AudioError):
    """The container is accepted, the codec inside is not."""

    code = "audio_codec_refused"
    zh = "不接受音频编码 {codec}。请转换为 WAV、MP3、M4A、FLAC 或 OGG。"
    en = "Sound coded as {codec} is not accepted. Convert to WAV, MP3, M4A, FLAC or OGG."


class AudioDamagedError(AudioError):
    """The format is known, but decoding fails."""

    code = "audio_damaged"
    zh = "音频文件已损坏或不完整，无法解码。请重新传输或重新导出。"
    en = (
        "The audio file is damaged or incomplete and cannot be decoded. "
        "Transfer or export it again."
    )


class AudioNoStreamError(AudioError):
    """A media file without a sound track."""

    code = "audio_no_stream"
    zh = "文件里没有音轨。"
    en = "The file has no sound track."


class AudioNoSamplesError(AudioError):
    """A valid header with nothing behind it."""

    code = "audio_no_samples"
    zh = "音频里没有任何采样点，长度为 0 秒。"
    en = "The recording holds no samples: it is 0 seconds long."


class AudioTooShortError(AudioError):
    """Shorter than ``Limits.min_duration_s``."""

    code = "audio_too_short"
    zh = "录音只有 {duration_s:.3f} 秒，至少需要 {min_duration_s:g} 秒；建议 3–10 秒。"
    en = (
        "The recording lasts {duration_s:.3f} s; at least {min_duration_s:g} s are needed "
        "and 3-10 s are best."
    )


class AudioSilentError(AudioError):
    """Nothing above the level of digital silence."""

    code = "audio_silent"
    zh = "录音是静音（最大电平 {peak_dbfs:.0f} dBFS），没有可以识别的声音。请检查麦克风。"
    en = "The recording is silent (peak {peak_dbfs:.0f} dBFS). Check the microphone."


class AudioTooLongError(AudioError):
    """Longer than ``Limits.max_duration_s``."""

    code = "audio_too_long"
    zh = "录音超过了 {max_duration_s:g} 秒的上限。请裁剪，或在命令行/设置里提高上限。"
    en = (
        "The recording is longer than the limit of {max_duration_s:g} s. "
        "Cut it, or raise the limit in the settings."
    )


class AudioTooLargeError(AudioError):
    """More bytes than ``Limits.max_bytes``."""

    code = "audio_too_large"
    zh = "文件超过了 {max_bytes} 字节的上限。请压缩或裁剪。"
    en = "The file is larger than the limit of {max_bytes} bytes. Compress or cut it."


class AudioTooManyChannelsError(AudioError):
    """More channels than ``Limits.max_channels``."""

    code = "audio_too_many_channels"
    zh = "录音有 {channels} 个声道，最多接受 {max_channels} 个。"
    en = "The recording has {channels} channels; at most {max_channels} are accepted."


class AudioChannelsChangeError(AudioError):
    """Channels were to be kept apart, and there are not the same ones throughout."""

    code = "audio_channels_change"
    zh = "录音的声道数中途从 {before} 变为 {after}，无法分声道识别。请合并声道后识别（--channels mix）。"  # noqa: E501 - one sentence
    en = (
        "The recording goes from {before} channels to {after} on the way, so they cannot be told "
        "apart. Recognize it with the channels mixed (--channels mix)."
    )


class AudioRateError(AudioError):
    """A sample rate outside the limits."""

    code = "audio_rate_out_of_range"
    zh = "采样率 {rate_hz} Hz 不在 {min_rate_hz}–{max_rate_hz} Hz 的范围内。"
    en = "A sample rate of {rate_hz} Hz is outside {min_rate_hz}-{max_rate_hz} Hz."


class AudioNotFiniteError(AudioError):
    """NaN or infinity among the samples."""

    code = "audio_not_finite"
    zh = "音频数据含有无效数值（NaN 或无穷大）。请重新导出。"
    en = "The sound holds invalid numbers (NaN or infinity). Export it again."


class SourceNotFoundError(InputError, FileNotFoundError):
    """No file at this path."""

    code = "source_not_found"
    zh = "找不到文件：{name}"
    en = "No such file: {name}"


class SourceUnreadableError(InputError, OSError):
    """The system refuses to read the file."""

    code = "source_unreadable"
    zh = "无法读取 {name}：{reason}"
    en = "Cannot read {name}: {reason}"


class SourceNothingFoundError(InputError, FileNotFoundError):
    """A folder or list without a single recording."""

    code = "source_nothing_found"
    zh = "{name} 里没有找到音频文件。"
    en = "No audio files were found in {name}."


class NothingRecognizedError(SourceNothingFoundError):
    """A labelled list of which no recording could be recognized, so that there are no figures."""

    code = "nothing_recognized"
    zh = "列表中的 {count} 条录音都未能识别，因此没有任何指标。"
    en = "None of the {count} recordings of the list could be recognized, so there are no figures."


class ListMalformedError(InputError, ValueError):
    """A line of a wav.scp or CSV list that cannot be read; the other lines can."""

    code = "list_malformed"
    zh = "列表 {name} 第 {line} 行无法读取：{reason_zh}。"
    en = "Line {line} of the list {name} cannot be read: {reason_en}."


class LabelUnknownError(InputError, ValueError):
    """A label word of a list that is none of the nine emotions."""

    code = "label_unknown"
    zh = "标签 {word!r} 无法对应到九种情绪（{known}）。请在列表里改写它，或去掉这些行。"
    en = "The label {word!r} is none of the nine ({known}). Rename it in the list or drop its rows."


class SegmentsMissingError(InputError, ValueError):
    """A result without a time axis, where one is needed."""

    code = "segments_missing"
    zh = "{name} 的结果没有时间轴。请用逐帧模式（granularity=frame）重新识别。"
    en = "The result of {name} has no time axis. Recognize it again with granularity=frame."


class ChannelsMismatchError(InputError, ValueError):
    """Results that were to stand side by side, and are not of one recording's channels."""

    code = "channels_mismatch"
    zh = "这些结果不是同一段录音的不同声道，不能放在一起：{names}。"
    en = "These results are not the channels of one recording and cannot stand together: {names}."


class MicrophoneError(InputError, OSError):
    """There is no microphone, or it cannot be opened."""

    code = "microphone_unavailable"
    zh = "无法使用麦克风：{reason}"
    en = "The microphone cannot be used: {reason}"


class RequestError(InputError, ValueError):
    """The question around the sound cannot be used."""


class FieldMissingError(RequestError):
    """A required form field is absent."""

    code = "field_missing"
    zh = "缺少字段 {field}。"
    en = "The field {field} is missing."


class TooManyFilesError(RequestError):
    """More than one file where one is expected."""

    code = "too_many_files"
    zh = "字段 {field} 里有多个文件；一次请求只接受一个。"
    en = "The field {field} holds several files; a request takes one."


class RequestMalformedError(RequestError):
    """The body is not what its headers say."""

    code = "request_malformed"
    zh = "请求无法读取，应为：{expected}。"
    en = "The request cannot be read; expected: {expected}."


class FormBrokenOffError(RequestError):
    """A multipart form without its last boundary."""

    code = "form_broken_off"
    zh = "表单不完整：没有收到结尾的分隔行，录音可能被截断，因此没有处理。请重新发送。"
    en = (
        "The form is incomplete: its last boundary did not come, so a recording may be cut off. "
        "Nothing was recognized. Send it again."
    )


class LengthMissingError(RequestError):
    """An upload of the page without ``Content-Length``."""

    code = "length_required"
    zh = "请求缺少 Content-Length 头。"
    en = "The request has no Content-Length header."


class RangeRefusedError(RequestError):
    """A ``Range`` header that names no part of the file."""

    code = "range_refused"
    zh = "Range 头没有指向文件中的任何部分；文件共 {size} 字节，应为 bytes=起-止。"
    en = "The Range header names no part of the file, which has {size} bytes: bytes=FIRST-LAST."


class GranularityError(RequestError):
    """Neither ``utterance`` nor ``frame``."""

    code = "granularity_invalid"
    zh = "granularity 只能是 utterance 或 frame，而不是 {value!r}。"
    en = "granularity is utterance or frame, not {value!r}."


class BooleanError(RequestError):
    """Not one of the accepted words for yes and no."""

    code = "boolean_invalid"
    zh = "{field} 只接受 true/false/1/0/on/off/yes/no，而不是 {value!r}。"
    en = "{field} takes true/false/1/0/on/off/yes/no, not {value!r}."


class NameRefusedError(RequestError):
    """A name that could pass for a path, is not shown as it is, or is far too long."""

    code = "name_refused"
    zh = "文件名含有路径（/ 或 \\）、控制字符或改变文字方向的字符，或超过 255 个字符，已拒绝。请只使用普通文件名。"  # noqa: E501 - one sentence
    en = (
        "The file name holds a path (/ or \\), control characters or characters that override the "
        "direction of text, or has more than 255 characters, and was refused. Use a plain name."
    )


class TitleRefusedError(RequestError):
    """A title of a run that cannot be shown on one line."""

    code = "title_refused"
    zh = "标题最多 {limit} 个字，不能含有控制字符或改变文字方向的字符。"
    en = (
        "A title has up to {limit} characters, and none that are control characters or override "
        "the direction of text."
    )


class CorrectionRefusedError(RequestError):
    """Corrected segments that do not cover the recording."""

    code = "correction_refused"
    zh = "更正没有保存：各段须首尾相接、覆盖整段录音，每段不短于 {minimum_s} 秒，情绪须是九类之一。"
    en = (
        "The correction was not saved: segments follow each other without gap or overlap, cover "
        "the whole recording, last {minimum_s} s or more each, and carry one of the nine emotions."
    )


class HostRefusedError(RequestError):
    """The Host header names a machine that this server is not."""

    code = "host_refused"
    zh = "Host 头不在允许的名单里。请用 --allow-host 或 EMOSCOPE_ALLOWED_HOSTS 添加。"
    en = "The Host header is not on the list. Add it with --allow-host or EMOSCOPE_ALLOWED_HOSTS."


class OriginRefusedError(RequestError):
    """A page of another site tries to use this server through its visitor's browser."""

    code = "origin_refused"
    zh = "拒绝来自其他网站页面的请求。"
    en = "Requests from pages of other sites are refused."


class RouteNotFoundError(RequestError):
    """No such address on this server."""

    code = "route_not_found"
    zh = "没有这个地址。"
    en = "There is nothing at this address."


class MethodNotAllowedError(RequestError):
    """The address exists, but not for this HTTP method."""

    code = "method_not_allowed"
    zh = "这个地址不支持该 HTTP 方法。"
    en = "This address does not take that HTTP method."


class KeyRequiredError(RequestError, PermissionError):
    """No key, or one that the server does not know."""

    code = "key_required"
    zh = "需要有效的 API 密钥：用 X-API-Key 或 Authorization: Bearer 发送；浏览器中填在密码一栏。"
    en = (
        "A valid API key is needed: send it as X-API-Key or Authorization: Bearer; "
        "in a browser it is the password."
    )


class ScopeMissingError(RequestError, PermissionError):
    """The key may not do this."""

    code = "scope_missing"
    zh = "这个密钥没有 {scope} 权限。"
    en = "This key has no right to {scope}."


class FieldInvalidError(RequestError):
    """A parameter that is not what it should be."""

    code = "field_invalid"
    zh = "参数 {field} 无效，应为：{expected}。"
    en = "The parameter {field} is not valid; expected: {expected}."


class RequestTooLargeError(RequestError):
    """A body with several recordings that is too large as a whole."""

    code = "request_too_large"
    zh = "请求超过了 {max_bytes} 字节的上限。请把录音分几次提交；/v1/jobs 一次可收得更多。"
    en = (
        "The request is larger than the limit of {max_bytes} bytes. Send the recordings in several "
        "requests; /v1/jobs takes more at once."
    )


class IdempotencyError(RequestError):
    """The key of an earlier request with another content."""

    code = "idempotency_conflict"
    zh = "这个 Idempotency-Key 已用于另一个内容不同的请求。"
    en = "This Idempotency-Key belongs to an earlier request with another content."


class JobNotFoundError(RequestError):
    """No such job, or somebody else's."""

    code = "job_not_found"
    zh = "没有任务 {job}。"
    en = "There is no job {job}."


class JobStateError(RequestError):
    """The job is not in a state in which this can be done."""

    code = "job_state"
    zh = "任务处于 {state} 状态，不能这样操作。"
    en = "The job is {state}; this cannot be done now."


class StreamMessageError(RequestError):
    """A message of a live stream is not what the protocol expects at this point."""

    code = "stream_message"
    zh = "实时流消息不符合约定，应为：{expected}。"
    en = "A message of the live stream is not what was agreed; expected: {expected}."


class StreamIdleError(RequestError, TimeoutError):
    """A live stream is open and sends nothing."""

    code = "stream_idle"
    zh = "实时流超过 {seconds:g} 秒没有数据，已结束；收到的部分已保存。"
    en = "The live stream sent nothing for {seconds:g} s and was ended; what came was kept."


class StreamNotFoundError(RequestError, LookupError):
    """There is no live stream to resume under this name."""

    code = "stream_not_found"
    zh = "找不到可以继续的实时流：它已结束，或超过了重连时限。"
    en = "There is no live stream to resume: it has ended, or the time to return is over."


class ModelError(EmoscopeError):
    """A model cannot be used."""


class ModelUnknownError(ModelError, LookupError):
    """Neither a catalogued name nor a folder."""

    code = "model_unknown"
    zh = "没有名为 {model} 的模型。可用：{known}；也可以给出本地文件夹。"
    en = "There is no model named {model}. Known: {known}; a local folder works as well."


class ModelNotInstalledError(ModelError, FileNotFoundError):
    """Catalogued, but its files are not on this machine."""

    code = "model_not_installed"
    zh = "模型 {model} 不在这台机器上。运行 {command} 获取。"
    en = "The model {model} is not on this machine. Fetch it with: {command}"


class ModelFileMissingError(ModelError, FileNotFoundError):
    """A model folder lacks one of its files."""

    code = "model_file_missing"
    zh = "模型文件夹缺少文件 {file}。"
    en = "The model folder lacks the file {file}."


class ModelChangedError(ModelError, ValueError):
    """A model file is not the one its card describes."""

    code = "model_changed"
    zh = "模型文件 {file} 与其说明卡不符（sha256 不一致）：文件损坏或被改动。"
    en = "The model file {file} is not the one its card describes (sha256 differs)."


class ModelContractError(ModelError, ValueError):
    """A model file does not follow the house contract."""

    code = "model_contract"
    zh = "模型文件不符合约定：{reason_zh}"
    en = "The model file does not follow the contract: {reason_en}"


class ModelFastMissingError(ModelError, FileNotFoundError):
    """A fast answer was asked for, and the model has no variant for it."""

    code = "model_fast_missing"
    zh = "模型 {model} 没有快速版本。运行 {command} 制作，或使用 --precision exact。"
    en = "The model {model} has no fast variant. Make it with: {command}, or use --precision exact."


class ModelFastRefusedError(ModelError, ValueError):
    """The fast variant does not say what the exact model says."""

    code = "model_fast_refused"
    zh = "模型 {model} 的快速版本与精确版本不一致（{figures}），不会使用。请用 --precision exact。"
    en = (
        "The fast variant of {model} does not agree with the exact model ({figures}) "
        "and is not used. Use --precision exact."
    )


class ModelRunError(ModelError, RuntimeError):
    """The runtime failed in the middle of a run."""

    code = "model_run_failed"
    zh = "模型运行失败：{reason}"
    en = "The model failed while running: {reason}"


class DeviceUnavailableError(ModelError, RuntimeError):
    """The device that was asked for cannot run the model."""

    code = "device_unavailable"
    zh = "无法在 {device} 上运行：{reason_zh}。请检查安装，或使用 --device cpu。"
    en = "{device} cannot be used: {reason_en}. Check the installation, or use --device cpu."


class CheckpointError(ModelError, ValueError):
    """A file of official weights cannot be used."""


class CheckpointDamagedError(CheckpointError):
    """Not the format it should be, cut off, or changed."""

    code = "checkpoint_damaged"
    zh = "权重文件 {file} 无法读取：{reason_zh}。请重新下载。"
    en = "The weights file {file} cannot be read: {reason_en}. Download it again."


class CheckpointRefusedError(CheckpointError):
    """Its pickle asks for more than tensors and plain containers."""

    code = "checkpoint_refused"
    zh = "已拒绝权重文件 {file}：其中含有 {what}，可能执行任意代码。没有运行任何内容；请从官方来源重新获取。"  # noqa: E501 - one sentence
    en = (
        "The weights file {file} was refused: it holds {what}, which is more than tensors and "
        "could run code. Nothing was run. Fetch the file from the official source."
    )


class CheckpointTensorsError(CheckpointError):
    """Tensors that the network does not have, lacks, or has in another shape."""

    code = "checkpoint_tensors"
    zh = "权重文件 {file} 与网络结构不符：{reason_zh}"
    en = "The weights file {file} does not fit the network: {reason_en}"


class ModelConfigError(ModelError, ValueError):
    """A ``config.yaml`` that describes another network than the one built here."""

    code = "model_config"
    zh = "config.yaml 中的 {setting} 不受支持：{reason_zh}"
    en = "The setting {setting} in config.yaml is not supported: {reason_en}"


class TokensHiddenError(ModelError, ValueError):
    """A ``tokens.txt`` that hides classes as ``unuse_*``: same weights, fewer emotions."""

    code = "tokens_hidden"
    zh = "tokens.txt 隐藏了 {count} 个类别（{labels}）：原版工具不会给出这些情绪。Emoscope 按位置对应类别，九种都会给出，两者的结果不能直接比较。"  # noqa: E501 - one sentence
    en = (
        "tokens.txt hides {count} classes ({labels}), which the original would never answer. "
        "Emoscope takes classes by their place and answers all nine: do not compare the two."
    )


class TokensCountError(ModelError, ValueError):
    """A ``tokens.txt`` with another number of classes than nine."""

    code = "tokens_count"
    zh = "tokens.txt 有 {count} 个类别，应为 9 个：{labels}。Emoscope 按位置对应类别，不使用这些名称。"  # noqa: E501 - one sentence
    en = (
        "tokens.txt names {count} classes, not nine: {labels}. "
        "Emoscope takes classes by their place and does not use these names."
    )


class ModelPullError(ModelError, ConnectionError):
    """No hub gave the files of a model."""

    code = "model_pull_failed"
    zh = "没能获取 {model}。{said_zh}"
    en = "Could not fetch {model}. {said_en}"


class ModelCacheError(ModelError, OSError):
    """The folder for fetched models cannot be read or written."""

    code = "model_cache_failed"
    zh = "模型缓存目录无法读写：{reason}。可用 EMOSCOPE_CACHE 指定别的目录。"
    en = "The model cache cannot be used: {reason}. EMOSCOPE_CACHE names another folder."


class CacheFolderUnknownError(ModelCacheError):
    """The user has no home folder, and no other folder for models is named."""

    code = "cache_folder_unknown"
    zh = "不知道当前用户的主目录，模型没有地方存放。请用环境变量 EMOSCOPE_CACHE 指定一个文件夹。"
    en = (
        "The home folder of this user is not known, so models have no place. Name a folder in the "
        "environment variable EMOSCOPE_CACHE."
    )


class ModelDiskFullError(ModelError, OSError):
    """The disk has no room for a model; nothing was written."""

    code = "model_disk_full"
    zh = "磁盘空间不足：还需要约 {needed_mb:.0f} MB，只剩 {free_mb:.0f} MB。可用 EMOSCOPE_CACHE 指定别的磁盘。"  # noqa: E501 - one sentence
    en = (
        "The disk is too full: about {needed_mb:.0f} MB are needed and {free_mb:.0f} MB are free. "
        "EMOSCOPE_CACHE names another disk."
    )


class ModelBusyError(ModelError, TimeoutError):
    """Another process is fetching or removing this model."""

    code = "model_busy"
    zh = "模型 {model} 正被另一个进程获取或删除（{holder}）。"
    en = "The model {model} is being fetched or removed by another process ({holder})."


class ModelBuiltInError(ModelError, ValueError):
    """A model inside the package cannot be removed."""

    code = "model_built_in"
    zh = "{model} 随软件自带，不能删除。"
    en = "{model} ships inside the package and cannot be removed."


class HubError(ModelError, OSError):
    """One hub would not give one file."""


class HubNotFoundError(HubError, FileNotFoundError):
    """HTTP 404 or 410."""

    code = "hub_not_found"
    zh = "{hub} 上没有 {file}（修订 {revision}）。"
    en = "{hub} has no {file} at revision {revision}."


class HubRefusedError(HubError, PermissionError):
    """HTTP 401 or 403."""

    code = "hub_refused"
    zh = "{hub} 拒绝提供 {file}（HTTP {status}）。请换用 --hub 的另一个来源或镜像。"
    en = "{hub} refuses to give {file} (HTTP {status}). Try the other --hub or a mirror."


class HubBusyError(HubError, ConnectionError):
    """HTTP 429, for longer than we wait."""

    code = "hub_busy"
    zh = "{hub} 请求过多（HTTP 429），要求等待 {wait_s:.0f} 秒。请稍后重试；已下载的部分会保留。"
    en = (
        "{hub} has too many requests (HTTP 429) and asks to wait {wait_s:.0f} s. "
        "Try again later; what was fetched is kept."
    )


class HubUnreachableError(HubError, ConnectionError):
    """No connection, a cut one, a silent one, or HTTP 5xx, several times in a row."""

    code = "hub_unreachable"
    zh = "无法从 {hub} 取得 {file}（{reason}；试了 {attempts} 次）。已下载的部分会保留，再次运行即可续传。"  # noqa: E501 - one sentence
    en = (
        "{hub} did not deliver {file} ({reason}; {attempts} attempts). "
        "What was fetched is kept and the next run goes on from there."
    )


class HubAnswerError(HubError, ValueError):
    """An answer that we do not accept: a web page, a compressed body, a forbidden redirect."""

    code = "hub_answer_refused"
    zh = "{hub} 对 {file} 的应答不可接受：{reason_zh}。"
    en = "The answer of {hub} for {file} is not acceptable: {reason_en}."


class HubFileChangedError(HubError, ValueError):
    """Other bytes than the catalog or the hub promised; they were thrown away."""

    code = "hub_file_changed"
    zh = "{hub} 给出的 {file} 不是应有的文件：{what} 应为 {expected}，实为 {found}。已删除。"
    en = (
        "The {file} that {hub} gave is not the expected one: {what} should be {expected} "
        "and is {found}. It was thrown away."
    )


class StoreError(EmoscopeError, OSError):
    """A run directory cannot be written or read."""

    code = "store_failed"
    zh = "无法写入结果目录：{reason}"
    en = "The results cannot be written: {reason}"


class StoreFullError(StoreError):
    """No space is left on the disk."""

    code = "store_full"
    zh = "磁盘已满，结果没有保存。请清理空间后重试。"
    en = "The disk is full and the results were not saved. Free some space and try again."


class RunNotFoundError(StoreError):
    """No such run, or no such file in it."""

    code = "run_not_found"
    zh = "找不到运行记录 {run}。"
    en = "There is no run {run}."


class RunDamagedError(StoreError):
    """A ``result.json`` that this version cannot read."""

    code = "run_damaged"
    zh = "无法读取运行记录 {run}：文件已损坏，或来自更新的版本（{reason}）。"
    en = "The run {run} cannot be read: it is damaged, or of a newer version ({reason})."


class DecoderError(EmoscopeError, RuntimeError):
    """The process that decodes for a server was lost over this recording."""


class DecoderCrashedError(DecoderError):
    """It ended: a fault in a decoder, or more memory than it may have."""

    code = "decoder_crashed"
    zh = (
        "解码这个文件时解码进程意外退出，已自动重启；其他请求不受影响。请换一种格式重新导出后再试。"
    )
    en = (
        "The decoding process ended while it read this file and was replaced; no other request "
        "was touched. Export the recording again, in another format."
    )


class DecoderTimeoutError(DecoderError, TimeoutError):
    """It took longer than it may."""

    code = "decoder_timeout"
    zh = "解码超过 {seconds:g} 秒仍未完成，已停止。文件可能已损坏，请重新导出。"
    en = (
        "Decoding took more than {seconds:g} s and was stopped. "
        "The file may be damaged; export it again."
    )


class ServiceError(EmoscopeError, RuntimeError):
    """A server will not do it, or not now; the same question may be answered another time."""


class BusyError(ServiceError):
    """As many requests wait as the server is willing to keep."""

    code = "server_busy"
    zh = "服务正忙，请在 {retry_after_s} 秒后重试。"
    en = "The server is busy; try again in {retry_after_s} s."


class ServerClosingError(ServiceError):
    """The server finishes what it has accepted and then ends."""

    code = "server_closing"
    zh = "服务正在关闭，不再接受新的请求。请在 {retry_after_s} 秒后重试。"
    en = "The server is closing and takes nothing new; try again in {retry_after_s} s."


class RateError(ServiceError):
    """One key or one address asks more often than it may."""

    code = "rate_limited"
    zh = "请求太频繁：每分钟最多 {per_minute} 次。请在 {retry_after_s} 秒后重试。"
    en = "Too many requests: {per_minute} a minute are allowed. Try again in {retry_after_s} s."


class DeadlineError(ServiceError, TimeoutError):
    """Waiting and working together took longer than a request may take."""

    code = "deadline_exceeded"
    zh = "处理超过 {seconds:g} 秒，已停止。长录音请通过 /v1/jobs 提交任务。"
    en = "It took more than {seconds:g} s and was stopped. Give long recordings to /v1/jobs."


class UploadSlowError(ServiceError, TimeoutError):
    """A body comes so slowly that it would keep a connection for ever."""

    code = "upload_too_slow"
    zh = "上传太慢（低于每秒 {bytes_per_s} 字节），已中断。"
    en = "The upload is too slow (less than {bytes_per_s} bytes a second) and was ended."


class CancelledError(ServiceError):
    """Nobody waits for the answer any more."""

    code = "cancelled"
    zh = "请求已取消。"
    en = "The request was cancelled."


class StreamUnreachableError(ServiceError, ConnectionError):
    """No server takes live sound at this address."""

    code = "stream_unreachable"
    zh = "无法连接到 {url} 的实时流：{reason}"
    en = "No live stream can be opened at {url}: {reason}"


class StreamRefusedError(ServiceError):
    """The server ended a live stream with an error of its own."""

    code = "stream_refused"
    zh = "服务器结束了实时流（{reason}）：{sentence}"
    en = "The server ended the live stream ({reason}): {sentence}"


class EngineClosedError(EmoscopeError, RuntimeError):
    """The recognizer was closed, or its process is ending."""

    code = "engine_closed"
    zh = "识别器已关闭，不再接受新的录音。"
    en = "The recognizer is closed and takes no more recordings."


class ClientError(EmoscopeError, RuntimeError):
    """A client of a server did not get what it asked for."""


class RequestFailedError(ClientError):
    """The server said no; ``data`` has its status, its code and both of its sentences."""

    code = "request_failed"
    zh = "服务器返回 {status}：{detail_zh} [{server_code}]"
    en = "The server answered {status}: {detail_en} [{server_code}]"


class ServerUnreachableError(ClientError, ConnectionError):
    """Nobody answered."""

    code = "server_unreachable"
    zh = "无法连接服务器 {host}：{reason}"
    en = "The server {host} cannot be reached: {reason}"


class SettingError(EmoscopeError, ValueError):
    """A setting from the environment or ``emoscope.toml`` cannot be used."""

    code = "setting_invalid"
    zh = "设置 {setting} 无效：{reason}"
    en = "The setting {setting} is invalid: {reason}"


class ArgumentEmptyError(SettingError):
    """An argument of the command line that is empty; as a path it would mean the current folder."""

    code = "argument_empty"
    zh = "{argument} 是空的。请给出值；如果指当前文件夹，请写 . 。"
    en = "{argument} is empty. Give a value; the current folder is written as a dot."


class SettingsFileError(SettingError):
    """``emoscope.toml`` cannot be read."""

    code = "settings_file"
    zh = "设置文件 {file} 第 {line} 行无法读取：{reason_zh}。"
    en = "Line {line} of the settings file {file} cannot be read: {reason_en}."


class ExtraMissingError(EmoscopeError, ImportError):
    """An optional package is not installed."""

    code = "extra_missing"
    zh = "缺少可选组件 {package}。安装：pip install 'emoscope[{extra}]'"
    en = "The optional package {package} is missing. Install it: pip install 'emoscope[{extra}]'"


class InternalError(EmoscopeError, RuntimeError):
    """A fault of ours that a face has to report; the log has the rest."""

    code = "internal"
    zh = "系统内部错误，已记入日志。"
    en = "Something went wrong on our side; the log has the details."


def all_errors() -> tuple[type[EmoscopeError], ...]:
    """Every error with a code, in the order of this page."""
    return tuple(
        kind
        for kind in globals().values()
        if isinstance(kind, type) and issubclass(kind, EmoscopeError) and kind.code
    )
