"""Words that lists of recordings use for the emotions and for their columns."""

from __future__ import annotations

from collections.abc import Mapping

EMOTION_WORDS: Mapping[str, str] = {
    "angry": "anger ang rage furious mad 生气 生氣 愤怒 憤怒"
    " wut ärger wütend ärgerlich verärgert zorn zornig"
    " colère en_colère fâché fâchée furieux furieuse énervé énervée"
    " ira enojo enojado enojada enfado enfadado enfadada rabia furioso furiosa"
    " rabbia rab arrabbiato arrabbiata collera",
    "disgusted": "disgust dis 厌恶 厭惡"
    " ekel angeekelt angewidert dégoût dégoûté dégoûtée"
    " asco asqueado asqueada disgusto disgustato disgustata",
    "fearful": "fear fea afraid scared anxious anxiety 恐惧 恐懼 害怕"
    " angst furcht ängstlich verängstigt peur effrayé effrayée apeuré apeurée"
    " miedo asustado asustada temor paura pau impaurito impaurita spaventato spaventata",
    "happy": "happiness hap joy joyful excited exc elated 开心 開心 快乐 快樂 高兴 高興"
    " freude fröhlich freudig glücklich glück joie joyeux joyeuse heureux heureuse"
    " alegría alegre feliz felicidad gioia gio felice felicità allegro allegra contento contenta",
    "neutral": "neu calm 中立 中性 平静 平靜"
    " neutralität ruhig neutre calme neutro neutra neutrale neutralità calmo calma tranquilo",
    "other": "boredom boredem bored 其他 其它 langeweile gelangweilt ennui ennuyé ennuyée"
    " aburrimiento aburrido aburrida noia annoiato annoiata",
    "sad": "sadness 难过 難過 悲伤 悲傷 伤心 傷心"
    " trauer traurig traurigkeit tristesse triste tristeza tristezza tri",
    "surprised": "surprise sur ps pleasant_surprise pleasant_surprised"
    " 吃惊 吃驚 惊讶 驚訝 惊奇 驚奇 惊喜 驚喜"
    " überraschung überrascht surpris sorpresa sorprendido sorprendida sorpreso sor",
    "unknown": "<unk> unk 未知",
}
"""Words by emotion. A word that a corpus uses for something that is none of the nine (frustration,
say) is not here: guessing would bend the figures. English, Chinese, German, French, Spanish,
Italian."""

EMODB_LETTERS: Mapping[str, str] = {
    "w": "angry",
    "e": "disgusted",
    "a": "fearful",
    "f": "happy",
    "n": "neutral",
    "l": "other",
    "t": "sad",
}
"""Letters for the emotions in the names of EmoDB's files, in German. SAVEE's mean others (``a`` is
anger there), so they are read only where a list is EmoDB's."""

PATH_WORDS = (
    *("path", "file", "wav", "audio", "filename", "audio_path", "audio_filepath"),
    *("路径", "文件", "音频", "文件名"),
)
NAME_WORDS = ("name", "id", "名称", "编号")
LABEL_WORDS = ("emotion", "label", "emo", "情绪", "标签")
SPEAKER_WORDS = ("speaker", "speaker_id", "spk", "spk_id", "actor", "说话人")
CORPUS_WORDS = ("corpus", "dataset", "语料库")
LICENCE_WORDS = ("licence", "license", "许可")
"""What a header may call the columns with path, name, emotion, speaker, corpus and licence
of a recording."""

SPAN_WORDS: Mapping[str, tuple[str, ...]] = {
    "start": ("start", "start_s", "begin", "onset", "from", "起点", "开始"),
    "end": ("end", "end_s", "stop", "offset", "to", "终点", "结束"),
    "text": ("text", "transcript", "sentence", "label", "文本", "文字"),
    "id": ("id", "utt", "utt_id", "utterance", "segment", "编号"),
}
"""What a header may call the columns of a list of spans."""
