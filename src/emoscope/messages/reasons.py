"""Reasons in words: what fills ``reason_zh`` and ``reason_en`` in the sentence of an error."""

from __future__ import annotations

from collections.abc import Mapping

from emoscope.messages.languages import Text

REASONS: Mapping[str, Text] = {
    # A model file and the contract of all model files.
    "tensors": Text("输入输出是 {found}", "its inputs and outputs are {found}"),
    "tensor": Text("{name} 是 {found}，应为 {expected}", "{name} is {found} instead of {expected}"),
    "embedding_size_open": Text("嵌入维度不固定", "its embeddings have no fixed size"),
    "not_onnx": Text("无法作为 ONNX 模型加载", "it cannot be loaded as an ONNX model"),
    "frame_counts": Text(
        "帧数是 {found}，应为 {expected}", "it gave {found} frames instead of {expected}"
    ),
    "rows": Text(
        "{name} 只有 {found} 行，应为 {expected}", "{name} has {found} rows instead of {expected}"
    ),
    "not_finite": Text("{name} 含有无效数值", "{name} holds numbers that are not finite"),
    "dim_of_card": Text(
        "官方文件的嵌入是 {found} 维，说明卡写的是 {expected} 维",
        "the official files have {found} embedding numbers, its card says {expected}",
    ),
    "card_unreadable": Text("说明卡无法读取（{reason}）", "its card cannot be read ({reason})"),
    "card_not_json": Text("说明卡不是有效的 JSON", "its card is not JSON"),
    "file_unreadable": Text("{file} 无法读取（{reason}）", "{file} cannot be read ({reason})"),
    # An object that is no recording.
    "source_kind": Text("它的类型是 {kind}", "it is an object of type {kind}"),
    "source_no_array": Text(
        "{kind} 无法转成数组（{reason}）", "its {kind} makes no array ({reason})"
    ),
    "source_no_rate": Text("单独的数组没有采样率", "an array alone has no sample rate"),
    "source_text_file": Text("文件以文本方式打开", "the file is open in text mode"),
    "source_keys": Text("字典里只有 {keys}", "the dict has only {keys}"),
    "source_dtype": Text(
        "数组的类型是 {dtype}，应为浮点、int16、int32、int8 或 uint8",
        "the array holds {dtype}, not floats, int16, int32, int8 or uint8",
    ),
    # An object in object storage.
    "other_length": Text(
        "收到 {found} 字节，应为 {expected} 字节", "{found} bytes came instead of {expected}"
    ),
    # A device.
    "openvino_no_cuda": Text("openvino 后端不支持 CUDA", "the openvino backend knows no CUDA"),
    "onnxruntime_no_cuda": Text(
        "已安装的 ONNX Runtime 不带 CUDA，需要 onnxruntime-gpu",
        "the installed ONNX Runtime is without CUDA; onnxruntime-gpu is needed",
    ),
    "cuda_missing": Text(
        "显卡、驱动、CUDA 或 cuDNN 缺失或版本不符",
        "the graphics card, its driver, CUDA or cuDNN is missing or of another version",
    ),
    # Official weights.
    "not_torch_zip": Text(
        "不是 torch.save 的 zip 文件，或不完整", "it is no zip of torch.save, or cut off"
    ),
    "tensor_length": Text("{name} 的数据长度不对", "the numbers of {name} have the wrong length"),
    "zip_entry": Text(
        "zip 条目 {name} 被压缩、加密或重复",
        "the zip entry {name} is compressed, encrypted or double",
    ),
    "no_pickle": Text("zip 里没有可用的 data.pkl", "its zip holds no data.pkl of a sane size"),
    "byte_order": Text("字节序不是小端", "its byte order is not little-endian"),
    "entry_damaged": Text(
        "{name} 损坏（校验和不符或不完整）", "{name} is damaged (wrong checksum, or cut off)"
    ),
    "no_weights": Text("其中没有权重字典", "it holds no dict of weights"),
    "tensor_list": Text("其中的张量目录已损坏", "its list of tensors is damaged"),
    "header": Text("文件头已损坏", "its header is damaged"),
    "tensor_type": Text(
        "{name} 的类型是 {dtype}，不是 float32/float16/bfloat16",
        "{name} holds {dtype}, not float32, float16 or bfloat16",
    ),
    "tensor_not_finite": Text("{name} 含有 NaN 或无穷大", "{name} holds NaN or infinity"),
    "tensors_missing": Text("缺少：{names}", "missing: {names}"),
    "tensors_unexpected": Text("多余：{names}", "unexpected: {names}"),
    "tensors_misshaped": Text("形状不对：{names}", "of another shape: {names}"),
    # config.yaml of official weights.
    "not_yaml": Text("不是有效的 YAML", "it is not YAML"),
    "missing": Text("缺少这一项", "it is missing"),
    "other_value": Text("是 {found!r}，只支持 {expected!r}", "{found!r}, not {expected!r}"),
    "not_integer": Text(
        "是 {found!r}，应为 {least}–{most} 的整数", "{found!r} is no {least}-{most}"
    ),
    "not_positive": Text("是 {found!r}，应为正数", "{found!r} is no positive number"),
    "not_parsed": Text("{found!r} 无法解析（{reason}）", "{found!r} ({reason})"),
    "not_divisor": Text("不能整除 embed_dim", "it does not divide embed_dim"),
    "even_kernel": Text("卷积核宽度是偶数", "it makes an even kernel"),
    "frames": Text(
        "帧移 {hop}、帧长 {frame}，应为 {expected_hop}、{expected_frame} 个采样点",
        "a frame every {hop} samples over {frame}, not {expected_hop} and {expected_frame}",
    ),
    # The answer of a hub.
    "redirect": Text("转向 {address}", "a redirect to {address}"),
    "compressed": Text("内容被压缩（{coding}）", "it is compressed ({coding})"),
    "web_page": Text("是一个网页，不是文件", "it is a web page, not a file"),
    "no_length": Text("没有说明长度", "it does not say how long it is"),
    # A list of recordings.
    "list_empty": Text("列表里没有任何录音", "it names no recording"),
    "quote_open": Text("这一行的引号没有闭合", "a quotation mark that opens in it is not closed"),
    "path_nul": Text("路径含有 NUL 字符", "its path holds a NUL character"),
    "path_line_break": Text(
        "路径里有换行，可能是引号没有闭合",
        "its path holds a line break, as where a quotation mark is not closed",
    ),
    "list_not_utf8": Text(
        "不是 UTF-8 编码，请把列表另存为 UTF-8", "it is not UTF-8; save the list as UTF-8"
    ),
    "no_value": Text("缺少 {column}", "it has no {column}"),
    "no_number": Text("{column} 不是数（{value}）", "{column} is no number ({value})"),
    "command": Text(
        "这是一条命令（以 | 结尾），不会执行；请写音频文件的路径",
        "it is a command (it ends in |), which is not run; write the path of a file",
    ),
    "header_lacks": Text(
        "第一行应是列名，其中要有 {word}（或 {others}），而不是 {found!r}",
        "the first row must name the columns, one of them {word} (or {others}), and is {found!r}",
    ),
    "key_lacks": Text(
        "缺少键 {word}（或 {others}）；有的键是 {found!r}",
        "its object has no {word} (or {others}), but {found!r}",
    ),
    "not_json_object": Text("这一行不是 JSON 对象", "it is no JSON object"),
    "map_lacks_emotion": Text(
        "{word!r} 不是九种情绪之一；留空表示去掉这些行",
        "{word!r} is none of the nine emotions; leave it empty to drop such rows",
    ),
    "map_empty": Text("里面没有一对「标签, 情绪」", "it holds no pair of a label and an emotion"),
    "map_twice": Text("标签 {word!r} 出现了两次", "the label {word!r} stands in it twice"),
    "no_emotion_table": Text(
        "audformat 数据库里没有含情绪列的表", "the audformat database has no table of emotions"
    ),
    "part_of_file": Text(
        "它是文件的一段，只能识别整个文件",
        "it is a part of a file, and only whole files are recognized",
    ),
    # Answers and scores of another tool.
    "scores_missing": Text("既没有答案，也没有分数", "there are neither answers nor scores"),
    "scores_none": Text("一段录音也没有", "there is no clip"),
    "scores_length": Text(
        "{name} 有 {found} 个，应为 {expected} 个",
        "{name} has {found} values instead of {expected}",
    ),
    "scores_shape": Text(
        "分数的形状是 {shape}，应为 (录音数, {columns})",
        "the scores have shape {shape} instead of (clips, {columns})",
    ),
    "scores_not_finite": Text("分数里有 NaN 或无穷大", "a score is NaN or infinite"),
    "scores_no_probabilities": Text(
        "分数不是概率（不为负，每行和为 1）；请先做 softmax",
        "the scores are no probabilities (not negative, each row summing to 1); take the softmax",
    ),
    "label_dropped": Text("标签 {word!r} 按映射表应去掉", "the map leaves out the label {word!r}"),
    "no_emotion_index": Text(
        "{value} 不是情绪的编号（0–{last}）", "{value} is no index of an emotion (0 to {last})"
    ),
    "no_answer": Text(
        "既没有答案列，也没有各情绪的分数列（有的列：{found}）",
        "it has neither an answer nor scores of emotions, but {found}",
    ),
    "column_twice": Text("有 {count} 列都叫 {word}", "{count} columns are called {word}"),
    "list_not_json": Text("不是 JSON 对象（{reason}）", "it is no JSON object ({reason})"),
    "list_not_parquet": Text("不是完好的 Parquet（{reason}）", "it is no sound Parquet ({reason})"),
    # A file of spans.
    "span_times": Text("缺少起止时间，或时间无法读取", "its start and end cannot be read"),
    "span_backwards": Text(
        "时间段 {start_s:g}–{end_s:g} 秒无效：须从 0 起，起点不晚于终点",
        "the span {start_s:g}-{end_s:g} s does not run forward from zero on",
    ),
    "spans_none": Text("里面没有时间段", "it holds no span"),
    "spans_unknown": Text(
        "不是 Kaldi segments、含 start 和 end 列的 CSV、TextGrid、EAF、SRT 或 WebVTT",
        "it is no Kaldi segments, CSV with start and end, TextGrid, EAF, SRT or WebVTT",
    ),
    "spans_no_text": Text(
        "不是 UTF-8、UTF-16 或 GB18030 编码的文本",
        "it is no text in UTF-8, UTF-16 or GB18030",
    ),
    "spans_without_tiers": Text("这种格式没有层", "this format has no tiers"),
    "tier_missing": Text(
        "没有名为 {tier} 的层；有的层是：{tiers}",
        "it has no tier {tier}; its tiers are: {tiers}",
    ),
    "spans_of_others": Text(
        "没有录音 {recording} 的时间段", "it has no span of the recording {recording}"
    ),
    "spans_of_one": Text(
        "没有写明每个时间段属于哪个录音，所以只能用于一个录音",
        "it does not say which recording each span belongs to, so it can be used for one only",
    ),
    # A settings file.
    "utf16": Text("编码是 UTF-16，请另存为 UTF-8", "it is UTF-16; save the file as UTF-8"),
    "not_utf8": Text("不是 UTF-8 编码，请另存为 UTF-8", "it is not UTF-8; save it so"),
    "not_toml": Text("不是有效的 TOML（{reason}）", "it is not TOML ({reason})"),
    # A server that should get no requests.
    "keys_unusable": Text("密钥文件无法使用", "its key file cannot be used"),
    "disk_nearly_full": Text("磁盘将满", "its disk is nearly full"),
    "decoders_gone": Text("没有解码进程", "it has no decoding process"),
    "jobs_damaged": Text(
        "任务数据库已损坏，刚刚移到一旁", "its jobs database was damaged and has been put aside"
    ),
    "jobs_unusable": Text(
        "任务数据库无法使用（{reason}）", "its jobs database cannot be used ({reason})"
    ),
    "jobs_stopped": Text("任务线程已停止", "its job worker has ended"),
    # What a system or a library says has no translation.
    "as_said": Text("{reason}", "{reason}"),
}


def reason(key: str, **data: object) -> dict[str, str]:
    """Return a reason as the two values of an error: ``reason_zh`` and ``reason_en``.

    Args:
        key: a key of ``REASONS``.
        **data: the values of its gaps.
    """
    text = REASONS[key]
    return {"reason_zh": text("zh", **data), "reason_en": text("en", **data)}
