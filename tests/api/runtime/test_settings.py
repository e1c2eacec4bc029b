"""An invalid setting stops the start with one line that names it."""

import json
import traceback
from pathlib import Path

import pytest
import trustme

from api.runtime.settings import CallerSettings, Settings, load_settings
from domain.errors import InvalidInput


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_defaults_are_the_published_ones() -> None:
    settings = load_settings()

    assert (settings.host, settings.port, settings.vma_url) == ("127.0.0.1", 8082, "http://localhost:9081")
    assert (settings.poll_interval, settings.probe_timeout, settings.probe_concurrency) == (5, 5, 64)
    assert (settings.retry_backoff_initial, settings.retry_backoff_max) == (5, 60)
    assert (settings.stale_after, settings.stalled_after, settings.reconcile_for) == (30, 900, 86_400)
    assert settings.vma_urls == {"default": "http://localhost:9081"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("POLL_INTERVAL", "0"),
        ("POLL_INTERVAL", "nan"),
        ("RETRY_BACKOFF_INITIAL", "inf"),
        ("UNREACHABLE_TIMEOUT", "inf"),
        ("HOST", ""),
        ("HOST", " "),
        ("DATA_DIR", ""),
        ("VMA_CA_FILE", ""),
        ("COMPLETE_ABOVE_PERCENT", "150"),
        ("COMPLETE_ABOVE_PERCENT", "0.9"),
        ("COMPLETE_ABOVE_PERCENT", "1"),
        ("CONFIRMATION_PROBES", "0"),
        ("VMA_URL", "gopher://x"),
        ("VMA_URL", ""),
        ("VMA_URL", "http://localhost:9081/?tenant=a"),
        ("VMA_URL", "http://localhost:9081/#top"),
        ("VMA_URL", "http:/localhost:9081"),
        ("VMA_URL", " http://localhost:9081"),
        ("VMAS", '{"default": "http://localhost:9082"}'),
        ("VMAS", '{"dc 2": "http://localhost:9082"}'),
        ("VMAS", '{"": "http://localhost:9082"}'),
        ("VMAS", '{"dc2": 1}'),
        ("STALE_AFTER", "1e14"),
        ("RECONCILE_FOR", "1e300"),
        ("SQLITE_SYNCHRONOUS", "OFF"),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "mysql://db/jobs"),
        ("DATABASE_SCHEMA", ""),
        ("DATABASE_SCHEMA", "pg_jobs"),
        ("DATABASE_SCHEMA", "Jobs"),
        ("DATABASE_SCHEMA", "9jobs"),
        ("DATABASE_SCHEMA", "jobs, public"),
        ("DATABASE_SCHEMA", "j" * 64),
        ("READ_MODEL_URL", ""),
        ("READ_MODEL_URL", "mysql://u:p@db/jobs"),
        ("READ_MODEL_URL", "mariadb://db/jobs"),
        ("READ_MODEL_URL", "mariadb://u:p@db"),
        ("READ_MODEL_URL", "mariadb://u:p@db:70000/jobs"),
        ("READ_MODEL_URL", "mariadb://u:p@db/jobs?ssl=yes"),
        ("READ_MODEL_URL", "sqlite://relative"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"JOB_RECOVERY_{name}", value)

    with pytest.raises(InvalidInput, match=f"^JOB_RECOVERY_{name}: ") as refused:
        load_settings()

    assert "\n" not in str(refused.value)


def test_a_share_instead_of_a_percentage_is_refused_with_the_percentage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_RECOVERY_COMPLETE_ABOVE_PERCENT", "0.9")

    with pytest.raises(InvalidInput, match=r"It is a percentage, such as 90, and not a share: for 90 %, set 90$"):
        load_settings()


@pytest.mark.parametrize("percent", ["0", "1.5", "90", "100"])
def test_other_percentages_are_accepted(monkeypatch: pytest.MonkeyPatch, percent: str) -> None:
    monkeypatch.setenv("JOB_RECOVERY_COMPLETE_ABOVE_PERCENT", percent)

    assert load_settings().policy.complete_above_percent == float(percent)


