"""Settings: where each may come from, what wins, and what every mistake is told like."""

from dataclasses import FrozenInstanceError, fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from stanchion.settings import SETTINGS, Settings, SettingsError, load, reread_queues


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, text: str, name: str = "stanchion.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def mistakes_of(folder: Path, environment: dict[str, str] | None = None, **flags: object) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(flags, environment or {}, folder=folder)
    assert str(caught.value) == "\n".join(caught.value.mistakes)
    # The folder of the test is not part of what is being said.
    return [line.replace(f"{folder}/", "") for line in caught.value.mistakes]


# ── Declaration ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_field_but_the_queues_is_a_declared_setting() -> None:
    assert [each.name for each in SETTINGS] == [each.name for each in fields(Settings) if each.name != "queues"]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)
def test_every_setting_says_what_it_is_for_in_a_sentence(setting) -> None:
    assert setting.help[0].isupper()
    assert setting.help.endswith(".")
    assert bool(setting.metavar) != setting.is_switch


def test_a_setting_has_the_same_name_everywhere() -> None:
    names = {each.name: (each.flag, each.variable, each.key) for each in SETTINGS}
    assert names["public_url"] == ("--public-url", "STANCHION_PUBLIC_URL", "public-url")


def test_settings_do_not_change(folder: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        load({}, {}, folder=folder).port = 1  # type: ignore[misc]


# ── Where values come from ───────────────────────────────────────────────────────────────────────────────


def test_without_a_word_the_defaults_hold(folder: Path) -> None:
    settings = load({}, {}, folder=folder)
    assert settings == Settings(auth="off", log_format="json")
    assert (settings.host, settings.port, settings.store) == ("127.0.0.1", 9324, "sqlite:stanchion.db")
    assert (settings.region, settings.account, settings.durability) == ("us-east-1", "000000000000", "fsync")


def test_a_flag_wins_over_the_environment_which_wins_over_the_file(folder: Path) -> None:
    write(folder, 'port = 1\nregion = "eu-west-1"\naccount = "111111111111"\nworkers = 1')
    environment = {"STANCHION_PORT": "2", "STANCHION_REGION": "eu-west-2"}
    settings = load({"port": "3", "region": None}, environment, folder=folder)
    assert (settings.port, settings.region, settings.account) == (3, "eu-west-2", "111111111111")


def test_the_default_file_is_read_when_it_is_there(folder: Path) -> None:
    path = write(folder, "port = 4711")
    settings = load({}, {}, folder=folder)
    assert (settings.port, settings.config) == (4711, path)


def test_a_named_file_is_read_instead_of_the_default_one(folder: Path) -> None:
    write(folder, "port = 1")
    other = write(folder, "port = 2", "other.toml")
    assert load({"config": str(other)}, {}, folder=folder).port == 2
    assert load({}, {"STANCHION_CONFIG": "other.toml"}, folder=folder).port == 2


def test_an_empty_variable_counts_as_absent(folder: Path) -> None:
    assert load({}, {"STANCHION_PORT": ""}, folder=folder).port == 9324


def test_other_variables_are_nobodys_business(folder: Path) -> None:
    assert load({}, {"STANCHION_REQUIRE_ALL": "1", "PORT": "x"}, folder=folder).port == 9324


def test_every_value_that_text_can_carry_is_read(folder: Path) -> None:
    environment = {
        "STANCHION_HOST": "[::1]",
        "STANCHION_CONSOLE": "off",
        "STANCHION_STORE": "memory",
        "STANCHION_DURABILITY": "os",
        "STANCHION_REGIONS": "us-east-1, eu-west-1,",
        "STANCHION_PUBLIC_URL": "https://queues.example.com/",
        "STANCHION_CREDENTIALS": "keys",
        "STANCHION_SIGV2": "Yes",
        "STANCHION_TRUSTED_PROXIES": "10.1.2.3/8,::1",
        "STANCHION_CORS_ORIGINS": "*",
        "STANCHION_IN_FLIGHT_LIMIT": "5",
    }
    settings = load({}, environment, folder=folder)
    assert settings.host == "::1"
    assert (settings.console, settings.sigv2) == (False, True)
    assert (settings.store, settings.durability) == ("memory", "os")
    assert settings.regions == ("us-east-1", "eu-west-1")
    assert settings.public_url == "https://queues.example.com"
    assert settings.credentials == Path("keys")
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert settings.cors_origins == ("*",)
    assert settings.in_flight_limit == 5


def test_the_file_uses_the_types_of_toml(folder: Path) -> None:
    write(folder, 'console = false\nmax-connections = 7\ncors-origins = ["https://a.example", "https://b.example"]')
    settings = load({}, {}, folder=folder)
    assert (settings.console, settings.max_connections) == (False, 7)
    assert settings.cors_origins == ("https://a.example", "https://b.example")


def test_a_path_may_start_in_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert load({"credentials": "~/keys"}, {}, folder=folder).credentials == folder / "keys"


# ── Defaults that depend on the rest ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_auth_is_off_on_loopback_without_credentials(folder: Path, host: str) -> None:
    settings = load({"host": host}, {}, folder=folder)
    assert (settings.auth, settings.loopback_only) == ("off", True)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_credentials_turn_auth_on(folder: Path, host: str) -> None:
    assert load({"host": host, "credentials": "keys"}, {}, folder=folder).auth == "sigv4"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "queues.example.com"])
