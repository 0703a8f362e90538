"""Sentences of ``emoscope batch``: its plan, its progress and its end."""

from __future__ import annotations

from emoscope.messages.languages import Text

BATCH_RUN: dict[str, Text] = {
    "plan": Text(
        "共 {rows} 条录音，{shards} 个分片；已完成 {done} 个，待做 {missing} 个（{left} 条）",
        "{rows} recordings in {shards} shards; {done} are done, {missing} are to do ({left} "
        "recordings)",
    ),
    "crew": Text(
        "{workers} 个进程，每个 {threads} 线程（实测：每核一个进程 {many:.1f} 段/秒，"
        "单进程用全部核心 {one:.1f} 段/秒，每段 4 秒）",
        "{workers} processes of {threads} threads (measured: {many:.1f} clips of 4 s a second "
        "with a process for each core, {one:.1f} with one process on all cores)",
    ),
    "crew_given": Text(
        "{workers} 个进程，每个 {threads} 线程", "{workers} processes of {threads} threads"
    ),
    "progress": Text(
        "{done}/{rows} 条（{percent:.1f}%），{hours:.2f} 小时录音，{per_s:.1f} 条/秒，"
        "失败 {failed}",
        "{done}/{rows} recordings ({percent:.1f}%), {hours:.2f} h of sound, {per_s:.1f} a second, "
        "{failed} failed",
    ),
    "left": Text("，剩余约 {left}", ", about {left} left"),
    "failures": Text("  {count} 条失败，例如 {line}", "  {count} failed, such as {line}"),
    "all_failures": Text(
        "  全部失败的录音见 {out} 里的 errors-*.parquet",
        "  All failures are in errors-*.parquet in {out}",
    ),
    "worker": Text(
        "{worker}：分片 {shard}，已完成 {total} 条", "{worker}: shard {shard}, {total} recordings"
    ),
    "lost": Text(
        "{worker} 意外退出（分片 {shard}，正在处理第 {rows} 行）；分片 {shard} 从头重做",
        "{worker} ended unexpectedly (shard {shard}, at rows {rows}); shard {shard} begins anew",
    ),
    "interrupted": Text(
        "已中断。写完的分片都在 {out}；再次运行同一命令即可继续。",
        "Interrupted. The parts that are written stay in {out}; run the same command to go on.",
    ),
    "nothing_left": Text("没有待做的分片。", "No shard is left to do."),
    "end": Text(
        "完成 {done} 条录音（{hours:.2f} 小时），失败 {failed} 条，用时 {time}，写入 {out}",
        "{done} recordings ({hours:.2f} h of sound) in {time}, {failed} of them failed; written "
        "to {out}",
    ),
    "dry_counts": Text(
        "共 {rows} 条录音，{shards} 个分片，{errors} 行无法使用",
        "{rows} recordings in {shards} shards; {errors} rows cannot be used",
    ),
    "dry_hours": Text(
        "约 {hours:.2f} 小时录音（读取了 {looked} 个文件头）",
        "about {hours:.2f} h of sound (from {looked} headers)",
    ),
    "dry_expect": Text(
        "预计用时 {time}，输出约 {size:size}（试做 {sample} 条，{seconds:.1f} 秒录音）",
        "expected: {time}, and {size:size} of output (from a sample of {sample} recordings, "
        "{seconds:.1f} s of sound)",
    ),
    "dry_no_sample": Text(
        "试做的录音都失败了，无法估计用时。",
        "All recordings of the sample failed, so the time cannot be estimated.",
    ),
}
