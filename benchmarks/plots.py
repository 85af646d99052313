"""Line charts as SVG, without a library: readable on light and dark pages, small enough to be committed."""

import math
from html import escape

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 48, 56
GRID_LINES = 5

_STYLE = """
  .page { fill: #ffffff } text { fill: #24292f; font: 13px system-ui, sans-serif } .title { font-weight: 600 }
  .grid { stroke: #d0d7de } .one { stroke: #0969da; fill: #0969da } .two { stroke: #bc4c00; fill: #bc4c00 }
  .line { fill: none; stroke-width: 2.5 } .point { stroke: none } .value { font-size: 12px }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d }
    .one { stroke: #58a6ff; fill: #58a6ff } .two { stroke: #f0883e; fill: #f0883e }
    .line { fill: none } .point { stroke: none }
  }"""
_CLASSES = ("one", "two")


def line_chart(title: str, labels: list[str], lines: list[tuple[str, list[float]]]) -> str:
    """At most two lines, each with a value for every label; the scale starts at zero."""
    top = _round_up(max(value for _, values in lines for value in values))
    parts = [_grid(top), *(_label(position, len(labels), text) for position, text in enumerate(labels))]
    parts += [_line(values, top, name) for (_, values), name in zip(lines, _CLASSES, strict=False)]
    parts += [_legend(position, name) for position, (name, _) in enumerate(lines)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">\n<style>{_STYLE}\n</style>\n'
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="6"/>\n'
        f'<text class="title" x="{LEFT}" y="26">{escape(title)}</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _round_up(value: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten: grid lines then have round values."""
    power = 10 ** math.floor(math.log10(value)) if value > 0 else 1
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value)


def _x(position: int, count: int) -> float:
    width = WIDTH - LEFT - RIGHT
    return LEFT + width * (position + 0.5) / count


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _grid(top: float) -> str:
    parts = []
    for step in range(GRID_LINES + 1):
        value = top * step / GRID_LINES
        y = _y(value, top)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:,g}</text>')
    return "\n".join(parts)


def _label(position: int, count: int, text: str) -> str:
    return (
        f'<text x="{_x(position, count):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{escape(text)}</text>'
    )


def _line(values: list[float], top: float, name: str) -> str:
    spots = [(_x(position, len(values)), _y(value, top)) for position, value in enumerate(values)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    marks = [
        f'<circle class="point {name}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        f'<text class="value" x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">{_short(value)}</text>'
        for (x, y), value in zip(spots, values, strict=True)
    ]
    return f'<polyline class="line {name}" points="{points}"/>\n' + "\n".join(marks)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _legend(position: int, name: str) -> str:
    x, y = LEFT + 150 * position, HEIGHT - 14
    return (
        f'<circle class="point {_CLASSES[position]}" cx="{x + 5}" cy="{y - 4}" r="5"/>'
        f'<text x="{x + 16}" y="{y}">{escape(name)}</text>'
    )