PASSWORD = "canary-pw"
MISTAKEN = [
    f"u:{PASSWORD}@h:9081",
    f"http:/u:{PASSWORD}@h:x",
    f"http//u:{PASSWORD}@h",
    f"http://u:se cret{PASSWORD}@h:bad",
    f'http://u:se"cret{PASSWORD}@h:bad',
    f"http://u:{PASSWORD}{'x' * 400}@h:bad",
    f"http://h:9081?{PASSWORD}",
]


@pytest.mark.parametrize("url", MISTAKEN)
def test_an_invalid_address_is_not_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    mistakes = {"VMA_URL": [url], "VMAS": [json.dumps({"dc2": url}), json.dumps({url: "http://h"}), url]}
    for name, value in [(name, value) for name, values in mistakes.items() for value in values]:
        with monkeypatch.context() as patched:
            patched.setenv(f"JOB_RECOVERY_{name}", value)
            with pytest.raises(InvalidInput) as refused:
                load_settings()

        assert PASSWORD not in str(refused.value)
        assert name in str(refused.value).upper()


def test_the_address_of_a_database_is_in_no_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"postgresql://mara:{PASSWORD}@db.example/jobs"
    monkeypatch.setenv("JOB_RECOVERY_DATABASE_URL", url)

    settings = load_settings()

    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == url
    shown = f"{settings!r} {settings} {settings.model_dump_json()}"
    assert [part for part in (PASSWORD, "mara", "db.example") if part in shown] == []


