"""The instance as flat arrays of numbers: what the compiled code reads."""

from typing import NamedTuple

import numpy as np

from matching.objective import TIERS

NEVER = 1e15
LOST_PIN = TIERS + 1  # the rank of pinned slots that are not in the plan
RANKS = TIERS + 2
UNTOLD = -2  # State.s_told of a slot of which nobody needs to hear anything
FEN = 3  # the index of fen among the units
ORDERED = 1  # the index of the rule among the line rules


class Problem(NamedTuple):
    """The instance as arrays. Prefixes: v visit, s slot, h shift, c caregiver, n line, k cap, l limit.

    Names ending in `_ptr` index compressed rows: row i is [ptr[i], ptr[i + 1]).
    """

    travel: np.ndarray
    v_slot0: np.ndarray
    v_slots: np.ndarray
    v_rank: np.ndarray
    v_loc: np.ndarray
    v_access: np.ndarray
    v_late: np.ndarray
    v_win_ptr: np.ndarray
    win_lo: np.ndarray
    win_hi: np.ndarray
    v_pref_ptr: np.ndarray
    pref_lo: np.ndarray
    pref_hi: np.ndarray
    v_household: np.ndarray
    v_person: np.ndarray
    v_offset_min: np.ndarray
    v_offset_max: np.ndarray
    v_mix: np.ndarray
    v_alone: np.ndarray
    v_once: np.ndarray
    v_rule: np.ndarray
    s_visit: np.ndarray
    s_minutes: np.ndarray
    s_fix: np.ndarray
    s_pinned: np.ndarray
    s_charge: np.ndarray
    s_line_ptr: np.ndarray
    s_line: np.ndarray
    s_cand_ptr: np.ndarray
    s_cand: np.ndarray
    s_run_caregiver: np.ndarray
    s_run_start: np.ndarray
    s_points: np.ndarray
    h_caregiver: np.ndarray
    h_day: np.ndarray
    h_start: np.ndarray
    h_end: np.ndarray
    h_mode: np.ndarray
    h_from: np.ndarray
    h_to: np.ndarray
    h_break_ptr: np.ndarray
    b_lo: np.ndarray
    b_hi: np.ndarray
    b_minutes: np.ndarray
    b_index: np.ndarray
    h_limit_ptr: np.ndarray
    h_limit: np.ndarray
    c_kind: np.ndarray
    c_organisation: np.ndarray
    c_needs_line: np.ndarray
    c_cost: np.ndarray
    c_capacity: np.ndarray
    c_max_new: np.ndarray
    c_together: np.ndarray
    known: np.ndarray
    household_max_new: np.ndarray
    l_max_minutes: np.ndarray
    l_max_visits: np.ndarray
    l_used_minutes: np.ndarray
    l_used_visits: np.ndarray
    n_organisation: np.ndarray
    n_first: np.ndarray
    n_last: np.ndarray
    n_unit: np.ndarray
    n_price: np.ndarray
    n_cap_ptr: np.ndarray
    n_cap: np.ndarray
    p_cap_ptr: np.ndarray
    p_cap: np.ndarray
    k_unit: np.ndarray
    k_line: np.ndarray
    k_first: np.ndarray
    k_last: np.ndarray
    k_cap: np.ndarray
    k_used: np.ndarray
    weight: np.ndarray
    rank_points: np.ndarray
    run_tolerance: float
    has_running: bool
    route_length: int
    neighbours: np.ndarray


# Order of Problem.weight.
W_TARDINESS, W_MAX_TARDINESS, W_OUTSIDE, W_NEW_FACE, W_UNFAIR, W_COST, W_TRAVEL, W_TOLD = range(8)
