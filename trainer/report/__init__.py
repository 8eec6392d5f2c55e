"""The report of a fit: ``report.json`` with the numbers, ``report.html`` with the same to look at.

Both hold no time and draw no unseeded numbers, so that the same fit gives the same bytes.
"""

from trainer.report.numbers import Report, report_of
from trainer.report.page import page

__all__ = ["Report", "page", "report_of"]
