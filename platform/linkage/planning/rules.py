"""The rules that planning reads."""

from linkage.core.rulesets import declare
from linkage.planning import weights as weights  # declares one rule for each of them

declare("planning.seconds", 20, "product default: seconds of search for a week's plan")
declare("planning.memory_megabytes", 2500, "product default: a solver above this is stopped")
declare("planning.lead_minutes", 30, "product default: nothing new is placed earlier than this from now")
declare("planning.freeze_hours", 24, "DESIGN.md: a paid booking may move until 24 h before")
declare("planning.instance_days", 30, "PIPL, necessity: how long a stored instance is kept")
declare("planning.told_travel_minutes", 20, "ENGINE.md: do not move someone for less than 20 minutes saved")
declare("planning.approximate_allowance_minutes", 8, "product default: extra access where the position is approximate")
declare("planning.detour_factor", 1.3, "road distance over great-circle distance in built-up areas")
declare(
    "planning.speed_metres_per_minute",
    {"walk": 75, "bike": 200, "ebike": 280, "bus": 220, "car": 350},
    "product default: door to door in the island's streets",
)
declare("planning.offer_candidates", 4, "DESIGN.md: up to k eligible others are asked")
