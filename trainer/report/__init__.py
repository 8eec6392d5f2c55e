"""The report of a fit: ``report.json`` with the numbers, ``report.html`` with the same to look at.

Both hold no time and draw no unseeded numbers, so that the same fit gives the same bytes. ``numbers`` is what
both say; ``page`` puts the sections together (``overview``, ``verdict``, ``segments``, ``worth``, ``choice``,
``space``, ``changes``, ``data``). A section chooses its figures and charts, and a template of ``templates/``
has its words and its HTML. ``bars``, ``curves``, ``dots``, ``heat``, ``intervals`` and ``scatter`` draw, over
``svg``.
"""

from trainer.report.report_numbers import Report, report_of
from trainer.report.report_page import page

__all__ = ["Report", "page", "report_of"]
