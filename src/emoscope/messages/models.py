"""Words and sentences of ``emoscope models``."""

from __future__ import annotations

from emoscope.messages.languages import Text

MODEL_TEXTS: dict[str, Text] = {
    "name": Text("模型", "Model"),
    "state": Text("状态", "State"),
    "size": Text("磁盘", "On disk"),
    "revision": Text("修订", "Revision"),
    "licence": Text("许可", "Licence"),
    "ready": Text("可用", "ready"),
    "partial": Text("未下载完", "partly fetched"),
    "damaged": Text("不可用", "damaged"),
    "absent": Text("未获取", "not here"),
    "found": Text("官方文件已在本机", "official files here"),
    "pulled": Text("{name} 已就绪：{folder}", "{name} is ready: {folder}"),
    "figures": Text("{file}：嵌入余弦 {cosine:.4f}，{clips} 段中 {same} 段首位情绪相同，"
                    "得分最大相差 {difference:.3f}，CPU 时间快 {speedup:.2f} 倍。",
                    "{file}: embedding cosine {cosine:.4f}, same top class in {same} of {clips} "
                    "clips, largest score difference {difference:.3f}, {speedup:.2f} times faster "
                    "in CPU time."),
    "making_int8": Text("正在制作 {model} 的 int8 变体并与精确模型比对，需要一两分钟……",
                        "Making the int8 variant of {model} and comparing it with the exact model; "
                        "this takes a minute or two ..."),
    "agreed": Text("与精确模型一致，可用 --precision int8。",
                   "It agrees with the exact model: --precision int8 may use it."),
    "removed": Text("已删除 {name}，释放 {mb:.0f} MB。", "Removed {name}, {mb:.0f} MB freed."),
    "retrying": Text("{reason} {wait_s:.0f} 秒后重试。",
                     "{reason} Trying again in {wait_s:.0f} s."),
    "other_hub": Text("{hub} 没有成功：{reason}", "{hub} did not work: {reason}"),
    "converting": Text("文件完整，正在转换 {model}……",
                       "The files are whole; converting {model} ..."),
    "whole": Text("{model}：完整、未改动，可以使用。",
                  "{model}: whole, unchanged, ready to use."),
    "error": Text("错误", "error"),
    "warning": Text("注意", "warning"),
    "note": Text("说明", "note"),
}  # fmt: skip