@pytest.mark.parametrize(
    "url",
    [f"postgresql://mara:{PASSWORD}@x@db/jobs", f"postgresql://mara:{PASSWORD}%zz@db/jobs", f"host=db {PASSWORD}"],
)
def test_an_invalid_address_of_a_database_is_not_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("JOB_RECOVERY_DATABASE_URL", url)

    with pytest.raises(InvalidInput, match=r"^JOB_RECOVERY_DATABASE_URL: .* write % as %25, @ as %40") as refused:
        load_settings()

    assert PASSWORD not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_authorities_of_a_database_that_cannot_be_read_are_named_without_its_password(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    file = elsewhere / "ca.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("JOB_RECOVERY_READ_MODEL_URL", f"mariadb://u:{PASSWORD}@h/d?ssl_ca={file}")

    with pytest.raises(InvalidInput, match=f"^JOB_RECOVERY_READ_MODEL_URL: ssl_ca={file}: ") as refused:
        load_settings()

    assert PASSWORD not in str(refused.value)
    assert "\n" not in str(refused.value)
    trustme.CA().cert_pem.write_to_path(file)
    assert load_settings().read_model_url is not None


@pytest.mark.parametrize("value", ["dc2=http://localhost:9082", "{'dc2': 'http://localhost:9082'}", ""])
def test_vmas_that_are_not_json_are_named_with_an_example(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("JOB_RECOVERY_VMAS", value)

    with pytest.raises(
        InvalidInput, match=r'^JOB_RECOVERY_VMAS: it is not JSON, such as \{"dc2": "http://localhost:9082"\}$'
    ):
        load_settings()


@pytest.mark.parametrize("second", ["http://a", "http://b"])
def test_a_name_that_two_vmas_have_is_refused_and_named(monkeypatch: pytest.MonkeyPatch, second: str) -> None:
    monkeypatch.setenv("JOB_RECOVERY_VMAS", f'{{"dc2": "http://c", "dc3": "http://a", "dc3": "{second}"}}')

    with pytest.raises(InvalidInput, match=r"^JOB_RECOVERY_VMAS: It has 'dc3' twice: give each VMA a name of its own$"):
        load_settings()


def test_an_address_that_stands_twice_in_the_place_of_a_name_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://u:{PASSWORD}@h"
    monkeypatch.setenv("JOB_RECOVERY_VMAS", f'{{"{url}": "http://a", "{url}": "http://b"}}')

    with pytest.raises(InvalidInput, match=r"^JOB_RECOVERY_VMAS: It has a name twice") as refused:
        load_settings()

    assert PASSWORD not in "".join(traceback.format_exception(refused.value))


def test_vmas_of_different_names_may_have_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_RECOVERY_VMAS", '{"dc2": "http://a", "dc3": "http://a"}')

    assert load_settings().vmas == {"dc2": "http://a", "dc3": "http://a"}


def test_vmas_that_are_nested_too_deeply_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_RECOVERY_VMAS", "[" * 100_000)

    with pytest.raises(InvalidInput, match=r"JOB_RECOVERY_VMAS or the TOML file is nested too deeply$"):
        load_settings()


@pytest.mark.parametrize(
    ("host", "address"),
    [("::1", "http://[::1]:8082"), ("127.0.0.1", "http://127.0.0.1:8082"), ("a.b", "http://a.b:8082")],
)
def test_an_ipv6_address_is_in_brackets(host: str, address: str) -> None:
    assert Settings(host=host).address() == address
    assert Settings(host=host).address(1) == address.replace("8082", "1")


def test_the_message_names_the_vma_with_the_invalid_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_RECOVERY_VMAS", '{"dc2": "http://localhost:9082", "dc3": "localhost:9083"}')

    with pytest.raises(InvalidInput, match=r"^JOB_RECOVERY_VMAS: dc3: The address of a VMA must begin with http://"):
        load_settings()


def test_the_value_of_an_unknown_name_is_not_shown(elsewhere: Path) -> None:
    (elsewhere / "job-recovery.toml").write_text(f'vma_ulr = "u:{PASSWORD}@h"\n')

    with pytest.raises(
        InvalidInput, match=r"^JOB_RECOVERY_VMA_ULR: there is no such setting: .* JOB_RECOVERY_VMA_URL\?$"
    ):
        load_settings()


@pytest.mark.parametrize("name", ["JOB_RECOVERY_POLL_INTERVAL", "job_recovery_poll_interval"])
def test_a_name_of_the_environment_in_the_file_is_refused_with_the_one_that_belongs_there(
    elsewhere: Path, name: str
) -> None:
    (elsewhere / "job-recovery.toml").write_text(f"{name} = 5\n")

    with pytest.raises(
        InvalidInput,
        match=r"^JOB_RECOVERY_POLL_INTERVAL: in the settings file this is poll_interval, without JOB_RECOVERY_$",
    ):
        load_settings()


@pytest.mark.parametrize("text", ["a = " + "[" * 3000, 'host = "a\\u0000"', 'data_dir = "a\\u0000"'])
def test_an_unusable_file_is_refused(elsewhere: Path, text: str) -> None:
    (elsewhere / "job-recovery.toml").write_text(text)

    with pytest.raises(InvalidInput, match=r"nested too deeply|NUL character"):
        load_settings()


def test_an_impossible_file_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_RECOVERY_CONFIG", "a" * 300)

    with pytest.raises(InvalidInput, match=r"the settings cannot be read: .*too long"):
        load_settings()


def test_a_toml_file_is_read_and_the_environment_has_priority(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "job-recovery.toml").write_text('port = 9000\nhost = "::1"\n[vmas]\nsecond = "http://vma-2:9081"\n')
    monkeypatch.setenv("JOB_RECOVERY_PORT", "9001")

    settings = load_settings()

    assert (settings.port, settings.host) == (9001, "::1")
    assert settings.vma_urls["second"] == "http://vma-2:9081"


def test_a_missing_or_malformed_file_is_refused(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_RECOVERY_CONFIG", "missing.toml")
    with pytest.raises(InvalidInput, match="JOB_RECOVERY_CONFIG: there is no file missing"):
        load_settings()

    (elsewhere / "bad.toml").write_text("port = = 1")
    monkeypatch.setenv("JOB_RECOVERY_CONFIG", "bad.toml")
    with pytest.raises(InvalidInput, match=r"^the settings file bad\.toml cannot be read: Invalid value \(at line 1"):
        load_settings()


NUMBERS = [name for name, field in Settings.model_fields.items() if isinstance(field.default, int | float)]


@pytest.mark.parametrize("value", ["true", "false"])
@pytest.mark.parametrize("name", NUMBERS)
def test_true_and_false_are_no_numbers(elsewhere: Path, name: str, value: str) -> None:
    (elsewhere / "job-recovery.toml").write_text(f"{name} = {value}\n")

    with pytest.raises(InvalidInput, match=f"^JOB_RECOVERY_{name.upper()}: It is true or false: set a number$"):
        load_settings()


@pytest.mark.parametrize("value", ["40", "40.0", '"40"'])
def test_a_duration_of_the_file_is_a_number_in_any_form(elsewhere: Path, value: str) -> None:
    (elsewhere / "job-recovery.toml").write_text(f"stale_after = {value}\n")

    assert load_settings().stale_after == 40


def test_an_unknown_name_in_the_file_is_refused(elsewhere: Path) -> None:
    (elsewhere / "job-recovery.toml").write_text("prot = 9000\n")

    with pytest.raises(InvalidInput, match="JOB_RECOVERY_PROT"):
        load_settings()


@pytest.mark.parametrize("name", ["JOB_RECOVERY_UNREACHABLE_TIMOUT", "job_recovery_unreachable_timout"])
@pytest.mark.parametrize("kind", [Settings, CallerSettings])
def test_a_misspelled_variable_is_refused_by_naming_the_nearest_setting(
    monkeypatch: pytest.MonkeyPatch, kind: type[Settings], name: str
) -> None:
    monkeypatch.setenv(name, "7200")

    with pytest.raises(InvalidInput, match=rf"^{name}: .* JOB_RECOVERY_UNREACHABLE_TIMEOUT\?$"):
        load_settings(kind)


def test_an_unknown_name_unlike_any_setting_gets_no_suggestion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JOB_RECOVERY_ZZZ", "1")

    with pytest.raises(InvalidInput, match=r"^JOB_RECOVERY_ZZZ: there is no such setting$"):
        load_settings()


def test_other_variables_with_the_prefix_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "JOB_RECOVERY_TOKEN",
        "JOB_RECOVERY_INSTALL",
        "JOB_RECOVERY_TEST_POSTGRES",
        "JOB_RECOVERYX",
        "OTHER_JOB_RECOVERY_PROT",
    ):
        monkeypatch.setenv(name, "1")

    assert load_settings().port == Settings().port


@pytest.mark.parametrize("name", ["POLL_INTERVAL", "PROBE_TIMEOUT", "RETRY_BACKOFF_INITIAL", "RETRY_BACKOFF_MAX"])
def test_a_pause_of_more_than_an_hour_is_taken_for_milliseconds(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"JOB_RECOVERY_{name}", "3600")
    assert getattr(load_settings(), name.lower()) == 3600.0

    monkeypatch.setenv(f"JOB_RECOVERY_{name}", "5000")

    with pytest.raises(InvalidInput, match=f"^JOB_RECOVERY_{name}: It is in seconds, and at most 3600: are these mill"):
        load_settings()


@pytest.mark.parametrize(("backoff", "window", "rest"), [(5.0, 15.0, 5.0), (4.0, 15.0, 4.0), (60.0, 15.0, 5.0)])
def test_a_vma_that_is_down_gets_a_trial_request_for_each_retry_and_each_probe_of_a_confirmation(
    backoff: float, window: float, rest: float
) -> None:
    settings = Settings(retry_backoff_initial=backoff, confirmation_window=window, confirmation_probes=3)

    assert settings.circuit_rest == rest


@pytest.mark.parametrize(
    ("interval", "stale", "after"), [(5.0, 30.0, 30.0), (60.0, 30.0, 120.0), (30.0, 30.0, 60.0), (5.0, 8.0, 10.0)]
)
def test_no_job_is_recovered_before_it_has_missed_two_polls(interval: float, stale: float, after: float) -> None:
    assert Settings(poll_interval=interval, stale_after=stale).unpolled_after == after
