"""The script that measures a page, and asks axe-core for what people with disabilities would stumble over."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
SHA_256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
RULES = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']"
_ASK = f"""
axe.run(document, {{ runOnly: {RULES}, resultTypes: ["violations"] }}).then((found) =>
  found.violations.map((each) => [each.id, each.help, each.nodes[0].html, each.nodes[0].failureSummary]))
"""


@cache
def measuring_script() -> str:
    """Return a script for `Chromium.visit`; its value has the violations of WCAG 2.2 AA as `violations`."""
    axe = (HERE / "axe" / "axe.min.js").read_bytes()
    assert hashlib.sha256(axe).hexdigest() == SHA_256
    measure = (HERE / "measure.js").read_text(encoding="utf-8").strip().removesuffix(";")
    return f"""{axe.decode()}
;(async () => {{
  const violations = await {_ASK.strip()};
  return {{ ...({measure}), violations }};
}})()"""
