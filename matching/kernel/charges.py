"""Contract lines, budgets and quotas: who pays for a slot, and whether there is room.

Under the rule ``ordered`` a slot belongs to the earliest line that still has room. During the search room
comes and goes, so at the end (`settle_lines`) every slot moves to an earlier line while it can; each move
brings a slot forward, so this ends.
"""

from matching.kernel.compiled import jit
from matching.kernel.handles import State
from matching.kernel.problem import FEN, NEVER, ORDERED, Problem


@jit
def is_charged(p: Problem, s: State, slot: int) -> bool:
    """Whether the slot draws from a line of its own (the second of a visit charged once does not)."""
    v = p.s_visit[slot]
    return not p.v_once[v] or slot == p.v_slot0[v] or s.s_line[p.v_slot0[v]] < 0


@jit
def drawn(p: Problem, slot: int, line: int, unit: int) -> float:
    """What the slot draws from the line, in the given unit."""
    if unit == FEN:
        return p.n_price[line] * p.s_charge[slot, p.n_unit[line]]
    return p.s_charge[slot, unit]


@jit
def fen_of(p: Problem, s: State, slot: int) -> float:
    """Public cost of a placed slot."""
    if s.s_line[slot] < 0:
        return p.c_cost[p.h_caregiver[s.s_shift[slot]]] * p.s_minutes[slot]
    return drawn(p, slot, s.s_line[slot], FEN) if s.s_drawn[slot] else 0.0


@jit
def has_room(p: Problem, s: State, slot: int, line: int, day: int) -> bool:
    """Whether every budget of the line and every quota of the person can take the slot that day."""
    for j in range(p.n_cap_ptr[line], p.n_cap_ptr[line + 1]):
        k = p.n_cap[j]
        if p.k_first[k] <= day <= p.k_last[k]:
            amount = drawn(p, slot, line, p.k_unit[k])
            if amount > 0 and s.k_used[k] + amount > p.k_cap[k]:
                return False
    person = p.v_person[p.s_visit[slot]]
    if person < 0:
        return True
    for j in range(p.p_cap_ptr[person], p.p_cap_ptr[person + 1]):
        k = p.p_cap[j]
        if p.k_first[k] <= day <= p.k_last[k] and (p.k_line[k] < 0 or p.k_line[k] == line):
            amount = drawn(p, slot, line, p.k_unit[k])
            if amount > 0 and s.k_used[k] + amount > p.k_cap[k]:
                return False
    return True


@jit
def draw(p: Problem, s: State, slot: int, line: int, day: int, sign: float) -> None:
    """Book (sign 1) or give back (sign -1) what the slot draws."""
    for j in range(p.n_cap_ptr[line], p.n_cap_ptr[line + 1]):
        k = p.n_cap[j]
        if p.k_first[k] <= day <= p.k_last[k]:
            s.k_used[k] += sign * drawn(p, slot, line, p.k_unit[k])
    person = p.v_person[p.s_visit[slot]]
    if person < 0:
        return
    for j in range(p.p_cap_ptr[person], p.p_cap_ptr[person + 1]):
        k = p.p_cap[j]
        if p.k_first[k] <= day <= p.k_last[k] and (p.k_line[k] < 0 or p.k_line[k] == line):
            s.k_used[k] += sign * drawn(p, slot, line, p.k_unit[k])


@jit
def settle_charge(p: Problem, s: State, v: int) -> None:
    """Let exactly those slots of a visit draw that are charged now."""
    for slot in range(p.v_slot0[v], p.v_slot0[v] + p.v_slots[v]):
        due = s.s_line[slot] >= 0 and is_charged(p, s, slot)
        if due != s.s_drawn[slot]:
            draw(p, s, slot, s.s_line[slot], p.h_day[s.s_shift[slot]], 1.0 if due else -1.0)
            s.s_drawn[slot] = due


@jit
def choose_line(p: Problem, s: State, slot: int, h: int, charged: bool) -> tuple[int, float]:
    """The line that would pay for the slot in shift h and its cost in fen; (-2, 0) if none can."""
    caregiver, day = p.h_caregiver[h], p.h_day[h]
    if not p.c_needs_line[caregiver]:
        return -1, p.c_cost[caregiver] * p.s_minutes[slot]
    best, least = -2, NEVER
    rule = p.v_rule[p.s_visit[slot]]
    for j in range(p.s_line_ptr[slot], p.s_line_ptr[slot + 1]):
        line = p.s_line[j]
        if p.n_organisation[line] != p.c_organisation[caregiver]:
            continue
        if not p.n_first[line] <= day <= p.n_last[line]:
            continue
        if not charged or has_room(p, s, slot, line, day):
            cost = drawn(p, slot, line, FEN) if charged else 0.0
            if cost < least:
                best, least = line, cost
            if rule != 2:
                break
        if rule == 0:
            break
    return best, (least if best >= 0 else 0.0)


@jit
def settle_lines(p: Problem, s: State) -> int:
    """Move slots to earlier lines with room until none can; returns the number of moves."""
    moves, moved = 0, True
    while moved:
        moved = False
        for slot in range(len(p.s_visit)):
            if s.s_line[slot] >= 0 and p.v_rule[p.s_visit[slot]] == ORDERED:
                line = earlier_line(p, s, slot)
                if line >= 0:
                    s.s_line[slot] = line
                    moved = True
                    moves += 1
    return moves


@jit
def earlier_line(p: Problem, s: State, slot: int) -> int:
    """Rebook the slot to the first earlier line with room and return it; -1 if there is none."""
    h, old = s.s_shift[slot], s.s_line[slot]
    day, organisation = p.h_day[h], p.c_organisation[p.h_caregiver[h]]
    for j in range(p.s_line_ptr[slot], p.s_line_ptr[slot + 1]):
        line = p.s_line[j]
        if line == old:
            return -1
        if p.n_organisation[line] != organisation or not p.n_first[line] <= day <= p.n_last[line]:
            continue
        if not s.s_drawn[slot]:
            return line
        draw(p, s, slot, old, day, -1.0)
        fits = has_room(p, s, slot, line, day)
        draw(p, s, slot, line if fits else old, day, 1.0)
        if fits:
            return line
    return -1
