"""Posts, contexts and pictures -> what training or predicting with them would lose or trip over."""

from mner.preflight.check import check
from mner.preflight.report import Finding, Report, Severity, Split

__all__ = ["Finding", "Report", "Severity", "Split", "check"]
