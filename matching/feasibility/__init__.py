"""The independent checker: is this plan feasible, and how good is it?

It shares no code with the solvers: it reads the data classes of `instance` and `plan` and works out
everything else by itself, travel times included.
"""

from matching.feasibility.check import check, evaluate
from matching.feasibility.violations import Violation, ViolationCode

__all__ = ["Violation", "ViolationCode", "check", "evaluate"]
