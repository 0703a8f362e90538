"""Sentences of every error code, in Chinese and English, by the class that carries the code.

Importing this module fills the table of ``emoscope.errors``; ``import emoscope`` does so. What only
one front end can advise (a flag, a header, a route, a setting) stands in ``hints.py``.
"""

from __future__ import annotations

from emoscope import errors
from emoscope.messages.languages import Text

ERRORS: dict[type[errors.EmoscopeError], dict[str, Text]] = {
    errors.AudioError: {
        "audio_empty_file": Text(
            "文件是空的（0 字节）。请重新录音或重新导出。",
            "The file is empty (0 bytes). Record or export it again.",
        ),
        "audio_not_recognized": Text(
            "无法识别这个文件：它的内容不是受支持的音频格式（WAV、MP3、M4A、FLAC、OGG、Opus、WebM"
            "、AAC、AMR）。",
            "This file is not audio in a supported format (WAV, MP3, M4A, FLAC, OGG, Opus, WebM, "
            "AAC, AMR).",
        ),
        "audio_playlist": Text(
            "这是播放列表或流描述文件，里面没有声音。出于安全考虑，不会打开它指向的地址。",
            "This is a playlist or a stream description, with no sound in it. For safety the "
            "addresses in it are never opened.",
        ),
        "audio_codec_refused": Text(
            "不支持音频编码 {codec}。请转成 WAV、MP3、M4A、FLAC 或 OGG。",
            "The codec {codec} is not supported. Convert to WAV, MP3, M4A, FLAC or OGG.",
        ),
        "audio_damaged": Text(
            "音频文件已损坏或不完整，无法解码。请重新传输或导出。",
            "The audio file is damaged or incomplete and cannot be decoded. Transfer or export "
            "it again.",
        ),
        "audio_no_stream": Text("文件里没有声音轨道。", "The file has no audio track."),
        "audio_no_samples": Text(
            "录音长度为 0 秒，里面没有声音。",
            "The recording is 0 s long and holds no sound.",
        ),
        "audio_too_short": Text(
            "录音只有 {duration_s:.3f} 秒，至少要 {min_duration_s:g} 秒；3–10 秒最好。",
            "The recording is only {duration_s:.3f} s long; at least {min_duration_s:g} s are "
            "needed, and 3–10 s works best.",
        ),
        "audio_too_long": Text(
            "录音超过 {max_duration_s:length}。请截取一段。",
            "The recording is longer than {max_duration_s:length}. Trim it.",
        ),
        "audio_too_many_channels": Text(
            "录音有 {channels} 个声道，最多接受 {max_channels} 个。",
            "The recording has {channels} channels; at most {max_channels} are accepted.",
        ),
        "audio_channels_change": Text(
            "录音的声道数中途从 {before} 变为 {after}，无法分声道识别。请合并声道后识别。",
            "The number of channels changes from {before} to {after} within the recording, so they "
            "cannot be told apart. Analyze it with the channels mixed.",
        ),
        "audio_rate_out_of_range": Text(
            "采样率 {rate_hz} Hz 不在 {min_rate_hz}–{max_rate_hz} Hz 的范围内。",
            "A sample rate of {rate_hz} Hz is outside {min_rate_hz}–{max_rate_hz} Hz.",
        ),
        "audio_not_finite": Text(
            "音频数据里有无效数值（NaN 或无穷大）。请重新导出。",
            "The audio contains invalid numbers (NaN or infinity). Export it again.",
        ),
        "samples_beyond_full_scale": Text(
            "采样值达到 {peak:.5g}，浮点采样应在 ±1 之内。{divisor} 级的整数请除以 {divisor}。",
            "Samples reach {peak:.5g}; floats must lie in ±1. If they are integers in disguise, "
            "divide by {divisor}.",
        ),
        "samples_shape_ambiguous": Text(
            "数组的形状是 {shape}，看不出哪一维是声道。请给一维数组，或用 channel_axis 说明。",
            "The array has the shape {shape}, which does not say which axis holds the channels. "
            "Give one dimension, or two and channel_axis.",
        ),
        "speech_missing": Text(
            "{name} 里没有听到人声，因此没有可以比较的向量。",
            "No speech was heard in {name}, so there is no vector to compare.",
        ),
    },
    errors.AudioSilentError: {
        "audio_silent": Text(
            "录音里没有声音。请检查麦克风，或换一个文件。",
            "There is no sound in the recording. Check the microphone, or try another file.",
        ),
    },
    errors.AudioTooLargeError: {
        "audio_too_large": Text(
            "文件超过 {max_bytes:size} 的上限。请转成 MP3，或截取一段。",
            "The file is larger than the limit of {max_bytes:size}. Convert it to MP3 or trim it.",
        ),
    },
    errors.SourceError: {
        "source_unreadable": Text("无法读取 {name}：{reason}", "Cannot read {name}: {reason}"),
        "microphone_unavailable": Text(
            "无法使用麦克风：{reason}",
            "The microphone cannot be used: {reason}",
        ),
        "address_refused": Text(
            "{address} 拒绝访问（{reason}）。请检查凭据，以及它们是否有读取权限。",
            "Access to {address} was refused ({reason}). Check the credentials, and that they may "
            "read there.",
        ),
        "address_unreachable": Text(
            "无法读取 {address}，已尝试 {attempts} 次：{reason_zh}。",
            "{address} cannot be read; attempts: {attempts}; the last one: {reason_en}.",
        ),
        "archive_broken": Text(
            "压缩包 {name} 不完整或已损坏（{reason}），只能使用损坏处之前的录音。",
            "The archive {name} is incomplete or damaged ({reason}); only the recordings before "
            "that place can be used.",
        ),
    },
    errors.SourceNotFoundError: {
        "source_not_found": Text("找不到文件：{name}", "No such file: {name}"),
        "source_is_address": Text(
            "{name} 是网址，不会去下载。请先下载，再给文件。",
            "{name} is an address, and nothing is fetched. Download it first and give the file.",
        ),
        "source_nothing_found": Text(
            "{name} 里没有找到音频文件。",
            "No audio files were found in {name}.",
        ),
        "batch_input_empty": Text("输入里没有任何录音。", "The input holds no recording."),
        "nothing_recognized": Text(
            "列表中的 {count} 条录音都未能识别，因此没有任何指标。",
            "None of the {count} recordings of the list could be analyzed, so there are no "
            "figures.",
        ),
    },
    errors.SourceTypeError: {
        "source_unsupported": Text(
            "这不是可以识别的录音：{reason_zh}。可以给路径、文件的 bytes、以二进制打开的文件、"
            "(samples, rate_hz)、Waveform，或含 array 与 sampling_rate 的字典。",
            "This is no recording: {reason_en}. Give a path, the bytes of a file, an open binary "
            "file, (samples, rate_hz), a Waveform, or a dict with array and sampling_rate.",
        ),
        "source_not_a_list": Text(
            "这里要一个录音列表，给的却是一条录音（{kind}）。请写成 [source]。",
            "A list of recordings is expected here, not one recording ({kind}). Write [source].",
        ),
    },
    errors.ListError: {
        "list_malformed": Text(
            "列表 {name} 第 {line} 行无法读取：{reason_zh}。",
            "Line {line} of the list {name} cannot be read: {reason_en}.",
        ),
        "spans_unreadable": Text(
            "时间段文件 {name} 第 {line} 行无法使用：{reason_zh}。",
            "Line {line} of the span file {name} cannot be used: {reason_en}.",
        ),
        "label_unknown": Text(
            "标签 {word!r} 无法对应到九种情绪（{known}）。请在列表里改写它，或去掉这些行。",
            "The label {word!r} is none of the nine ({known}). Rename it in the list or drop its "
            "rows.",
        ),
        "report_unreadable": Text(
            "{name} 不是写明了做法的评测报告（{reason_zh}）。",
            "{name} is no report of an evaluation that says how it was made ({reason_en}).",
        ),
        "labels_unknown": Text(
            "列表 {name} 里没有一个标签能对应到九种情绪（{known}）：{found}。"
            "请用映射表说明它们的意思。",
            "No label of the list {name} is one of the nine ({known}): {found}. "
            "Say what they mean in a map of labels.",
        ),
        "text_scores_invalid": Text(
            "文字的分数无法使用（{reason}）：至少要给两种情绪，都是不小于 0 的数，且不全为 0。",
            "These scores of the words cannot be used ({reason}): give at least two emotions, all "
            "numbers from zero on, not all zero.",
        ),
        "text_labels_unknown": Text(
            "文本模型的标签 {found} 无法对应到九种情绪。模型的全部标签：{labels}。请提供标签对照表"
            "，写明每个标签对应哪些情绪，不用的写 null。",
            "The labels {found} of the text model are none of the nine emotions. All its labels: "
            "{labels}. Give a map from label to emotions, with null for labels to leave out.",
        ),
        "fusion_rule_damaged": Text(
            "融合规则 {name} 无法读取（{reason}）。请重新拟合。",
            "The fusion rule {name} cannot be read ({reason}). Fit it again.",
        ),
        "fusion_too_few": Text(
            "列表不足以拟合融合规则：有 {rows} 条录音、{speakers} 位说话人、{classes} 种情绪；"
            "至少要 {rows_min} 条、{speakers_min} 位、{classes_min} 种。",
            "The list is too small for a fusion rule: {rows} recordings, {speakers} speakers, "
            "{classes} emotions; at least {rows_min}, {speakers_min} and {classes_min} are needed.",
        ),
    },
    errors.ResultError: {
        "utterances_missing": Text(
            "{name} 的结果没有逐句识别的内容。请打开逐句识别，重新识别。",
            "The result of {name} has no utterances. Analyze it again with each utterance alone.",
        ),
        "segments_missing": Text(
            "{name} 的结果没有时间轴。请用逐帧模式重新识别。",
            "The result of {name} has no time axis. Analyze it again in frame mode.",
        ),
        "table_rows_differ": Text(
            "答案有 {answers} 条，要带上的列却有 {rows} 行（或各列不等长）。请每条录音一行。",
            "There are {answers} answers, and {rows} rows of the columns to carry along, or "
            "columns of unequal length. Give one row for each recording.",
        ),
        "embedding_missing": Text(
            "{name} 的结果没有嵌入向量。请用 embedding 为 utterance 或 true 重新识别。",
            "The result of {name} has no embedding. Analyze it again with embedding set to "
            "utterance or true.",
        ),
        "embeddings_differ": Text(
            "这些嵌入向量来自不同的模型（{sizes} 维），不能放进一个文件。",
            "These embeddings are of different models ({sizes} numbers) and cannot stand in one "
            "file.",
        ),
        "embedding_file_unknown": Text(
            "{name} 的扩展名不对：嵌入向量写成 .npy 或 .parquet。",
            "{name} has another ending: embeddings are written as .npy or .parquet.",
        ),
        "channels_mismatch": Text(
            "这些结果不是同一段录音的不同声道，不能放在一起：{names}。",
            "These results are not the channels of one recording and cannot stand together: "
            "{names}.",
        ),
    },
    errors.HeadError: {
        "head_unknown": Text(
            "没有名为 {name!r} 的分类头。现有：{known}。",
            "There is no head called {name!r}. There are: {known}.",
        ),
        "head_damaged": Text(
            "分类头 {name!r} 的文件已损坏，或来自更新的版本（{reason_zh}）。请删除后重新训练。",
            "The file of the head {name!r} is damaged or of a later version ({reason_en}). Remove "
            "it and train it again.",
        ),
        "head_model_differs": Text(
            "分类头 {head!r} 是在 {trained_on} 的向量上训练的，不能用于 {model}。",
            "The head {head!r} was trained on vectors of {trained_on} and cannot be used with "
            "{model}.",
        ),
        "head_name_refused": Text(
            "{name!r} 不能作为名称：只能用字母、汉字、数字、空格和 . _ -，以字母、汉字或数字开头，"
            "最多 64 个字符。",
            "{name!r} cannot be a name: letters, digits, spaces and . _ - only, at most 64 of "
            "them, a letter or a digit first.",
        ),
        "head_exists": Text(
            "已有名为 {name!r} 的分类头。请换一个名称，或先删除它。",
            "There is a head called {name!r} already. Choose another name, or remove it first.",
        ),
        "head_list_no_speakers": Text(
            "列表 {name} 有 {rows} 行没有说话人。没有说话人就无法按说话人分开检验，成绩会虚高。",
            "{rows} rows of the list {name} have no speaker. Without speakers the head would be "
            "tested on voices that it knows, and its figures would be too good.",
        ),
        "head_list_classes": Text(
            "列表里有 {count} 种标签（{found}），应有 2–{most} 种。",
            "The list has {count} labels ({found}); 2 to {most} are needed.",
        ),
        "head_list_few": Text(
            "标签 {label!r} 只有 {count} 条可用的录音，每种至少要 {least} 条。",
            "The label {label!r} has {count} usable clips; each needs {least} at least.",
        ),
        "head_list_speakers": Text(
            "只有 {count} 位说话人，至少要 {least} 位，才能用没听过的声音检验。",
            "There are {count} speakers; {least} at least are needed, to test on voices that the "
            "head did not hear.",
        ),
        "head_list_one_speaker": Text(
            "标签 {label!r} 的录音都来自 {speaker!r} 一人，无法用没听过的声音检验。",
            "All clips with the label {label!r} are by one speaker ({speaker!r}), so that it "
            "cannot be tested on a voice that the head did not hear.",
        ),
        "head_label_unknown": Text(
            "标签 {label!r} 不是这个分类头的类别。它有：{known}。",
            "The label {label!r} is no class of this head. It has: {known}.",
        ),
        "corrections_few": Text(
            "有 {count} 处修正，来自 {recordings} 段录音；至少要 {least} 处、"
            "{least_recordings} 段，才能从中学习。",
            "There are {count} corrections in {recordings} recordings; {least} in "
            "{least_recordings} recordings at least are needed to learn from them.",
        ),
        "corrections_not_better": Text(
            "没有保存：在没见过的录音上，{total} 个片段中原有 {before} 个正确，调整后 {after} 个。",
            "Not kept: on recordings that it did not see, {before} of {total} segments were right "
            "before, and {after} are after.",
        ),
        "teaching_changed": Text(
            "修正在此期间变了。请重新查看会改变什么。",
            "The corrections have changed meanwhile. Look again at what would change.",
        ),
        "head_not_better": Text(
            "没有保存：这个分类头的 UAR 为 {uar:.3f}，现有的回答为 {baseline:.3f}；"
            "相差 {gain:+.3f}，95% 区间 [{low:+.3f}, {high:+.3f}]，没有证明它更好。",
            "Not kept: the head has a UAR of {uar:.3f}, what stands there without it {baseline:.3f}"
            "; the difference of {gain:+.3f} with its 95 % interval [{low:+.3f}, {high:+.3f}] does "
            "not show that it is better.",
        ),
        "heads_refused": Text(
            "不能同时使用这些分类头：{names}。最多 {limit} 个，不得重复，其中至多一个来自修正。",
            "These heads cannot be used together: {names}. At most {limit}, none twice, and one of "
            "corrections.",
        ),
    },
    errors.VectorIndexError: {
        "index_not_found": Text("{name} 不是索引。", "There is no index at {name}."),
        "index_folder_taken": Text(
            "{name} 里已有其他文件，不能在那里新建索引。",
            "{name} holds other files, so no index can be made there.",
        ),
        "batch_without_vectors": Text(
            "批处理的输出 {name} 里没有向量。请带向量重新运行批处理。",
            "The output {name} of a batch holds no vectors. Run the batch again with embeddings.",
        ),
        "batch_without_segments": Text(
            "批处理的输出 {name} 里没有分段的向量，只有整条录音的。",
            "The output {name} of a batch holds vectors of whole recordings, none of segments.",
        ),
        "index_other_model": Text(
            "索引 {name} 的向量来自模型 {model}，而这些向量来自 {other}；不同模型的向量不能混用。"
            "请换回原模型，或新建索引。",
            "The vectors of the index {name} are of the model {model}, these are of {other}; "
            "vectors of two models cannot be compared. Use that model, or make a new index.",
        ),
        "index_damaged": Text(
            "索引 {name} 已损坏（{reason}）。请删除后重新建立，录音不受影响。",
            "The index {name} is damaged ({reason}). Delete it and make it anew; the recordings "
            "are not touched.",
        ),
        "index_newer": Text(
            "索引 {name} 由更新的版本写成（格式 {found}，本程序只认识 {known}）。请升级 Emoscope。",
            "The index {name} was written by a newer version (format {found}; this one knows "
            "{known}). Update Emoscope.",
        ),
        "index_busy": Text(
            "另一个程序正在写索引 {name}，请稍后重试。",
            "Another program is writing to the index {name}; try again later.",
        ),
        "index_empty": Text(
            "索引 {name} 里还没有录音。", "The index {name} holds no recordings yet."
        ),
        "approximate_missing": Text(
            "索引 {name} 还没有为空间 {space} 建立近似检索的表。",
            "The index {name} has no tables for approximate search in the space {space} yet.",
        ),
        "approximate_stale": Text(
            "索引 {name} 在建立近似检索的表（空间 {space}）之后有增减，这些表不再使用，需要重建。",
            "The index {name} has changed since its tables for approximate search in the space "
            "{space} were made. They are not used; make them again.",
        ),
        "approximate_damaged": Text(
            "索引 {name} 的近似检索表（空间 {space}）无法使用：{reason}。"
            "索引本身不受影响，重建这些表即可。",
            "The tables for approximate search in the space {space} of the index {name} cannot be "
            "used: {reason}. The index itself is not touched; make them again.",
        ),
        "clusters_too_few": Text(
            "索引 {name} 只有 {count} 条录音，至少要 {least} 条才能分组。",
            "The index {name} holds {count} recordings; at least {least} are needed to group them.",
        ),
    },
    errors.RequestError: {
        "scores_invalid": Text(
            "答案无法评测：{reason_zh}。", "The answers cannot be measured: {reason_en}."
        ),
        "predictions_apart": Text(
            "{first} 与 {second} 没有共同的录音，无法比较。",
            "{first} and {second} have no recording in common, so they cannot be compared.",
        ),
        "predictions_need_list": Text(
            "{name} 是模型，要比较它需要一个录音列表。",
            "{name} is a model; to compare it, a list of recordings is needed.",
        ),
        "predictions_need_truth": Text(
            "两个文件都没有真实标签；请另给一个列表。",
            "Neither file has the truth; give a list that has.",
        ),
        "text_empty": Text("文字是空的。", "The text is empty."),
        "text_model_missing": Text(
            "要读懂文字，需要指定一个文本模型，或直接给出文字的分数。",
            "To read the words a text model is needed, or the scores of the words.",
        ),
        "text_too_long": Text(
            "文字太长（{characters} 个字符）。请按句子或段落分开。",
            "The text is too long ({characters} characters). Split it by sentences or paragraphs.",
        ),
        "field_missing": Text("缺少字段 {field}。", "The field {field} is missing."),
        "too_many_files": Text(
            "字段 {field} 里有多个文件；一次请求只接受一个。",
            "The field {field} holds several files; a request takes one.",
        ),
        "request_malformed": Text(
            "请求无法读取，应为：{expected}。",
            "The request cannot be read; expected: {expected}.",
        ),
        "form_broken_off": Text(
            "表单不完整：没有收到结尾的分隔行，录音可能被截断，因此没有处理。请重新发送。",
            "The form is incomplete: its last boundary did not arrive, so a recording may be cut "
            "off. Nothing was analyzed. Send it again.",
        ),
        "length_required": Text("请求没有说明长度。", "The request does not state its length."),
        "range_refused": Text(
            "请求的范围不在文件之内；文件共 {size} 字节。",
            "The requested range names no part of the file, which has {size} bytes.",
        ),
        "granularity_invalid": Text(
            "granularity 只能是 utterance 或 frame，而不是 {value!r}。",
            "granularity is utterance or frame, not {value!r}.",
        ),
        "embedding_choice_invalid": Text(
            "embedding 只能是 true、false、utterance 或 frame，而不是 {value!r}。",
            "embedding is true, false, utterance or frame, not {value!r}.",
        ),
        "row_kind_invalid": Text(
            "rows 只能是 recordings、segments、utterances 或 frames，而不是 {value!r}。",
            "rows is recordings, segments, utterances or frames, not {value!r}.",
        ),
        "parameter_choice_invalid": Text(
            "{name} 只能是 {choices}，而不是 {value!r}。", "{name} is {choices}, not {value!r}."
        ),
        "recordings_several_columns": Text(
            "录音要放在一列里，这里有 {columns} 列。",
            "Recordings stand in one column, and these are {columns} columns.",
        ),
        "workers_invalid": Text(
            "workers 是 1–{most} 的整数，而不是 {value!r}。",
            "workers is a whole number of 1–{most}, not {value!r}.",
        ),
        "span_invalid": Text(
            "第 {number} 个时间段无效：{value}。时间段是从 0 起、起点不晚于终点的两个秒数。",
            "Span {number} is not valid: {value}. A span is two numbers of seconds from 0 on, "
            "start before end.",
        ),
        "spans_overlap": Text(
            "时间段 {first} 秒与 {second} 秒重叠。每句话须各占一段。",
            "The spans {first} s and {second} s overlap. Each utterance needs a stretch of its "
            "own.",
        ),
        "span_outside": Text(
            "时间段 {span} 秒超出了录音：录音只有 {duration_s:.3f} 秒。",
            "The span {span} s lies outside of the recording, which is {duration_s:.3f} s long.",
        ),
        "span_too_short": Text(
            "时间段 {span} 秒里的声音太短，至少要 {min_duration_s:g} 秒。",
            "The span {span} s holds too little sound; at least {min_duration_s:g} s are needed.",
        ),
        "boolean_invalid": Text(
            "{field} 只接受 true/false/1/0/on/off/yes/no，而不是 {value!r}。",
            "{field} takes true/false/1/0/on/off/yes/no, not {value!r}.",
        ),
        "name_refused": Text(
            "文件名含有路径（/ 或 \\）、控制字符或改变文字方向的字符，或超过 255 个字符，已拒绝。"
            "请只使用普通文件名。",
            "The file name was refused: it contains a path (/ or \\), control characters, "
            "characters that override the direction of text, or more than 255 characters. "
            "Use a plain name.",
        ),
        "title_refused": Text(
            "标题最多 {limit} 个字，不能含有控制字符或改变文字方向的字符。",
            "A title has at most {limit} characters, without control characters or characters "
            "that override the direction of text.",
        ),
        "correction_refused": Text(
            "更正没有保存：各段须首尾相接、覆盖整段录音，每段不短于 {minimum_s} 秒，情绪须是九类"
            "之一，或停顿。",
            "The correction was not saved: segments must follow each other without gap or "
            "overlap, cover the whole recording, last at least {minimum_s} s each, and carry one "
            "of the nine emotions, or a pause.",
        ),
        "host_refused": Text(
            "请求所用的主机名不在允许的名单里。",
            "The host name of the request is not on the list of allowed names.",
        ),
        "origin_refused": Text(
            "拒绝来自其他网站页面的请求。",
            "Requests from pages of other sites are refused.",
        ),
        "route_not_found": Text("没有这个地址。", "There is nothing at this address."),
        "method_not_allowed": Text(
            "这个地址不支持该 HTTP 方法。",
            "This address does not take that HTTP method.",
        ),
        "field_invalid": Text(
            "参数 {field} 无效，应为：{expected}。",
            "The parameter {field} is not valid; expected: {expected}.",
        ),
        "request_too_large": Text(
            "请求超过 {max_bytes:size} 的上限。请把录音分几次提交。",
            "The request is larger than the limit of {max_bytes:size}. Send the recordings in "
            "several requests.",
        ),
        "idempotency_conflict": Text(
            "这个请求的幂等键已用于另一个内容不同的请求。",
            "The idempotency key of this request belongs to an earlier request with another "
            "content.",
        ),
        "search_off": Text(
            "这个服务不保存向量，因此不能检索。",
            "This server keeps no vectors, so there is nothing to search.",
        ),
        "vector_missing": Text(
            "记录 {run} 没有保存向量，也没有保存声音，无法检索。请重新识别。",
            "Neither the vector nor the sound of {run} was kept, so nothing can be compared with "
            "it. Analyze the recording again.",
        ),
        "job_not_found": Text("没有任务 {job}。", "There is no job {job}."),
        "job_state": Text(
            "任务处于 {state} 状态，不能这样操作。",
            "The job is {state}; this cannot be done now.",
        ),
        "stream_message": Text(
            "实时流消息不符合约定，应为：{expected}。",
            "A message of the live stream does not follow the protocol; expected: {expected}.",
        ),
    },
    errors.AccessError: {
        "key_required": Text("需要有效的 API 密钥。", "A valid API key is needed."),
        "key_expired": Text(
            "这个 API 密钥已于 {expired}（UTC）过期。", "This API key expired on {expired} (UTC)."
        ),
        "proxy_without_keys": Text(
            "请求来自代理，而服务还没有 API 密钥，因此不应答。",
            "The request came through a proxy, and the server has no API keys yet, so it is "
            "refused.",
        ),
        "scope_missing": Text("这个密钥没有 {scope} 权限。", "This key has no right to {scope}."),
    },
    errors.StreamIdleError: {
        "stream_idle": Text(
            "实时流超过 {seconds:g} 秒没有数据，已结束；收到的部分已保存。",
            "The live stream sent nothing for {seconds:g} s and was ended; what arrived was kept.",
        ),
    },
    errors.StreamNotFoundError: {
        "stream_not_found": Text(
            "找不到可以继续的实时流：它已结束，或超过了重连时限。",
            "There is no live stream to resume: it has ended, or the time to reconnect is over.",
        ),
    },
    errors.ModelUnknownError: {
        "model_unknown": Text(
            "没有名为 {model} 的模型。可用：{known}；也可以给出本地文件夹。",
            "There is no model named {model}. Known: {known}; a local folder works as well.",
        ),
    },
    errors.ModelMissingError: {
        "model_not_installed": Text(
            "模型 {model} 不在这台机器上。运行 {command} 获取。",
            "The model {model} is not on this machine. Fetch it with: {command}",
        ),
        "model_file_missing": Text(
            "模型文件夹缺少文件 {file}。",
            "The model folder lacks the file {file}.",
        ),
        "model_fast_missing": Text(
            "模型 {model} 没有 int8 变体。运行 {command} 制作，或使用精确模型。",
            "The model {model} has no int8 variant. Make it with: {command}, or use the exact "
            "model.",
        ),
    },
    errors.ModelInvalidError: {
        "model_changed": Text(
            "模型文件 {file} 与其说明卡不符（sha256 不一致）：文件损坏或被改动。",
            "The model file {file} is not the one its card describes (sha256 differs).",
        ),
        "model_contract": Text(
            "模型文件不符合约定：{reason_zh}",
            "The model file does not follow the contract: {reason_en}",
        ),
        "model_fast_refused": Text(
            "模型 {model} 的 int8 变体与精确模型不一致（{figures}），不会使用。请使用精确模型。",
            "The int8 variant of {model} does not agree with the exact model ({figures}) and is "
            "not used. Use the exact model.",
        ),
        "model_config": Text(
            "config.yaml 中的 {setting} 不受支持：{reason_zh}",
            "The setting {setting} in config.yaml is not supported: {reason_en}",
        ),
        "text_model_invalid": Text(
            "文本模型 {name} 无法使用：{reason}",
            "The text model {name} cannot be used: {reason}",
        ),
        "model_built_in": Text(
            "{model} 随软件自带，不能删除。",
            "{model} ships inside the package and cannot be removed.",
        ),
    },
    errors.CheckpointError: {
        "checkpoint_damaged": Text(
            "权重文件 {file} 无法读取：{reason_zh}。请重新下载。",
            "The weights file {file} cannot be read: {reason_en}. Download it again.",
        ),
        "checkpoint_refused": Text(
            "已拒绝权重文件 {file}：其中含有 {what}，可能执行任意代码。没有运行任何内容；请从官方"
            "来源重新获取。",
            "The weights file {file} was refused: it holds {what}, which is more than tensors "
            "and could run code. Nothing was run. Fetch the file from the official source.",
        ),
        "checkpoint_tensors": Text(
            "权重文件 {file} 与网络结构不符：{reason_zh}",
            "The weights file {file} does not fit the network: {reason_en}",
        ),
    },
    errors.TokensError: {
        "tokens_hidden": Text(
            "tokens.txt 隐藏了 {count} 个类别（{labels}）：原版工具不会给出这些情绪。Emoscope 按"
            "位置对应类别，九种都会给出，两者的结果不能直接比较。",
            "tokens.txt hides {count} classes ({labels}), which the original would never answer. "
            "Emoscope takes classes by their place and answers all nine: do not compare the two.",
        ),
        "tokens_count": Text(
            "tokens.txt 有 {count} 个类别，应为 9 个：{labels}。Emoscope 按位置对应类别，不使用这"
            "些名称。",
            "tokens.txt names {count} classes, not nine: {labels}. Emoscope takes classes by "
            "their place and does not use these names.",
        ),
    },
    errors.ModelRunError: {
        "model_run_failed": Text(
            "模型运行失败：{reason}",
            "The model failed while running: {reason}",
        ),
    },
    errors.DeviceUnavailableError: {
        "device_unavailable": Text(
            "无法在 {device} 上运行：{reason_zh}。请检查安装，或使用 CPU。",
            "{device} cannot be used: {reason_en}. Check the installation, or use the CPU.",
        ),
    },
    errors.ModelPullError: {
        "model_pull_failed": Text(
            "没能获取 {model}。{said_zh}",
            "{model} could not be fetched. {said_en}",
        ),
    },
    errors.ModelCacheError: {
        "model_cache_failed": Text(
            "模型缓存目录无法读写：{reason}。",
            "The model cache cannot be used: {reason}.",
        ),
        "cache_folder_unknown": Text(
            "不知道当前用户的主目录，模型没有地方存放。",
            "The home folder of this user is not known, so models have no place.",
        ),
    },
    errors.ModelDiskFullError: {
        "model_disk_full": Text(
            "磁盘空间不足：还需要约 {needed_mb:.0f} MB，只剩 {free_mb:.0f} MB。",
            "The disk is too full: about {needed_mb:.0f} MB are needed and {free_mb:.0f} MB are "
            "free.",
        ),
    },
    errors.ModelBusyError: {
        "model_busy": Text(
            "模型 {model} 正被另一个进程获取或删除（{holder}）。",
            "The model {model} is being fetched or removed by another process ({holder}).",
        ),
    },
    errors.HubNotFoundError: {
        "hub_not_found": Text(
            "{hub} 上没有 {file}（修订 {revision}）。",
            "{hub} has no {file} at revision {revision}.",
        ),
    },
    errors.HubRefusedError: {
        "hub_refused": Text(
            "{hub} 拒绝提供 {file}（HTTP {status}）。请换用另一个来源或镜像。",
            "{hub} refuses to give {file} (HTTP {status}). Try the other hub or a mirror.",
        ),
    },
    errors.HubUnreachableError: {
        "hub_busy": Text(
            "{hub} 请求过多（HTTP 429），要求等待 {wait_s:.0f} 秒。请稍后重试；已下载的部分会保留"
            "。",
            "{hub} has too many requests (HTTP 429) and asks to wait {wait_s:.0f} s. Try again "
            "later; what was fetched is kept.",
        ),
        "hub_unreachable": Text(
            "无法从 {hub} 取得 {file}（{reason}；试了 {attempts} 次）。已下载的部分会保留，再次运"
            "行即可续传。",
            "{hub} did not deliver {file} ({reason}; {attempts} attempts). What was fetched is "
            "kept and the next run goes on from there.",
        ),
    },
    errors.HubAnswerError: {
        "hub_answer_refused": Text(
            "{hub} 对 {file} 的应答不可接受：{reason_zh}。",
            "The answer of {hub} for {file} is not acceptable: {reason_en}.",
        ),
    },
    errors.HubFileChangedError: {
        "hub_file_changed": Text(
            "{hub} 给出的 {file} 不是应有的文件：{what} 应为 {expected}，实为 {found}。已删除。",
            "The {file} that {hub} gave is not the expected one: {what} should be {expected} and "
            "is {found}. It was thrown away.",
        ),
    },
    errors.StoreError: {
        "store_failed": Text(
            "无法写入结果目录：{reason}",
            "The results cannot be written: {reason}",
        ),
        "store_full": Text(
            "磁盘已满，结果没有保存。请腾出空间后重试。",
            "The disk is full and the results were not saved. Free some space and try again.",
        ),
        "output_refused": Text(
            "{address} 拒绝访问（{reason}）。请检查凭据，以及它们是否有写入权限。",
            "Access to {address} was refused ({reason}). Check the credentials, and that they may "
            "write there.",
        ),
        "output_unreachable": Text(
            "无法写入 {address}，已尝试 {attempts} 次：{reason_zh}。",
            "{address} cannot be written; attempts: {attempts}; the last one: {reason_en}.",
        ),
        "output_missing": Text(
            "{address} 不存在：没有这个存储桶。请先创建它。",
            "{address} is not there: there is no such bucket. Create it first.",
        ),
        "output_read_only": Text(
            "{address} 只能读取。结果请写到文件夹，或 s3://、gs:// 这样的地址。",
            "{address} can only be read. Write results to a folder, or to an address such as "
            "s3:// or gs://.",
        ),
        "data_folder_unknown": Text(
            "不知道数据文件夹在哪里：没有主目录。",
            "The folder for data is not known: there is no home folder.",
        ),
        "batch_out_busy": Text(
            "另一个批处理正在写入 {out}。一个输出位置同时只能有一个批处理。",
            "Another batch writes to {out}; one place belongs to one batch at a time.",
        ),
        "batch_out_foreign": Text(
            "{out} 里已有别的文件（{found}），不是批处理的输出。请换一个位置。",
            "{out} holds other files ({found}) and is no output of a batch. Choose another place.",
        ),
        "batch_out_damaged": Text(
            "无法读取 {out} 里的 manifest.json：{reason}",
            "The manifest.json in {out} cannot be read: {reason}",
        ),
        "batch_out_version": Text(
            "{out} 是另一版本的格式（{found}），本版本使用 {known}。",
            "{out} is of another version of the format ({found}); this one knows {known}.",
        ),
        "batch_out_changed": Text(
            "{out} 里的结果来自不同的输入或选项（{what}），不能接着写。",
            "The results in {out} come from other inputs or options ({what}), so they cannot be "
            "continued.",
        ),
        "outputs_in_use": Text(
            "另一个服务正在使用结果文件夹 {folder}。一个文件夹只能由一个服务使用。",
            "Another server works in the outputs folder {folder}; a folder belongs to one server.",
        ),
    },
    errors.BatchStoppedError: {
        "batch_too_many_failures": Text(
            "已停止：{done} 条录音中有 {failed} 条失败，超过允许的比例 {share:.0%}。"
            "已完成的部分都在。",
            "Stopped: {failed} of {done} recordings failed, more than the share of {share:.0%} "
            "that is allowed. The parts that are done stay.",
        ),
        "batch_workers_end": Text(
            "已停止：处理分片 {shard} 的进程意外退出了 {times} 次，而且查不出是哪条录音造成的。"
            "请检查内存，减少进程数后继续。",
            "Stopped: the processes that worked on shard {shard} ended {times} times, and no "
            "recording is to blame. Look at the memory, and go on with fewer processes.",
        ),
        "cluster_worker_failed": Text(
            "集群的处理进程无法启动：{reason}。所有机器都要装有同一版本的程序和依赖。",
            "A worker of the cluster could not start: {reason}. All machines need the same version "
            "of the program and of what it uses.",
        ),
        "batch_workers_do_not_start": Text(
            "处理进程还没有载入模型就退出了（连续 {times} 次）。请检查内存，减少进程数后重试。",
            "The processes ended before they had loaded the model, {times} times in a row. Look "
            "at the memory, and try again with fewer processes.",
        ),
    },
    errors.RunNotFoundError: {
        "run_not_found": Text(
            "没有记录 {run}，可能已经删除。",
            "There is no recording {run}; it may have been deleted.",
        ),
    },
    errors.RunDamagedError: {
        "run_damaged": Text(
            "无法读取记录 {run}：文件已损坏，或来自更新的版本（{reason}）。",
            "The recording {run} cannot be read: it is damaged, or of a newer version ({reason}).",
        ),
    },
    errors.DecoderError: {
        "recording_ends_worker": Text(
            "处理这条录音时，进程意外退出了两次（解码程序崩溃或内存不足），不再重试。",
            "The process that worked on this recording ended twice (a fault of the decoder, or no "
            "memory left), so it is not tried again.",
        ),
        "decoder_crashed": Text(
            "这个文件让解码程序意外退出；它已自动重启，其他请求不受影响。请换一种格式重新导出，再试"
            "一次。",
            "The decoder stopped while it read this file and was restarted; other requests are "
            "not affected. Export the recording in another format and try again.",
        ),
    },
    errors.DecoderTimeoutError: {
        "decoder_timeout": Text(
            "解码超过 {seconds:g} 秒仍未完成，已停止。文件可能已损坏，请重新导出。",
            "Decoding took more than {seconds:g} s and was stopped. The file may be damaged; "
            "export it again.",
        ),
    },
    errors.ServiceError: {
        "recording_crashed": Text(
            "服务在处理这个录音时意外退出了 {times} 次，不再重试。",
            "The server ended unexpectedly {times} times while it worked on this recording, which "
            "is not tried again.",
        ),
        "jobs_damaged": Text(
            "任务数据库已损坏，已移到一旁，任务重新开始记录。之前的任务无法继续，请重新提交。",
            "The jobs database was damaged and was put aside; jobs begin anew. Earlier jobs are "
            "lost; send their recordings again.",
        ),
        "jobs_not_kept": Text(
            "这个服务有多个副本，副本不保存任务。请直接识别，或使用批处理。",
            "This service has replicas, which keep no jobs. Recognize directly, or use a batch.",
        ),
        "not_ready": Text("服务未就绪：{reason_zh}。", "The service is not ready: {reason_en}."),
        "rate_limited": Text(
            "请求太频繁：每分钟最多 {per_minute} 次。请在 {retry_after_s} 秒后重试。",
            "Too many requests: at most {per_minute} a minute. Try again in {retry_after_s} s.",
        ),
        "engine_closed": Text(
            "识别器已关闭，不再接受新的录音。",
            "The recognizer is closed and takes no more recordings.",
        ),
    },
    errors.BusyError: {
        "server_busy": Text(
            "服务正忙，请在 {retry_after_s} 秒后重试。",
            "The server is busy; try again in {retry_after_s} s.",
        ),
    },
    errors.ServerClosingError: {
        "server_closing": Text(
            "服务正在关闭，不再接受新的请求。请在 {retry_after_s} 秒后重试。",
            "The server is shutting down and takes no new requests; "
            "try again in {retry_after_s} s.",
        ),
    },
    errors.ServiceTimeoutError: {
        "deadline_exceeded": Text(
            "处理超过 {seconds:length}，已停止。",
            "Processing took more than {seconds:length} and was stopped.",
        ),
        "upload_too_slow": Text(
            "上传太慢（低于每秒 {bytes_per_s:size}），已中断。",
            "The upload is too slow (less than {bytes_per_s:size} a second) and was ended.",
        ),
    },
    errors.CancelledError: {
        "cancelled": Text("请求已取消。", "The request was cancelled."),
    },
    errors.ClientError: {
        "stream_refused": Text(
            "服务器结束了实时流（{reason}）：{sentence}",
            "The server ended the live stream ({reason}): {sentence}",
        ),
    },
    errors.RequestFailedError: {
        "request_failed": Text(
            "服务器返回 {status}：{detail_zh} [{server_code}]",
            "The server answered {status}: {detail_en} [{server_code}]",
        ),
    },
    errors.ServerUnreachableError: {
        "stream_unreachable": Text(
            "无法连接到 {url} 的实时流：{reason}",
            "No live stream can be opened at {url}: {reason}",
        ),
        "server_unreachable": Text(
            "无法连接服务器 {host}：{reason}",
            "The server {host} cannot be reached: {reason}",
        ),
    },
    errors.SettingError: {
        "setting_invalid": Text(
            "设置 {setting} 无效：{reason}",
            "The setting {setting} is invalid: {reason}",
        ),
        "variable_unknown": Text(
            "环境变量 {variable} 不是设置；最接近的是 {nearest}。",
            "The environment variable {variable} is no setting; the nearest is {nearest}.",
        ),
        "argument_empty": Text(
            "{argument} 是空的。请给出值；如果指当前文件夹，请写 . 。",
            "{argument} is empty. Give a value; the current folder is written as a dot.",
        ),
        "cluster_unreachable": Text(
            "无法连接 Ray 集群 {address}：{reason}",
            "The Ray cluster {address} cannot be reached: {reason}",
        ),
        "address_scheme_unknown": Text(
            "不认识以 {scheme}:// 开头的地址。可用的有 s3://、gs://、hf://、https://。",
            "Addresses that begin with {scheme}:// are not known; s3://, gs://, hf:// and https:// "
            "are.",
        ),
        "address_package_missing": Text(
            "以 {scheme}:// 开头的地址需要软件包 {package}。安装：pip install {package}",
            "Addresses that begin with {scheme}:// need the package {package}. Install it: "
            "pip install {package}",
        ),
    },
    errors.SettingsFileError: {
        "settings_file": Text(
            "设置文件 {file} 第 {line} 行无法读取：{reason_zh}。",
            "Line {line} of the settings file {file} cannot be read: {reason_en}.",
        ),
    },
    errors.ExtraMissingError: {
        "extra_missing": Text(
            "缺少可选组件 {package}。安装：pip install 'emoscope[{extra}]'",
            "The optional package {package} is missing. Install it: pip install 'emoscope[{extra}"
            "]'",
        ),
    },
    errors.PackageMissingError: {
        "package_missing": Text(
            "缺少软件包 {package}。安装：pip install {package}",
            "The package {package} is missing. Install it: pip install {package}",
        ),
    },
    errors.InternalError: {
        "internal": Text(
            "程序内部出错，详情已记入日志。",
            "Something went wrong inside the program; the log has the details.",
        ),
    },
}
"""Both sentences by code, by class, in the order of the tree."""

for _kind, _texts in ERRORS.items():
    for _code, _text in _texts.items():
        errors.register(_code, _kind, _text)
