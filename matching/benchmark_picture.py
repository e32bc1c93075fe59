"""The gap over time as a picture: one SVG with a panel per instance, made without any library."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matching.benchmark import Effort, best_values, trace
from matching.benchmark_io import benchmark_files, name_of
from matching.errors import InvalidInstance

WIDTH, HEIGHT, LEFT, TOP = 300, 220, 52, 34
FIRST_SECONDS = 0.1
CAP = 40.0  # percent: what is above leaves the picture
COLOURS = ("#1f5fa8", "#c2571a")


@dataclass(frozen=True, slots=True)
class Panel:
    """An instance and, per seed, when (seconds) which gap (percent) was reached."""

    name: str
    lines: tuple[tuple[tuple[float, float], ...], ...]


def draw_gaps(folder: Path, best: Path, names: Sequence[str], effort: Effort, seeds: Sequence[int]) -> str:
    """Solve the named instances of the folder and return the picture as SVG.

    Raises `InvalidInstance` for a name that the folder or the list of best values does not have.
    """
    files = {name_of(path): path for path in benchmark_files(folder)}
    values = best_values(best)
    panels = []
    for name in names:
        if name not in files or name not in values:
            raise InvalidInstance("--instances", f"{name!r} has no file or no best value")
        lines = []
        for seed in seeds:
            points = trace(files[name], Effort(effort.seconds, effort.iterations, seed, effort.chains))
            lines.append(tuple((at, 100 * (value / values[name] - 1)) for at, value in points))
        panels.append(Panel(name, tuple(lines)))
    return svg_of(panels, effort.seconds or max(at for p in panels for line in p.lines for at, _ in line))


def svg_of(panels: Sequence[Panel], seconds: float) -> str:
    """Panels side by side: time to the right on a scale of powers, gap upwards."""
    width, height = len(panels) * (WIDTH + LEFT) + 20, HEIGHT + TOP + 48
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="11" role="img">',
        "<title>Gap to the best value known, over time</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, LEFT + number * (WIDTH + LEFT), seconds)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel, left: float, seconds: float) -> list[str]:
    gaps = [min(CAP, gap) for line in panel.lines for _, gap in line]
    low, high = min([*gaps, 0.0]) - 1, max([*gaps, 1.0]) + 1

    def x(at: float) -> float:
        return left + WIDTH * _log(max(at, FIRST_SECONDS) / FIRST_SECONDS) / _log(seconds / FIRST_SECONDS)

    def y(gap: float) -> float:
        return TOP + HEIGHT * (high - min(gap, high)) / (high - low)

    parts = [f'<text x="{left}" y="{TOP - 12}" font-weight="bold">{panel.name}</text>']
    for percent in _ticks(low, high):
        strong = "#444" if percent == 0 else "#ddd"
        parts.append(f'<path d="M{left} {y(percent):.1f}h{WIDTH}" stroke="{strong}"/>')
        parts.append(f'<text x="{left - 6}" y="{y(percent) + 4:.1f}" text-anchor="end">{percent:+d} %</text>')
    for at in (0.1, 1, 10, 60, 600):
        if at <= seconds:
            parts.append(f'<text x="{x(at):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{at:g} s</text>')
    for line, colour in zip(panel.lines, COLOURS, strict=False):
        parts.append(f'<path d="{_steps(line, x, y, seconds)}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
    best = min(line[-1][1] for line in panel.lines)
    parts.append(f'<text x="{left + WIDTH}" y="{TOP - 12}" text-anchor="end">in the end {best:+.2f} %</text>')
    return parts


def _steps(line, x, y, seconds: float) -> str:
    """A staircase: a value holds until the next is found."""
    path = f"M{x(line[0][0]):.1f} {y(line[0][1]):.1f}"
    for at, gap in line[1:]:
        path += f"H{x(min(at, seconds)):.1f}V{y(gap):.1f}"
    return path + f"H{x(seconds):.1f}"


def _ticks(low: float, high: float) -> list[int]:
    step = next((s for s in (1, 2, 5, 10) if (high - low) / s <= 9), 20)
    return [t for t in range(-100, 101, step) if low <= t <= high]


def _log(value: float) -> float:
    return math.log10(max(value, 1e-9))
