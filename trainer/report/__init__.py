"""The report of a fit: ``report.json`` for programs and ``report.html`` for people, with the same numbers.

Both hold no time and draw no unseeded random numbers, so the same fit gives the same bytes.
``report_numbers`` is the content of both. ``report_page`` puts the folder ``sections`` and ``verdict``
together. They draw with ``scatter`` and the folder ``charts``.
"""

from trainer.report.report_numbers import Report, Shop, report_of
from trainer.report.report_page import page

__all__ = ["Report", "Shop", "page", "report_of"]
