"""Hints: what one front end adds to the sentence of an error: its flag, header, route or setting.

The sentence itself (``errors.py``) gives the advice in words that are true everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from emoscope.errors import EmoscopeError
from emoscope.messages.languages import Language, Text

FrontEnd: TypeAlias = Literal["cli", "server", "web"]
FRONT_ENDS: tuple[FrontEnd, ...] = ("cli", "server", "web")


def _all(zh: str, en: str) -> dict[FrontEnd, Text]:
    return dict.fromkeys(FRONT_ENDS, Text(zh, en))


_CACHE = _all(
    "可用环境变量 EMOSCOPE_CACHE 指定别的文件夹。",
    "Choose another folder with the environment variable EMOSCOPE_CACHE.",
)
_DATA = _all(
    "可用环境变量 EMOSCOPE_DATA 指定。", "Name one with the environment variable EMOSCOPE_DATA."
)
_EXACT = _all("即选项 --precision exact。", "The option is --precision exact.")
_JOBS = Text("长录音可通过 /v1/jobs 提交任务。", "Submit long recordings as jobs (/v1/jobs).")
_JOBS_LARGE = Text("/v1/jobs 一次可以提交更多。", "/v1/jobs accepts more at once.")
_KEY = Text(
    "用 X-API-Key 或 Authorization: Bearer 发送；浏览器中填在密码一栏。",
    "Send it as X-API-Key or Authorization: Bearer; in a browser it is the password.",
)
_NEW_KEY = Text(
    "请向运维人员要一个新密钥；你的结果可以用 emoscope keys adopt 转给它。",
    "Ask its operator for a new one; emoscope keys adopt hands your runs over to it.",
)
_FIRST_KEY = Text(
    "运维人员用 emoscope keys create 新建密钥，或用 --open 启动。",
    "Its operator makes a key with emoscope keys create, or starts it with --open.",
)
_UPLOAD_LIMIT = Text(
    "更长的文件可以用命令行处理；上限是设置 upload_max_duration_s"
    "（EMOSCOPE_UPLOAD_MAX_DURATION_S）。",
    "Longer files work on the command line; the limit is the setting upload_max_duration_s "
    "(EMOSCOPE_UPLOAD_MAX_DURATION_S).",
)
_APPROXIMATE = Text(
    "用 emoscope index --to INDEX --approximate SPACE 建立；不带 --approximate 的检索总是精确的。",
    "emoscope index --to INDEX --approximate SPACE makes them; search without --approximate is "
    "exact and always works.",
)

HINTS: Mapping[str, Mapping[FrontEnd, Text]] = {
    "audio_too_long": {
        "cli": Text(
            "上限是设置 max_duration_s（EMOSCOPE_MAX_DURATION_S）。",
            "The limit is the setting max_duration_s (EMOSCOPE_MAX_DURATION_S).",
        ),
        "server": _UPLOAD_LIMIT,
        "web": Text(
            "更长的文件可以用命令行处理：emoscope recognize。",
            "Longer files work on the command line: emoscope recognize.",
        ),
    },
    "audio_channels_change": {
        "cli": Text("即选项 --channels mix。", "The option is --channels mix.")
    },
    "utterances_missing": {
        "cli": Text("即选项 --utterances。", "The option is --utterances."),
        "server": Text("即字段 utterances=true。", "The field is utterances=true."),
        "web": Text("在页面上勾选「逐句识别」。", "On the page, tick “Each utterance alone”."),
    },
    "segments_missing": {
        "cli": Text("即选项 --granularity frame。", "The option is --granularity frame."),
        "server": Text("即字段 granularity=frame。", "The field is granularity=frame."),
        "web": Text("在页面上选「随时间的变化」。", "On the page, choose “Change over time”."),
    },
    "length_required": _all("请求须带 Content-Length 头。", "Send a Content-Length header."),
    "range_refused": _all(
        "Range 头应为 bytes=起-止。", "The Range header is written bytes=FIRST-LAST."
    ),
    "host_refused": _all(
        "即 Host 头；请用 --allow-host 或 EMOSCOPE_ALLOWED_HOSTS 添加。",
        "It is that of the Host header; add it with --allow-host or EMOSCOPE_ALLOWED_HOSTS.",
    ),
    "key_required": {"server": _KEY, "web": _KEY},
    "key_expired": {"server": _NEW_KEY, "web": _NEW_KEY},
    "proxy_without_keys": {"server": _FIRST_KEY, "web": _FIRST_KEY},
    "request_too_large": {"server": _JOBS_LARGE, "web": _JOBS_LARGE},
    "idempotency_conflict": _all(
        "请换一个 Idempotency-Key 头。", "Send another Idempotency-Key header."
    ),
    "model_fast_missing": _EXACT,
    "model_fast_refused": _EXACT,
    "device_unavailable": _all("即选项 --device cpu。", "The option is --device cpu."),
    "model_cache_failed": _CACHE,
    "cache_folder_unknown": _CACHE,
    "model_disk_full": _CACHE,
    "data_folder_unknown": _DATA,
    "head_list_no_speakers": {
        "cli": Text(
            "用 --speaker-column 指定列名；--no-speakers 可强行训练，并记在分类头里。",
            "Name their column with --speaker-column; --no-speakers trains all the same, and says "
            "so in the head.",
        )
    },
    "head_not_better": {
        "cli": Text("用 --keep-anyway 仍可保存。", "--keep-anyway keeps it all the same.")
    },
    "approximate_missing": {"cli": _APPROXIMATE},
    "approximate_stale": {"cli": _APPROXIMATE},
    "approximate_damaged": {"cli": _APPROXIMATE},
    "head_exists": {"cli": Text("用 --replace 替换。", "--replace takes its place.")},
    "batch_out_changed": {
        "cli": Text(
            "默认是 --resume（继续）；用 --fresh 从头开始（会删除原有结果），或用 --out 另选位置。",
            "The default is to go on (--resume). Begin anew with --fresh, which removes what is "
            "there, or choose another --out.",
        )
    },
    "batch_out_version": {
        "cli": Text("用 --out 另选位置。", "Choose another place with --out."),
    },
    "batch_too_many_failures": {
        "cli": Text(
            "比例用 --max-failures 设置；改好后运行同一命令即可继续。",
            "The share is set with --max-failures; the same command goes on.",
        )
    },
    "batch_workers_end": {
        "cli": Text("进程数用 --workers 设置。", "Their number is set with --workers.")
    },
    "batch_workers_do_not_start": {
        "cli": Text("进程数用 --workers 设置。", "Their number is set with --workers.")
    },
    "outputs_in_use": {
        "cli": Text(
            "用 --outputs 指定别的文件夹；用设置 outputs_lock_wait_s 等它结束。",
            "Choose another one with --outputs, or wait for its end with the setting "
            "outputs_lock_wait_s.",
        ),
    },
    "predictions_need_list": {"cli": Text("即选项 --list。", "The option is --list.")},
    "predictions_need_truth": {"cli": Text("即选项 --list。", "The option is --list.")},
    "labels_unknown": {"cli": Text("即选项 --map。", "The option is --map.")},
    "label_unknown": {
        "cli": Text(
            "emoscope evaluate 可用 --map 说明标签的意思，或用 --drop-unknown 去掉这些行。",
            "emoscope evaluate takes its meaning with --map, or leaves its rows out with "
            "--drop-unknown.",
        )
    },
    "hub_refused": {
        "cli": Text("来源用 --hub 选择。", "The hub is chosen with --hub."),
    },
    "deadline_exceeded": {"server": _JOBS, "web": _JOBS},
}
"""Hint by code and front end; gaps are those of the error's own sentences."""


def sentence(error: EmoscopeError, language: Language, front_end: FrontEnd) -> str:
    """Return the sentence of an error and the hint that a front end adds.

    Args:
        error: what happened.
        language: of the sentence.
        front_end: who shows it.
    """
    core = error.detail(language)
    hint = HINTS.get(error.code, {}).get(front_end)
    if hint is None:
        return core
    return core + ("" if language == "zh" else " ") + hint(language, **error.data)