def test_beyond_loopback_auth_off_has_to_be_written_out(folder: Path, host: str) -> None:
    assert mistakes_of(folder, host=host) == [
        f"host, from --host: other machines can reach {host}, and nobody would need a key; "
        "give --credentials FILE, or write out --auth off"
    ]
    settings = load({"host": host, "auth": "off"}, {}, folder=folder)
    assert (settings.auth, settings.loopback_only) == ("off", False)


def test_auth_may_be_off_though_there_are_credentials(folder: Path) -> None:
    assert load({"credentials": "keys", "auth": "off"}, {}, folder=folder).auth == "off"


def test_sigv4_needs_credentials(folder: Path) -> None:
    assert mistakes_of(folder, {"STANCHION_AUTH": "sigv4"}) == [
        "auth, from the environment (STANCHION_AUTH): sigv4 has no keys to check against; give --credentials FILE too"
    ]


@pytest.mark.parametrize(("terminal", "expected"), [(True, "text"), (False, "json")])
def test_the_log_is_text_on_a_terminal_and_json_elsewhere(folder: Path, terminal: bool, expected: str) -> None:
    assert load({}, {}, folder=folder, terminal=terminal).log_format == expected
    assert load({"log_format": "text"}, {}, folder=folder, terminal=terminal).log_format == "text"


# ── Mistakes ─────────────────────────────────────────────────────────────────────────────────────────────

MISTAKES = [
    ("port", "abc", "'abc' is not possible; give a whole number from 0 to 65535"),
    ("port", "65536", "'65536' is not possible; give a whole number from 0 to 65535"),
    ("port", "-1", "'-1' is not possible; give a whole number from 0 to 65535"),
    ("port", "1" * 5000, f"'{'1' * 5000}' is not possible; give a whole number from 0 to 65535"),
    ("console", "maybe", "'maybe' is neither yes nor no; give true or false"),
    ("host", "", "'' is not a text; give one that is not empty"),
    ("store", "redis:x", "'redis:x' names no store; give sqlite:PATH or memory"),
    ("store", "sqlite:", "'sqlite:' names no store; give sqlite:PATH or memory"),
    ("store", "postgresql://db/x", "PostgreSQL comes in a later version; give sqlite:PATH or memory"),
    ("durability", "maybe", "'maybe' is not possible; give fsync or os"),
    ("workers", "2", "more than one process comes in a later version; give 1"),
    ("workers", "0", "'0' is not possible; give a whole number from 1 to 64"),
    ("region", "Mars 1", "'Mars 1' is not possible; give a name such as us-east-1"),
    ("regions", "us-east-1,?", "'?' is not possible; give a name such as us-east-1"),
    ("account", "12", "'12' is not possible; give 12 digits"),
    ("public_url", "queues", "'queues' cannot start a queue URL; give http://HOST:PORT or https://HOST"),
    ("public_url", "http://h:x", "'http://h:x' cannot start a queue URL; give http://HOST:PORT or https://HOST"),
    ("public_url", "http://h/?a", "'http://h/?a' cannot start a queue URL; give http://HOST:PORT or https://HOST"),
    ("credentials", "~nobody.at.all/x", "'~nobody.at.all/x' is in no known home folder; give the whole path"),
    ("auth", "maybe", "'maybe' is not possible; give off or sigv4"),
    (
        "tls_cert",
        "x.pem",
        "HTTPS comes in a later version; leave it out and put a TLS proxy in front (see trusted-proxies)",
    ),
    ("trusted_proxies", "proxy", "'proxy' is no network; give addresses such as 10.0.0.7 or 10.0.0.0/8"),
    (
        "cors_origins",
        "example.com",
        "'example.com' is not possible; give *, or origins such as https://app.example.com",
    ),
    ("log_format", "xml", "'xml' is not possible; give text or json"),
    ("max_body_bytes", "1", "'1' is not possible; give a whole number from 1048576 to 1073741824"),
]


