"""Finds headers whose value looks like a secret and stands in the file of triggers as plain text."""

from __future__ import annotations

import re

from segue.triggers.file.trigger_file import Triggers

_SECRET = re.compile(r"authori[sz]ation|api[-_]?key|token|secret|password|credential|cookie", re.IGNORECASE)


def plain_secrets(triggers: Triggers) -> list[str]:
    """Return a sentence for each such header, without its value and without an end.

    >>> from segue.triggers.file.trigger_file import Trigger
    >>> plain_secrets(Triggers((Trigger(name="crm", on="erased", headers={"X-Api-Key": "hunter2"}),)))
    ["trigger crm: the header X-Api-Key looks like a secret and stands in the file as plain text: put its \
value into an environment variable, and give headers_env = { X-Api-Key = 'CRM_X_API_KEY' }"]
    """
    return [
        f"trigger {trigger.name}: the header {name} looks like a secret and stands in the file as plain text:"
        " put its value into an environment variable, and give"
        f" headers_env = {{ {name} = '{_variable(trigger.name, name)}' }}"
        for trigger in triggers.triggers
        for name in trigger.headers
        if _SECRET.search(name)
    ]


def _variable(trigger: str, header: str) -> str:
    """Return a name for the variable; it begins with a letter, and not with SEGUE_."""
    name = re.sub(r"\W+", "_", f"{trigger}_{header}".upper())
    return name if name[0].isalpha() and not name.startswith(("SEGUE_", "WHSEC_")) else f"HEADER_{name}"
