"""The picture of a soak: memory, descriptors and latency over time."""

import html

WIDTH, PANEL, LEFT, RIGHT = 760, 150, 70, 130
COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#97266d", "#4a5568")


class Panel:
    """One diagram; lines are (name, [(seconds, value)], dashed)."""

    def __init__(self, title, unit, lines, seconds):
        self.title, self.unit, self.seconds = title, unit, seconds
        self.lines = [line for line in lines if line[1]]
        self.most = max([value for _, points, _ in self.lines
                         for _, value in points] + [1]) * 1.1

    def x(self, at):
        return LEFT + (WIDTH - LEFT - RIGHT) * at / self.seconds

    def y(self, top, value):
        return top + PANEL - (PANEL - 20) * value / self.most

    def draw(self, top, events):
        out = ['<text x="10" y="%d" font-size="13" font-weight="bold">%s'
               '</text>' % (top + 12, html.escape(
                   "%s (%s)" % (self.title, self.unit)))]
        for part in (0, 0.5, 1):
            value = self.most / 1.1 * part
            y = self.y(top, value)
            out.append('<path d="M%d %.1fH%d" stroke="#ddd"/>' % (
                LEFT, y, WIDTH - RIGHT))
            out.append('<text x="%d" y="%.1f" text-anchor="end">%.0f</text>' %
                       (LEFT - 6, y + 4, value))
        for at, what in events:
            out.append('<path d="M%.1f %dV%d" stroke="%s" '
                       'stroke-dasharray="2 3"/>' % (
                           self.x(at), top + 20, top + PANEL,
                           "#e53e3e" if what == "restart" else "#a0aec0"))
        for n, (name, points, dashed) in enumerate(self.lines):
            colour = COLOURS[n % len(COLOURS)]
            out.append('<polyline fill="none" stroke="%s"%s points="%s"/>' % (
                colour, ' stroke-dasharray="5 3"' if dashed else "",
                " ".join("%.1f,%.1f" % (self.x(at), self.y(top, value))
                         for at, value in points)))
            if n < 9:
                out.append('<text x="%d" y="%d" fill="%s">%s</text>' % (
                    WIDTH - RIGHT + 8, top + 30 + 14 * n, colour,
                    html.escape(name)))
        return out


def by_process(soak, field):
    """A line for each process, of the least in a while: a hash takes 19 MB
    for a moment.  Those of one role are numbered."""
    width, lines, counts = soak.seconds / 120, {}, {}
    for s in soak.samples:
        if s.pid not in lines:
            counts[s.role] = counts.get(s.role, 0) + 1
            lines[s.pid] = ("%s %d" % (s.role, counts[s.role]), {},
                            s.role == "serve")
        lines[s.pid][1].setdefault(int(s.at / width), []).append(
            getattr(s, field))
    return [(name, [(width * (n + 0.5), min(table[n]))
                    for n in sorted(table)], dashed)
            for name, table, dashed in lines.values()]


def by_percentile(soak, kind):
    rows = soak.latencies(kind)
    return [(name, [(row[0], row[n]) for row in rows], False)
            for n, name in ((1, "p50"), (2, "p95"), (3, "p99"))]


def draw(soak):
    panels = [
        Panel("anonymous memory of each process but while it hashes", "kB",
              by_process(soak, "anon_kb"), soak.seconds),
        Panel("open files of each process", "number",
              by_process(soak, "files"), soak.seconds),
        Panel("gate, through nginx", "ms", by_percentile(soak, "gate"),
              soak.seconds),
        Panel("sign-in, through nginx", "ms", by_percentile(soak, "sign-in"),
              soak.seconds)]
    height = len(panels) * (PANEL + 30) + 30
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">' % (
               WIDTH, height, WIDTH, height),
           '<title>A soak of %d s: memory, descriptors, latency</title>' %
           soak.seconds, '<rect width="100%" height="100%" fill="#fff"/>']
    for n, panel in enumerate(panels):
        out += panel.draw(n * (PANEL + 30) + 8, soak.events)
    out.append('<text x="%d" y="%d">0 to %d s; grey: HUP, red: restart'
               '</text>' % (LEFT, height - 10, soak.seconds))
    return "\n".join(out + ["</svg>"]) + "\n"
