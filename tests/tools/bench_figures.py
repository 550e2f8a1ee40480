# SPDX-License-Identifier: Apache-2.0
"""Figures of all rounds, and how people and programs read them.

A line is one thing measured in one row: its values round for round, its unit, and the target it is
held against. A target is printed beside the figure and judged; nothing fails by it.
"""

import json
import statistics
import sys

RATIO = "x"


def at_least(value):
    return (">=", value)


def at_most(value):
    return ("<=", value)


def percentile(values, part):
    """The value that `part` of all values (0..1) are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def number(value):
    """Three or four digits that matter."""
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"


class Line:
    def __init__(self, row, what, unit, target):
        self.row, self.what, self.unit, self.target = row, what, unit, target
        self.values = []

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def is_met(self):
        if not self.target:
            return None
        sign, aim = self.target
        return self.median >= aim if sign == ">=" else self.median <= aim

    def as_json(self):
        return {
            "row": self.row,
            "what": self.what,
            "unit": self.unit,
            "median": self.median,
            "rounds": self.values,
            "target": " ".join(map(str, self.target)) if self.target else None,
            "met": self.is_met,
        }


class Row:
    """What a row's function adds its figures to."""

    def __init__(self, figures, title):
        self.figures, self.title = figures, title

    def add(self, what, value, unit, target=None):
        self.figures.add(self.title, what, value, unit, target)

    def ratio(self, what, value, base, target=None):
        """`value` beside `base`; nothing when what it is compared with is not there."""
        if base:
            self.add(what, value / base, RATIO, target)

    def note(self, text):
        self.figures.note(self.title, text)

    def series(self, name, samples):
        """Bytes by time, for the picture: those of the last round are shown."""
        self.figures.series[name] = samples


class Figures:
    """All figures; @titles is the order the rows are shown in."""

    def __init__(self, titles=()):
        self.order = list(titles)
        self.lines = {}
        self.notes = {}
        self.series = {}

    def row(self, title):
        return Row(self, title)

    def add(self, row, what, value, unit, target):
        line = self.lines.setdefault((row, what), Line(row, what, unit, target))
        line.values.append(value)
        print(f"  {row}: {what}: {number(value)} {unit}", file=sys.stderr, flush=True)

    def note(self, row, text):
        """A sentence about a row (None: about all of it), once however often it is said."""
        said = self.notes.setdefault(row, [])
        if text not in said:
            said.append(text)
            print(f"  {row or 'note'}: {text}", file=sys.stderr, flush=True)

    def titles(self):
        """Rows that have a figure or a note; last what they are set beside."""
        said = dict.fromkeys([row for row, _ in self.lines] + [r for r in self.notes if r])
        return [t for t in self.order if t in said] + [t for t in said if t not in self.order]

    def print_table(self):
        print(f"\n{'':50} {'figure':>17} {'ratio':>8}  {'target':>9}  {'':7}  of all rounds")
        for title in self.titles():
            print(title)
            for line in self.lines.values():
                if line.row == title:
                    print(format_line(line))
            for text in self.notes.get(title, []):
                print(f"    ({text})")
        for text in self.notes.get(None, []):
            print(f"\n{text}")

    def write_json(self, path, more):
        found = {
            **more,
            "rows": [line.as_json() for line in self.lines.values()],
            "notes": {row or "": texts for row, texts in self.notes.items()},
            "series": self.series,
        }
        path.write_text(json.dumps(found, indent=1) + "\n")


def format_line(line):
    is_ratio = line.unit == RATIO
    figure = "" if is_ratio else f"{number(line.median)} {line.unit}"
    ratio = number(line.median) if is_ratio else ""
    target = f"{line.target[0]} {line.target[1]:g}" if line.target else ""
    met = {None: "", True: "met", False: "not met"}[line.is_met]
    spread = f"{number(min(line.values))}..{number(max(line.values))}" * (len(line.values) > 1)
    return f"    {line.what:46} {figure:>17} {ratio:>8}  {target:>9}  {met:7}  {spread}".rstrip()