@pytest.mark.parametrize(("name", "value", "told"), MISTAKES, ids=lambda each: each[:30])
def test_a_mistake_is_one_line_with_the_setting_its_origin_and_the_cure(
    folder: Path, name: str, value: str, told: str
) -> None:
    key = name.replace("_", "-")
    assert mistakes_of(folder, **{name: value}) == [f"{key}, from --{key}: {told}"]
    if value:
        variable = f"STANCHION_{name.upper()}"
        assert mistakes_of(folder, {variable: value}) == [f"{key}, from the environment ({variable}): {told}"]
    write(folder, f'{key} = "{value}"')
    assert mistakes_of(folder) == [f"{key}, from stanchion.toml: {told}"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("port = true", "port, from stanchion.toml: true is not possible; give a whole number from 0 to 65535"),
        ("port = 1.5", "port, from stanchion.toml: 1.5 is not possible; give a whole number from 0 to 65535"),
        ("region = 7", "region, from stanchion.toml: 7 is not possible; give a name such as us-east-1"),
        ("store = [1]", "store, from stanchion.toml: [1] is not a text; give one that is not empty"),
        ("auth = [1]", "auth, from stanchion.toml: [1] is not possible; give off or sigv4"),
        ("regions = 7", "regions, from stanchion.toml: 7 is not a list; give its items with commas between them"),
        ("account = 1999-01-01", 'account, from stanchion.toml: "1999-01-01" is not possible; give 12 digits'),
        ("prot = 1", "prot, from stanchion.toml: there is no such setting; did you mean port?"),
        ("xyzzy = 1", "xyzzy, from stanchion.toml: there is no such setting; stanchion serve --help lists them all"),
        (
            'config = "x"',
            "config, from stanchion.toml: there is no such setting; stanchion serve --help lists them all",
        ),
    ],
)
def test_mistakes_that_only_a_file_can_make(folder: Path, line: str, told: str) -> None:
    write(folder, line)
    assert mistakes_of(folder) == [told]


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    lines = mistakes_of(folder, {"STANCHION_ACCOUNT": "x"}, port="y")
    assert [line.split(",")[0] for line in lines] == ["port", "account"]


def test_a_region_outside_the_regions_is_a_mistake(folder: Path) -> None:
    assert mistakes_of(folder, regions="eu-west-1,eu-west-2") == [
        "regions, from --regions: us-east-1, which is the region, is not among them; add it"
    ]


def test_a_named_file_has_to_exist(folder: Path) -> None:
    assert mistakes_of(folder, config="none.toml") == [
        "config, from --config: there is no file none.toml; name one that exists"
    ]
    assert mistakes_of(folder, config="") == ["config, from --config: '' is not a text; give one that is not empty"]


