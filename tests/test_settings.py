from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emoscope.errors import SettingError, SettingsFileError
from emoscope.limits import COMMAND_LINE, UPLOAD
from emoscope.settings import Settings, language_of, load_settings


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``emoscope.toml`` is looked for in the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_toml(text: str) -> None:
    """Write the settings file of the working folder."""
    Path("emoscope.toml").write_text(text, "utf-8")


def test_defaults_are_safe() -> None:
    settings = load_settings()

    assert (settings.host, settings.port) == ("127.0.0.1", 7860)
    assert settings.model == "auto"
    assert settings.outputs == Path("outputs")
    assert settings.upload_limits.max_bytes == UPLOAD.max_bytes == 10_000_000
    assert settings.upload_limits.max_duration_s == UPLOAD.max_duration_s
    assert settings.file_limits == COMMAND_LINE


def test_argument_beats_environment_beats_file_beats_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load_settings().port == 7860
    write_toml("port = 1001\nthreads = 3\n")
    assert load_settings().port == 1001
    monkeypatch.setenv("EMOSCOPE_PORT", "1002")
    assert load_settings().port == 1002
    assert load_settings(port=1003).port == 1003
    # A setting that nobody above names comes from below.
    assert load_settings(port=1003).threads == 3
    assert load_settings(port=1003).queue_size == 64


def test_an_argument_of_none_was_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOSCOPE_MODEL", "compact")

    assert load_settings(model=None).model == "compact"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_description(name: str) -> None:
    assert Settings.model_fields[name].description


def test_lists_come_from_toml_and_from_json_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_toml('allowed_hosts = ["a.example"]\n')
    assert load_settings().allowed_hosts == ("a.example",)
    monkeypatch.setenv("EMOSCOPE_ALLOWED_HOSTS", '["b.example", "c.example"]')
    assert load_settings().allowed_hosts == ("b.example", "c.example")


def test_limits_follow_their_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOSCOPE_UPLOAD_MAX_BYTES", "5000")
    monkeypatch.setenv("EMOSCOPE_UPLOAD_MAX_DURATION_S", "12.5")
    settings = load_settings(max_duration_s=99.0)

    assert settings.upload_limits.max_bytes == 5_000
    assert settings.upload_limits.max_duration_s == 12.5
    assert settings.file_limits.max_duration_s == 99.0
    assert settings.file_limits.max_bytes is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("PORT", "http"),
        ("THREADS", "-1"),
        ("LANGUAGE", "fr"),
        ("UPLOAD_MAX_BYTES", "0"),
        ("MAX_DURATION_S", "0"),
        ("MAX_DURATION_S", "nan"),
        ("QUEUE_SIZE", "0"),
    ],
)
def test_bad_values_name_their_setting(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"EMOSCOPE_{name}", value)

    with pytest.raises(SettingError) as caught:
        load_settings()
    assert caught.value.data["setting"] == name.lower()
    assert caught.value.data["reason"]
    assert name.lower() in caught.value.detail_zh


def test_a_list_that_is_no_json_is_a_setting_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOSCOPE_ALLOWED_HOSTS", "a.example")

    with pytest.raises(SettingError, match="allowed_hosts"):
        load_settings()


def test_a_misspelt_key_in_the_file_is_told_and_not_ignored() -> None:
    write_toml("prot = 8000\n")

    with pytest.raises(SettingError) as caught:
        load_settings()
    assert caught.value.data["setting"] == "prot"


def test_a_misspelt_argument_is_told() -> None:
    with pytest.raises(SettingError) as caught:
        load_settings(prot=8000)
    assert caught.value.data["setting"] == "prot"


@pytest.mark.parametrize("text", ["port = \n", "port = 'http'\n", "[[[", "port: 8000"])
def test_a_file_that_cannot_be_used_is_a_setting_error(text: str) -> None:
    write_toml(text)

    with pytest.raises(SettingError):
        load_settings()


def test_a_file_that_is_no_utf_8_is_a_setting_error() -> None:
    Path("emoscope.toml").write_bytes('model = "大"\n'.encode("gbk"))

    with pytest.raises(SettingError):
        load_settings()


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"port = 1\nmodel = \n", 2, "not TOML (Invalid value)"),
        (b'port = 1\nmodel = "a', 2, "not TOML (Unterminated string)"),
        (b"port: 8000", 1, "not TOML"),
        (b"a = [\n1,\n", 3, "not TOML"),
        ('port = 1\nmodel = "大"\n'.encode("gbk"), 2, "not UTF-8"),
        ("port = 1\n".encode("utf-16"), 1, "UTF-16"),
        (b"\xfe\xff\0p", 1, "UTF-16"),
        (b"port = 1\0\n", 1, "not TOML"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(
    data: bytes, line: int, reason: str
) -> None:
    Path("emoscope.toml").write_bytes(data)

    with pytest.raises(SettingsFileError) as caught:
        load_settings()
    assert caught.value.data["line"] == line
    assert reason in caught.value.detail_en
    assert f"第 {line} 行" in caught.value.detail_zh


def test_a_byte_order_mark_is_no_setting() -> None:
    Path("emoscope.toml").write_bytes(b"\xef\xbb\xbfport = 1001\n")

    assert load_settings().port == 1001


def test_a_file_that_the_system_refuses_is_told() -> None:
    Path("emoscope.toml").mkdir()

    with pytest.raises(SettingsFileError):
        load_settings()


@pytest.mark.parametrize("name", ["model", "outputs", "keys", "tls_cert", "tls_key"])
@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_path_is_not_the_current_folder(name: str, text: str) -> None:
    write_toml(f'{name} = "{text}"\n')

    with pytest.raises(SettingError) as caught:
        load_settings()
    assert caught.value.data["setting"] == name
    assert "empty" in caught.value.detail_en


@given(st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_ends_in_anything_but_a_setting_error(data: bytes) -> None:
    Path("emoscope.toml").write_bytes(data)

    with suppress(SettingError):
        load_settings()


def test_names_of_the_environment_that_are_no_settings_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``EMOSCOPE_CACHE`` is read elsewhere, and other programs may have their own."""
    monkeypatch.setenv("EMOSCOPE_CACHE", "somewhere")
    monkeypatch.setenv("PORT", "1")

    assert load_settings().port == 7860


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "ZH_tw"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
    ],
)
def test_the_language_follows_the_machine(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert language_of("auto") == expected


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_chosen_language_beats_the_machine(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8" if language == "en" else "en_US.UTF-8")

    assert language_of(language) == language
