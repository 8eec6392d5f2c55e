"""The file of triggers: what it declares, and one sentence for what it must not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from segue.triggers.file.trigger_file import BadTriggers, load_triggers

URL = 'url = "https://crm.example.com/hooks"\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "triggers.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_small_trigger_has_the_careful_defaults(tmp_path: Path) -> None:
    found = load_triggers(
        written(tmp_path, f'[triggers.win_back]\non = "entering"\nsegment = "At risk"\n{URL}')
    )
    (trigger,) = found.triggers
    assert (found.max_per_day, found.time_zone) == (None, "UTC")
    assert (trigger.name, trigger.on, trigger.segment) == ("win_back", "entering", "At risk")
    assert (trigger.reentry, trigger.cooldown, trigger.max_age) == ("never", None, timedelta(days=2))
    assert trigger.causes == {"signup", "order", "time"}
    assert not trigger.provisional
    assert not trigger.holdout


def test_every_field_is_read(tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text('{"user": {{ user_id | tojson }}}', encoding="utf-8")
    text = (
        'max_per_day = 3\ntime_zone = "Europe/Madrid"\n[triggers.up]\non = "moving"\n'
        'from = 3\nto = "Champions"\n'
        'url_env = "CRM_URL"\nsecret_env = "CRM_SECRET"\nreentry = "30d"\ncooldown = "7d"\nmax_age = "12h"\n'
        'causes = ["model"]\nprovisional = true\nholdout = 0.1\nrate = 0.5\nconcurrency = 2\n'
        'give_up_after = "90m"\nbody_file = "body.json"\nheaders = { X-Source = "segue" }\n'
        'headers_env = { Authorization = "CRM_AUTHORIZATION" }\n'
    )
    found = load_triggers(written(tmp_path, text))
    (trigger,) = found.triggers
    assert (found.max_per_day, found.time_zone) == (3, "Europe/Madrid")
    assert (trigger.origin, trigger.target, trigger.url, trigger.url_env) == (3, "Champions", None, "CRM_URL")
    assert (trigger.reentry, trigger.cooldown) == (timedelta(days=30), timedelta(days=7))
    assert (trigger.max_age, trigger.give_up_after) == (timedelta(hours=12), timedelta(minutes=90))
    assert trigger.causes == {"model"}
    assert trigger.provisional
    assert (trigger.holdout, trigger.rate, trigger.concurrency) == (0.1, 0.5, 2)
    assert trigger.body == '{"user": {{ user_id | tojson }}}'
    assert (trigger.secret_env, dict(trigger.headers)) == ("CRM_SECRET", {"X-Source": "segue"})
    assert dict(trigger.headers_env) == {"Authorization": "CRM_AUTHORIZATION"}


def test_a_body_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text('{"a": 1}', encoding="utf-8-sig")
    (trigger,) = load_triggers(written(tmp_path, f'{ENTERING}{URL}body_file = "body.json"')).triggers
    assert trigger.body == '{"a": 1}'


ENTERING = '[triggers.a]\non = "entering"\nsegment = 1\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it declares no trigger: begin with [triggers.win_back]"),
        ("triggers = 3", "it declares no trigger"),
        ("x = [", "the file is not TOML"),
        (f"x = {'[' * 5_000}{']' * 5_000}", "the file is not TOML"),
        (f"max_per_day = {'1' * 5_000}", "the file is not TOML"),
        ("max_per_day = 0\n" + ENTERING + URL, "max_per_day is 0: give a whole number of at least 1"),
        ('time_zone = "Mars"\n' + ENTERING + URL, "time_zone is 'Mars': give a time zone such as"),
        ('[triggers."a/b"]\n' + URL, "the name is 'a/b': a trigger's name takes letters"),
        (
            '[triggers.a]\non = "entring"\n' + URL,
            "trigger a, on is 'entring': use entering, leaving, moving or",
        ),
        ("[triggers.a]\n" + URL, "trigger a, on is not given: it is missing: use entering"),
        ('[triggers.a]\non = "entering"\n' + URL, "trigger a, segment is not given: it is missing"),
        ('[triggers.a]\non = "moving"\nfrom = 1\nto = 1\n' + URL, "trigger a, to is 1: it equals from"),
        (
            '[triggers.a]\non = "erased"\nsegment = 1\n' + URL,
            "segment is 1: leave it out: on = 'erased' has no",
        ),
        (
            '[triggers.a]\non = "erased"\nholdout = 0.1\n' + URL,
            "holdout is 0.1: leave it out: a trigger on erased",
        ),
        (ENTERING, "trigger a, url is not usable: give either url"),
        (ENTERING + 'url = "ftp://x"', "url is not usable: give an address such as https://"),
        (
            ENTERING + 'url = "https://me:hunter2@x.com/"',
            "url is not usable: leave the login out of the address",
        ),
        (ENTERING + URL + 'secret = "whsec_x"', "secret is not usable: put the secret into an environment"),
        (
            ENTERING + URL + 'secret_env = "whsec_a+b"',
            "secret_env is not usable: give the name of an environment",
        ),
        (
            ENTERING + URL + 'secret_env = "whsec_c2VjcmV0"',
            "secret_env is not usable: give the name of an environment",
        ),
        (
            ENTERING + URL + 'secret_env = "SEGUE_X"',
            "secret_env is not usable: give the name of an environment",
        ),
        (
            ENTERING + URL + 'holdaut = "0.1"',
            "trigger a, 'holdaut': there is no such field, did you mean holdout?",
        ),
        (
            ENTERING + URL + "header = 1",
            "trigger a, 'header': there is no such field, did you mean headers or headers_env?",
        ),
        (
            ENTERING + URL + "when = 1",
            "trigger a, 'when': there is no such field, docs/triggers.md lists the fields",
        ),
        (ENTERING + URL + "holdout = 1.0", "holdout is 1.0: give a share from 0 up to, but below, 1"),
        (ENTERING + URL + 'reentry = "soon"', 'reentry is \'soon\': use "never", "always" or a time'),
        (ENTERING + URL + 'cooldown = "0d"', "cooldown is '0d': give more than 0"),
        (ENTERING + URL + "max_age = 3", 'max_age is 3: give a length of time, such as "90m"'),
        (ENTERING + URL + 'causes = ["orders"]', "causes is ['orders']: 'orders' is no cause: use bootstrap"),
        (ENTERING + URL + "rate = 0", "rate is 0: give requests a second"),
        (ENTERING + URL + "concurrency = true", "concurrency is True: give a whole number from 1"),
        (ENTERING + URL + 'headers = { Webhook-Id = "x" }', "headers is not usable: leave Webhook-Id out"),
        (
            ENTERING + 'url = "https://crm..example.com/h"',
            "url is not usable: no host can have this name; give",
        ),
        (
            ENTERING + f'url = "https://{"a" * 64}.com/h"',
            "url is not usable: no host can have this name; give",
        ),
        (
            ENTERING + 'url = "https://münchen.de/h"',
            "url is not usable: write the host in ASCII, such as xn--",
        ),
        (ENTERING + URL + "rate = 1e-300", "rate is 1e-300: give requests a second, from 0.00001"),
        (
            ENTERING + URL + 'headers = { X-Key = "x" }\nheaders_env = { x-key = "KEY" }',
            "headers is not usable: x-key is given twice, perhaps by headers_env",
        ),
        (ENTERING + URL + 'body_file = "none.json"', "body_file is 'none.json': the file cannot be read"),
        (
            ENTERING + URL + 'body_file = "a\\u0000"',
            r"body_file is 'a\x00': the file cannot be read (embedded",
        ),
        (ENTERING.replace("1", '"\u202e\\u001b[31m"') + URL + "rate = 0", "rate is 0"),
        (ENTERING.replace("1", "-1") + URL, "segment is -1: a segment's id is at least 0"),
    ],
)
def test_a_wrong_field_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(BadTriggers) as raised:
        load_triggers(file)
    assert sentence in str(raised.value)
    assert str(raised.value).startswith(f"{file}: ")
    assert str(raised.value).isprintable()
    assert raised.value.exit_code == 2


def test_no_message_shows_a_secret(tmp_path: Path) -> None:
    for field in ("secret", "secret_env", "secret_key", "url", "headers"):
        with pytest.raises(BadTriggers) as raised:
            load_triggers(
                written(tmp_path, f'{ENTERING}{URL if field != "url" else ""}{field} = "whsec_MfKQ9r8G "')
            )
        assert "MfKQ9r8G" not in str(raised.value)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadTriggers, match=r"none\.toml: the file cannot be read \(No such file"):
        load_triggers(tmp_path / "none.toml")
