"""Bars as SVG, one picture for each part that has something to compare."""

import html
import math
import os

WIDTH, BAR, LEFT = 760, 22, 360


def bars(title, pairs, unit):
    """pairs: (name, value).  A line stands at 1 where ratios are shown."""
    most = max(value for _, value in pairs)
    scale = (WIDTH - LEFT - 80) / most
    height = 40 + BAR * len(pairs) + 10
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">' % (
               WIDTH, height, WIDTH, height),
           '<rect width="100%" height="100%" fill="#fff"/>',
           '<text x="10" y="22" font-size="14" font-weight="bold">%s</text>' %
           html.escape("%s (%s)" % (title, unit))]
    for n, (name, value) in enumerate(pairs):
        y = 40 + n * BAR
        mine = name.startswith("doorkeep")
        out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (
            LEFT - 8, y + 14, html.escape(name)))
        out.append('<rect x="%d" y="%d" width="%.1f" height="%d" '
                   'fill="%s"/>' % (LEFT, y + 2, max(value * scale, 1),
                                    BAR - 6, "#2b6cb0" if mine else "#a0aec0"))
        out.append('<text x="%.1f" y="%d">%.3g</text>' % (
            LEFT + value * scale + 6, y + 14, value))
    return "\n".join(out + ["</svg>"]) + "\n"


def draw(rows, folder):
    os.makedirs(folder, exist_ok=True)
    by_part = {}
    for row in rows:
        if not math.isnan(row.value) and row.unit:
            by_part.setdefault((row.part, row.unit), []).append(
                (row.name, row.value))
    for (part, unit), pairs in by_part.items():
        name = "%s-%s.svg" % (part, "".join(
            c if c.isalnum() else "-" for c in unit.lower()))
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(bars(part, pairs, unit))
