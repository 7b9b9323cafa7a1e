"""The configuration: environment before file before defaults, and sentences that name what is wrong."""

import re
from pathlib import Path

import pytest

import config
from config import ConfigurationError, load, unknown_variables, variables


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*variables(), config.CONFIG_VARIABLE]:
        monkeypatch.delenv(name, raising=False)


def test_the_defaults_are_what_outside_scripts_rely_on() -> None:
    found = load()
    assert found.data_dir == Path("data")
    assert found.http.port == 8080
    assert found.media.port == 40000
    assert found.media.announced_addresses == ()
    assert found.database.url is None


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "huitang.toml"
    file.write_text('[http]\nport = 9000\nhost = "127.0.0.1"\n[media]\nannounced_addresses = ["192.0.2.1"]\n')
    monkeypatch.setenv("HUITANG_HTTP__PORT", "9001")
    found = load(file)
    assert (found.http.port, found.http.host) == (9001, "127.0.0.1")
    assert found.media.announced_addresses == ("192.0.2.1",)


def test_the_file_can_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "huitang.toml"
    file.write_text("[media]\nport = 41000\n")
    monkeypatch.setenv("HUITANG_CONFIG", str(file))
    assert load().media.port == 41000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('["192.0.2.1", "2001:db8::1"]', ("192.0.2.1", "2001:db8::1")),
        ("192.0.2.1, 2001:db8::1", ("192.0.2.1", "2001:db8::1")),
        ("[]", ()),
        ("", ()),
    ],
)
def test_lists_are_json_or_plain(
    value: str, expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUITANG_MEDIA__ANNOUNCED_ADDRESSES", value)
    assert load().media.announced_addresses == expected


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HUITANG_HTTP__PORT", "eighty", "valid integer"),
        ("HUITANG_HTTP__PORT", "70000", "65535"),
        ("HUITANG_MEDIA__PORT", "-1", "greater than or equal to 0"),
        ("HUITANG_MEDIA__ANNOUNCED_ADDRESSES", '["meet.example.org"]', "is not an IP address"),
        ("HUITANG_MEDIA__ANNOUNCED_ADDRESSES", '["192.0.2.1"', "JSON list"),
        ("HUITANG_MEDIA__PLANE_THREADS", "0", "greater than or equal to 1"),
        ("HUITANG_HTTP__TRUSTED_PROXIES", "nginx", "is not an address or network"),
        ("HUITANG_HTTP__PUBLIC_ORIGINS", "meet.example.org", "is not an origin"),
        ("HUITANG_HTTP__PUBLIC_ORIGINS", "https://meet.example.org/path", "is not an origin"),
        ("HUITANG_TLS__CERTIFICATE", "cert.pem", "give both or neither"),
        ("HUITANG_LOG__LEVEL", "loud", "Input should be"),
        ("HUITANG_ROOMS__GRACE_SECONDS", "inf", "less than or equal to 600"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert name.rpartition("__")[0] in str(caught.value)
    assert words in str(caught.value)


def test_passwords_in_a_wrong_configuration_are_not_printed(tmp_path: Path) -> None:
    file = tmp_path / "huitang.toml"
    file.write_text("[database]\nurl = 5\n")
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    assert "database.url in the configuration file" in str(caught.value)
    assert "5" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[http]\nprot = 1\n", "http.prot in the configuration file is not a setting; did you mean"),
        ("[http\n", "cannot be read"),
        ("colour = 1\n", "colour in the configuration file is not a setting"),
    ],
)
def test_a_wrong_file_is_refused(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "huitang.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        load(file)


@pytest.mark.parametrize(
    ("text", "variable", "value", "words"),
    [
        ("data_dir = 5\n", "HUITANG_DATA_DIR", "elsewhere", "data_dir in the configuration file is wrong"),
        ("http = 3\n", "HUITANG_HTTP__PORT", "9001", "http in the configuration file is wrong"),
        (
            "[http]\nport = 'eighty'\n",
            "HUITANG_HTTP__PORT",
            "9001",
            "http.port in the configuration file is wrong",
        ),
        (
            '[http]\ntrusted_proxies = ["nginx"]\n',
            "HUITANG_HTTP__TRUSTED_PROXIES",
            "10.0.0.1",
            "http.trusted_proxies in the configuration file is wrong",
        ),
    ],
)
def test_a_wrong_value_of_the_file_is_refused_also_where_the_environment_hides_it(
    text: str, variable: str, value: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "huitang.toml"
    file.write_text(text)
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    assert str(caught.value).startswith(words)
    assert len(str(caught.value).splitlines()) == 1


def test_file_and_environment_make_a_section_whole_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "huitang.toml"
    file.write_text('[tls]\ncertificate = "cert.pem"\n')
    monkeypatch.setenv("HUITANG_TLS__KEY", "key.pem")
    found = load(file)
    assert (found.tls.certificate, found.tls.key) == (Path("cert.pem"), Path("key.pem"))


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist: correct --config"):
        load(tmp_path / "none.toml")


def test_misspelt_variables_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUITANG_DATADIR", "x")
    monkeypatch.setenv("HUITANG_SOMETHING_ELSE_ENTIRELY", "x")
    found = unknown_variables()
    assert found["HUITANG_DATADIR"] == "HUITANG_DATA_DIR"
    assert "HUITANG_SOMETHING_ELSE_ENTIRELY" in found


def test_every_setting_says_what_it_is() -> None:
    assert len(variables()) > 20
    assert [name for name, (_, description) in variables().items() if not description] == []


def test_the_configuration_guide_lists_every_setting() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    rows = dict(re.findall(r"^\| `(HUITANG_\w+)` \| (.*?) \|", guide, re.MULTILINE))
    expected = {name: f"`{default}`" if default else "" for name, (default, _) in variables().items()}
    assert rows == expected