def test_a_file_that_is_not_toml_is_a_mistake(folder: Path) -> None:
    write(folder, "port: 1")
    (line,) = mistakes_of(folder)
    assert line.startswith("config: stanchion.toml is not TOML (")
    assert line.endswith("at line 1, column 5)); mend that line")


def test_a_file_that_is_not_utf8_is_a_mistake(folder: Path) -> None:
    (folder / "stanchion.toml").write_bytes(b'region = "\xff"')
    assert mistakes_of(folder) == ["config: stanchion.toml is not UTF-8; save it as that"]


# ── Declared queues ──────────────────────────────────────────────────────────────────────────────────────


def test_a_queue_needs_only_a_name(folder: Path) -> None:
    write(folder, 'account = "123456789012"\nregion = "eu-west-1"\n[[queues]]\nname = "jobs"')
    (queue,) = load({}, {}, folder=folder).queues
    assert (queue.name, queue.account, queue.region) == ("jobs", "123456789012", "eu-west-1")
    assert (queue.attributes, queue.tags) == ({}, {})


def test_what_a_queue_declares_becomes_the_text_that_sqs_knows(folder: Path) -> None:
    write(
        folder,
        """
        regions = ["us-east-1", "eu-west-1"]
        [[queues]]
        name = "jobs.fifo"
        account = "123456789012"
        region = "eu-west-1"
        attributes = { FifoQueue = true, VisibilityTimeout = 60, RedrivePolicy = { maxReceiveCount = 5 } }
        tags = { team = "billing", tier = 1 }
        policy = { Version = "2012-10-17", Statement = [] }
        """,
    )
    (queue,) = load({}, {}, folder=folder).queues
    assert queue.attributes == {
        "FifoQueue": "true",
        "VisibilityTimeout": "60",
        "RedrivePolicy": '{"maxReceiveCount":5}',
        "Policy": '{"Version":"2012-10-17","Statement":[]}',
    }
    assert queue.tags == {"team": "billing", "tier": "1"}
    assert (queue.account, queue.region) == ("123456789012", "eu-west-1")


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("queues = 1", "queues, from stanchion.toml: not a list of tables; write [[queues]] above each"),
        ("[[queues]]", "queue number 1, from stanchion.toml: it has no name; give one"),
        (
            '[[queues]]\nname = "a"\n[[queues]]\nname = "a"',
            "queue a, from stanchion.toml: it is declared twice; keep one",
        ),
        (
            '[[queues]]\nname = "a"\ncolour = "red"',
            "queue a, from stanchion.toml: there is no key colour; "
            "a queue has name, account, region, attributes, tags, policy",
        ),
        (
            '[[queues]]\nname = "a"\naccount = "1"',
            "queue a, from stanchion.toml: '1' is not possible; give 12 digits",
        ),
        (
            '[[queues]]\nname = "a"\nregion = "eu-west-1"',
            "queue a, from stanchion.toml: no request could reach region eu-west-1; add it to regions",
        ),
        (
            '[[queues]]\nname = "a"\ntags = ["x"]',
            "queue a, from stanchion.toml: tags is not a table; write tags = { NAME = VALUE }",
        ),
        (
            '[[queues]]\nname = "a"\npolicy = "{}"\nattributes = { Policy = "{}" }',
            "queue a, from stanchion.toml: it has both policy and an attribute Policy; keep one",
        ),
    ],
)
def test_a_mistake_in_a_declared_queue_names_the_queue(folder: Path, declared: str, told: str) -> None:
    write(folder, declared)
    assert mistakes_of(folder) == [told]


def test_queues_can_be_read_again(folder: Path) -> None:
    write(folder, '[[queues]]\nname = "one"')
    settings = load({}, {}, folder=folder)
    write(folder, '[[queues]]\nname = "one"\n[[queues]]\nname = "two"')
    assert [queue.name for queue in reread_queues(settings)] == ["one", "two"]
    write(folder, "[[queues")
    with pytest.raises(SettingsError, match="is not TOML"):
        reread_queues(settings)


def test_without_a_file_there_is_nothing_to_read_again(folder: Path) -> None:
    assert reread_queues(load({}, {}, folder=folder)) == ()
