"""The report of a bundle: what each variant kept, what it costs, and which are worth having.

`summaries` and `report_fields` are plain data, `render` is one HTML page that loads nothing.
"""

from __future__ import annotations

from skerry.export.report.page import render
from skerry.export.report.summary import Summary, report_fields, summaries
from skerry.export.report.write import write_report

__all__ = ["Summary", "render", "report_fields", "summaries", "write_report"]
