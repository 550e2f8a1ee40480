# SPDX-License-Identifier: Apache-2.0
"""A picture of throughput over time, as SVG: one line a series of (seconds, bytes)."""

from xml.sax.saxutils import escape

MIB = 1 << 20
WIDTH, HEIGHT = 900, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 46, 50
COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#8e5ea2", "#c77d0a", "#555555")


def rates(samples):
    """(seconds, MiB/s) in the middle of each step between two samples."""
    found = []
    for (t0, n0), (t1, n1) in zip(samples, samples[1:]):
        if t1 - t0 > 0.005:
            found.append(((t0 + t1) / 2, (n1 - n0) / MIB / (t1 - t0)))
    return found


def nice_step(most, n=6):
    """A round step of which about n make `most`."""
    raw = max(most / n, 1e-9)
    power = 1
    while power > raw:
        power /= 10
    while power * 10 <= raw:
        power *= 10
    return next(power * k for k in (1, 2, 5, 10) if power * k >= raw)


def text(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{escape(words)}</text>'


def line(x0, y0, x1, y1, colour):
    return f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{colour}" fill="none"/>'


class Axes:
    """Where a second and a MiB/s are on the paper."""

    def __init__(self, most_s, most_rate):
        self.step_s, self.step_rate = nice_step(most_s, 8), nice_step(most_rate)
        self.most_s = most_s
        self.most_rate = self.step_rate * (int(most_rate / self.step_rate) + 1)

    def x(self, seconds):
        return LEFT + seconds / self.most_s * (WIDTH - LEFT - RIGHT)

    def y(self, rate):
        return HEIGHT - BOTTOM - rate / self.most_rate * (HEIGHT - TOP - BOTTOM)

    def draw(self):
        parts = []
        for i in range(int(self.most_rate / self.step_rate + 0.5) + 1):
            y = self.y(i * self.step_rate)
            parts.append(line(LEFT, y, WIDTH - RIGHT, y, "#e4e4e4"))
            parts.append(text(LEFT - 8, y + 4, f"{i * self.step_rate:g}", "end"))
        for i in range(int(self.most_s / self.step_s + 1e-6) + 1):
            x = self.x(i * self.step_s)
            parts.append(line(x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 4, "#888888"))
            parts.append(text(x, HEIGHT - BOTTOM + 19, f"{i * self.step_s:g}"))
        parts.append(line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "#888888"))
        parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "seconds since open()"))
        turned = f'transform="rotate(-90 18 {HEIGHT / 2})"'
        parts.append(text(18, HEIGHT / 2, "MiB/s", "middle", turned))
        return parts


def draw_series(axes, points, colour):
    path = "L".join(f"{axes.x(s):.1f} {axes.y(rate):.1f}" for s, rate in points)
    return f'<path d="M{path}" stroke="{colour}" stroke-width="2" fill="none"/>'


def draw_legend(names):
    parts, x = [], LEFT
    for name, colour in zip(names, COLOURS):
        parts.append(f'<rect x="{x}" y="18" width="14" height="4" fill="{colour}"/>')
        parts.append(text(x + 20, 24, name, "start"))
        x += 40 + 7 * len(name)
    return parts


def draw(series):
    """The SVG text of {name: [(seconds, bytes so far)]}."""
    lines = {name: rates(samples) for name, samples in series.items()}
    lines = {name: points for name, points in lines.items() if points}
    most_s = max((samples[-1][0] for samples in series.values()), default=1)
    most_rate = max((rate for points in lines.values() for _, rate in points), default=1)
    axes = Axes(most_s, most_rate)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *axes.draw(),
        *(draw_series(axes, points, c) for points, c in zip(lines.values(), COLOURS)),
        *draw_legend(lines),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
