"""A template that loops or grows without end fails at once, and other templates do not notice the bounds."""

from __future__ import annotations

import pytest

from segue.triggers.sending.bounded_templates import BoundedTemplates, Unbounded, render

TEMPLATES = BoundedTemplates()
TOO_LONG = "a text or a list is longer than 1,000,000"
AGAIN = "{% set s = namespace(t='x') %}{% for _ in range(99) %}{% set s.t = GROWN %}{% endfor %}"
TOO_MANY = "its loops and calls take more than 100,000 steps"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ 'x' * 10**10 }}", TOO_LONG),
        ("{{ 10**10 * 'x' }}", TOO_LONG),
        ("{{ ([1] * 10**10) | length }}", TOO_LONG),
        (AGAIN.replace("GROWN", "s.t + s.t"), TOO_LONG),
        (AGAIN.replace("GROWN", "s.t ~ s.t"), TOO_LONG),
        (AGAIN.replace("GROWN", "[s.t, s.t] | join"), TOO_LONG),
        ("{% set a = 'x' * 900000 %}{{ a }}{{ a }}", TOO_LONG),
        ("{% set a = 'x' * 900000 %}{% set b %}{{ a }}{{ a }}{% endset %}", TOO_LONG),
        ("{{ 'x' | center(10**10) }}", TOO_LONG),
        ("{{ 'x' | center(10000000000) }}", TOO_LONG),
        ("{{ 'x'.ljust(width) }}", TOO_LONG),
        ("{{ '%09999999999d' % 1 }}", "a width in a format is too large"),
        ("{{ '%09999999999d' | format(1) }}", "a width in a format is too large"),
        ("{{ '{:>9999999999}'.format(1) }}", "a width in a format is too large"),
        ("{{ ('a' * 900000) | replace('a', 'b' * 900000) }}", TOO_LONG),
        ("{{ ('a' * 900000).join('b' * 900000) }}", TOO_LONG),
        ("{{ ('b' * 900000) | join('a' * 900000) }}", TOO_LONG),
        ("{{ ['a' * 900000] * 99999 }}", TOO_LONG),
        (AGAIN.replace("GROWN", "[s.t, s.t]") + "{{ s.t }}", TOO_LONG),
        (AGAIN.replace("GROWN", "[s.t, s.t]") + "{{ s.t | tojson }}", TOO_LONG),
        ("{{ range(99999) | map('center', 900000) | list | length }}", TOO_LONG),
        ("{{ [1] | slice(10**10) | list }}", TOO_LONG),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "a macro calls itself too often"),
        ("{{ 9**(9**9) }}", "a number is too large"),
        ("{% for _ in range(99999) %}{% for _ in range(99999) %}{% endfor %}{% endfor %}", TOO_MANY),
        (
            "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
            TOO_MANY,
        ),
    ],
)
def test_a_template_without_end_fails_at_once(text: str, reason: str) -> None:
    with pytest.raises(Unbounded, match=f"^{reason}"):
        render(TEMPLATES.template(text), {"width": 10**10})


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{% for a in users %}{{ loop.index }}/{{ loop.length }} {{ a }};{% endfor %}", "1/2 a;2/2 b;"),
        ("{% for a in users if a != 'a' %}{{ a }}{% else %}none{% endfor %}", "b"),
        ("{% set a %}x{% endset %}{% set b | upper %}{{ a }}{% endset %}{{ a ~ b }}", "xX"),
        ("{% for a in [] %}{{ a }}{% else %}none{% endfor %}", "none"),
        ("{% for k, v in {'x': 1}.items() %}{{ k ~ '=' ~ v }}{% endfor %}", "x=1"),
        ("{{ users | join(', ') | upper }} {{ 2 * 3 + 4 ** 2 }} {{ '-' * 3 }}", "A, B 22 ---"),
        (
            "{{ '%.2f' % 1.234 }} {{ '%d' | format(5000000) }} {{ '{:>5}'.format(765432) }}",
            "1.23 5000000 765432",
        ),
        ("{{ 'tel. 5551234567: %s' | format('x') }} {{ 'x'.center(3) }}", "tel. 5551234567: x  x "),
        ("{% macro f(a) %}<{{ a }}>{% endmacro %}{{ f(1) }}{{ users | tojson }}", '<1>["a", "b"]'),
    ],
)
def test_other_templates_do_not_notice(text: str, filled: str) -> None:
    assert render(TEMPLATES.template(text), {"users": ["a", "b"]}) == filled


def test_a_text_too_large_for_the_memory_is_told_in_plain_words() -> None:
    def no_memory() -> str:
        raise MemoryError

    with pytest.raises(Unbounded, match=r"^a text or a list does not fit into memory$"):
        render(TEMPLATES.template("{{ large() }}"), {"large": no_memory})


def test_each_filling_has_its_own_steps() -> None:
    template = TEMPLATES.template("{% for _ in range(60000) %}{% endfor %}ok")
    assert [render(template, {}) for _ in range(2)] == ["ok", "ok"]
