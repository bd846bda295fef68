"""Report page: one HTML file to hear, see and regroup a separation."""

from nmfaudio.display.report.contents import ComponentSound, ReportContents
from nmfaudio.display.report.data import component_shares
from nmfaudio.display.report.page import write_report

__all__ = ["ComponentSound", "ReportContents", "component_shares", "write_report"]
