"""Draws single panels of a dashboard as HTML and SVG, close to how Grafana shows them. Used by render_dashboard.py."""
import html
import math
import time

COLORS = {"green": "#37872d", "orange": "#e0802a", "red": "#c4162a", "blue": "#3d71d9", "purple": "#8f3bb8", "yellow": "#e0b400"}
# On lines and areas Grafana takes the lighter shade of a name.
LINES = {"green": "#73bf69", "orange": "#ff9830", "red": "#f2495c", "blue": "#5794f2", "purple": "#b877d9", "yellow": "#fade2a"}
PALETTE = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d", "#fade2a"]
DURATIONS = [(31536000, "year"), (604800, "week"), (86400, "day"), (3600, "hour"), (60, "min"), (1, "s")]


def number(value, decimals=None, suffixes=("", "K", "Mil", "Bil"), base=1000):
    index = 0
    while abs(value) >= base and index < len(suffixes) - 1:
        value, index = value / base, index + 1
    if decimals is None:
        decimals = 0 if value == int(value) else 2 if abs(value) < 10 else 1
    return f"{value:.{decimals}f} {suffixes[index]}".strip()


def duration(seconds, decimals=None):
    if abs(seconds) < 1:
        return f"{seconds * 1000:.0f} ms" if seconds else "0 s"
    size, name = next((pair for pair in DURATIONS if abs(seconds) >= pair[0]), DURATIONS[-1])
    value = seconds / size
    text = f"{value:.{1 if decimals is None else decimals}f}".removesuffix(".0")
    return f"{text} {name}{'s' if name not in ('s', 'min') and text != '1' else ''}"


def formatted(value, unit, decimals=None):
    if value is None or math.isnan(value):
        return ""
    if unit == "dateTimeAsIso":
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(value / 1000))
    if unit == "dateTimeFromNow":
        away = value / 1000 - time.time()
        return f"in {duration(away, 0)}" if away > 0 else f"{duration(-away, 0)} ago"
    if unit == "s":
        return duration(value, decimals)
    if unit == "percentunit":
        return f"{value * 100:.{1 if decimals is None else decimals}f}%"
    if unit == "bytes":
        return number(value, decimals, ("B", "KiB", "MiB", "GiB"), 1024)
    if unit.startswith("suffix:"):
        return number(value, decimals) + unit.removeprefix("suffix:")
    if unit in ("reqps", "ops"):
        return number(value, decimals) + {"reqps": " req/s", "ops": " ops/s"}[unit]
    return number(value, decimals)


def threshold_color(value, steps):
    color = steps[0]["color"]
    for step in steps[1:]:
        if value is not None and value >= step["value"]:
            color = step["color"]
    return COLORS.get(color, color)


def mapped(value, mappings):
    """(text, color) of a value mapping, or None."""
    key = f"{value:g}" if isinstance(value, float) else str(value)
    for mapping in mappings or []:
        if mapping["type"] == "value" and key in mapping["options"]:
            option = mapping["options"][key]
            return option["text"], COLORS[option["color"]]
    return None


def no_value(panel):
    return f'<div class="empty">{html.escape(panel["fieldConfig"]["defaults"]["noValue"])}</div>'


def stat(panel, results):
    """results: [(legend, value)]"""
    defaults, options = panel["fieldConfig"]["defaults"], panel["options"]
    if not results:
        return no_value(panel)
    cells = []
    for legend, value in results:
        text, color = mapped(value, defaults.get("mappings")) or (
            legend if options["textMode"] == "name" else formatted(value, defaults["unit"], defaults.get("decimals")),
            threshold_color(value, defaults["thresholds"]["steps"]))
        style = f"background:{color}" if options["colorMode"] == "background" else f"color:{color}"
        style += ";font-size:24px" if len(text) > 10 else ""
        cells.append(f'<div class="stat" style="{style}">{html.escape(text)}</div>')
    return "".join(cells)


def table(panel, rows):
    """rows: [{column: text or number}], merged, before they are organised."""
    if not rows:
        return no_value(panel)
    options = next(t["options"] for t in panel["transformations"] if t["id"] == "organize")
    columns = [c for c in {key: None for row in rows for key in row} if not options["excludeByName"].get(c)]
    columns.sort(key=lambda c: options["indexByName"].get(c, 99))
    names = [options["renameByName"].get(c, c) for c in columns]
    overrides = {o["matcher"]["options"]: {p["id"]: p["value"] for p in o["properties"]} for o in panel["fieldConfig"]["overrides"]}
    for order in panel["options"].get("sortBy", []):
        column = columns[names.index(order["displayName"])] if order["displayName"] in names else columns[0]
        rows = sorted(rows, key=lambda r: (not isinstance(r.get(column), str), r.get(column) or 0), reverse=order["desc"])
    body = []
    for row in rows:
        cells = []
        for column, name in zip(columns, names):
            defaults = {**panel["fieldConfig"]["defaults"], **overrides.get(name, {})}
            value, style = row.get(column), ""
            text = value if isinstance(value, str) else formatted(value, defaults["unit"], defaults.get("decimals"))
            cell = defaults.get("custom.cellOptions", {}).get("type")
            color = threshold_color(value, defaults["thresholds"]["steps"]) if isinstance(value, float) else None
            if (found := mapped(value, defaults.get("mappings"))) and value is not None:
                text, color = found
            if cell == "color-text" and color:
                style = f"color:{color};font-weight:600"
            elif cell == "color-background" and color:
                style = f"background:{color};color:#fff"
            if "links" in defaults:
                style += ";color:#6e9fff"
            cells.append(f'<td style="{style}">{html.escape(text or "")}</td>')
        body.append("<tr>" + "".join(cells) + "</tr>")
    return f'<table><tr>{"".join(f"<th>{html.escape(n)}</th>" for n in names)}</tr>{"".join(body)}</table>'


def time_axis(start, end, width, top):
    parts = []
    for i in range(6):
        at = start + (end - start) * i / 5
        label = time.strftime("%H:%M" if end - start > 300 else "%H:%M:%S", time.gmtime(at))
        x = 60 + (width - 70) * i / 5
        parts.append(f'<text x="{x:.0f}" y="{top}" text-anchor="{"end" if i == 5 else "middle"}">{label}</text>')
    return "".join(parts)


def scale(series, panel, stacked):
    """The top of the value axis and the bottom."""
    totals = {}
    for _, points in series:
        for at, value in points:
            totals[at] = totals.get(at, 0) + value if stacked else max(totals.get(at, value), value)
    lowest = min((v for _, points in series for _, v in points), default=0)
    top, bottom = max(totals.values(), default=1), panel["fieldConfig"]["defaults"].get("min", min(0, lowest))
    if top <= bottom:
        top = bottom + 1
    if panel["fieldConfig"]["defaults"]["unit"] == "bytes":
        step = 2 ** math.ceil(math.log2((top - bottom) / 4))
    else:
        step = 10 ** math.floor(math.log10((top - bottom) / 3))
        step *= next(m for m in (1, 2, 5, 10) if (top - bottom) / (step * m) <= 4)
        if panel["fieldConfig"]["defaults"].get("decimals") == 0:
            step = max(step, 1)  # Grafana's axes have whole numbers where no decimals are shown
    return math.floor(bottom / step + 1e-9) * step, math.ceil(top / step - 1e-9) * step, step


def series_colors(panel, series):
    """What the panel's overrides fix, and the palette for the others."""
    fixed = {o["matcher"]["options"]: p["value"]["fixedColor"] for o in panel["fieldConfig"]["overrides"] for p in o["properties"]
             if p["id"] == "color"}
    return [LINES[fixed[legend]] if legend in fixed else PALETTE[i % len(PALETTE)] for i, (legend, _) in enumerate(series)]


def marked(marks, x, bottom):
    """Annotations, as Grafana draws them: a dashed line, and a wedge on the axis."""
    return "".join(f'<path d="M{x(at):.1f},4V{bottom:.1f}" stroke="{LINES[color]}" stroke-dasharray="3 4" stroke-opacity=".8"/>'
                   f'<path d="M{x(at):.1f},{bottom:.1f}l-4,6h8z" fill="{LINES[color]}"/>' for at, color in marks)


def timeseries(panel, series, start, end, width, height, marks=()):
    """series: [(legend, [(time, value)])]; marks: [(time, color)]"""
    if not any(points for _, points in series):
        return no_value(panel)
    defaults = panel["fieldConfig"]["defaults"]
    custom = defaults["custom"]
    stacked, bars = custom["stacking"]["mode"] == "normal", custom["drawStyle"] == "bars"
    bottom, top, step = scale(series, panel, stacked)
    plot = height - 46

    def x_of(at):
        return 60 + (width - 70) * (at - start) / (end - start)

    def y_of(value):
        return 8 + (plot - 8) * (1 - (value - bottom) / (top - bottom))
    parts = []
    tick = bottom
    while tick <= top + step / 100:
        label = formatted(tick, defaults["unit"]).removesuffix(" req/s").removesuffix(" ops/s").removesuffix(" intervals")
        parts.append(f'<line x1="60" x2="{width - 10}" y1="{y_of(tick):.1f}" y2="{y_of(tick):.1f}" class="grid"/>'
                     f'<text x="54" y="{y_of(tick) + 4:.1f}" text-anchor="end">{html.escape(label)}</text>')
        tick += step
    if custom["thresholdsStyle"]["mode"] != "off":
        for threshold in defaults["thresholds"]["steps"][1:]:
            if bottom <= threshold["value"] <= top:
                y = y_of(threshold["value"])
                parts.append(f'<line x1="60" x2="{width - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="{COLORS[threshold["color"]]}" stroke-dasharray="6 4"/>')
    below, legends = {}, []
    colors = series_colors(panel, series)
    for (legend, points), color in zip(series, colors):
        legends.append(f'<span><i style="background:{color}"></i>{html.escape(legend)}</span>')
        bases = [below.get(at, 0) for at, _ in points]
        parts.append((bar_shapes if bars else line_shapes)(points, bases, color, x_of, y_of, custom["fillOpacity"] / 100))
        if stacked:
            below.update({at: base + value for (at, value), base in zip(points, bases)})
    parts += [time_axis(start, end, width, plot + 18), marked(marks, x_of, plot)]
    return f'<svg width="{width}" height="{plot + 22}">{"".join(parts)}</svg><div class="legend">{"".join(legends)}</div>'


def gap_of(points):
    return min((b[0] - a[0] for a, b in zip(points, points[1:])), default=15)


def bar_shapes(points, bases, color, x_of, y_of, opacity):
    width = max(2.0, (x_of(gap_of(points)) - x_of(0)) * 0.8)
    return "".join(f'<rect x="{x_of(at) - width / 2:.1f}" y="{y_of(base + value):.1f}" width="{width:.1f}" '
                   f'height="{y_of(base) - y_of(base + value):.1f}" fill="{color}" fill-opacity="{opacity}"/>'
                   for (at, value), base in zip(points, bases) if value)


def line_shapes(points, bases, color, x_of, y_of, opacity):
    """A line in steps that breaks where points are missing, over its area."""
    gap, path, areas, previous = gap_of(points), [], [], None
    for (at, value), base in zip(points, bases):
        x, y = x_of(at), y_of(base + value)
        if previous is not None and at - previous[0] < 2.5 * gap:
            path.append(f"H{x:.1f}V{y:.1f}")
            left, top, floor = x_of(previous[0]), y_of(previous[1]), y_of(previous[2])
            areas.append(f"M{left:.1f},{top:.1f}H{x:.1f}V{floor:.1f}H{left:.1f}z" if floor > top else "")
        else:
            path.append(f"M{x:.1f},{y:.1f}")
        previous = at, base + value, base
    return (f'<path d="{"".join(areas)}" fill="{color}" fill-opacity="{opacity}"/>'
            f'<path d="{"".join(path)}" fill="none" stroke="{color}" stroke-width="1.8"/>')


def state_timeline(panel, series, start, end, width, height, marks=()):
    if not series:
        return no_value(panel)
    defaults = panel["fieldConfig"]["defaults"]
    left, plot = 205, height - 26
    band = min(34.0, plot / len(series))
    parts = [marked(marks, lambda at: left + (width - left - 10) * (at - start) / (end - start), len(series) * band)]
    for row, (legend, points) in enumerate(series):
        y = row * band + 3
        parts.append(f'<text x="{left - 8}" y="{y + band / 2 + 1:.0f}" text-anchor="end">{html.escape(legend.strip())}</text>')
        gap = gap_of(points)
        runs = []
        for at, value in points:
            if runs and runs[-1][2] == value and at - runs[-1][1] < 2.5 * gap:
                runs[-1][1] = at
            else:
                runs.append([at, at, value])
        for first, last, value in runs:
            text, color = mapped(value, defaults.get("mappings")) or (formatted(value, defaults["unit"]), threshold_color(value, defaults["thresholds"]["steps"]))
            x = left + (width - left - 10) * (first - start) / (end - start)
            w = max(2.0, (width - left - 10) * (last + gap - first) / (end - start))
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{band - 6:.1f}" fill="{color}" rx="2"/>')
            if panel["options"]["showValue"] != "never" and w > 14:
                parts.append(f'<text x="{x + 5:.1f}" y="{y + band / 2 + 1:.0f}" style="fill:#fff">{html.escape(text)}</text>')
    parts.append(f'<g transform="translate({left - 60},0)">{time_axis(start, end, width - left + 60, len(series) * band + 18)}</g>')
    return f'<svg width="{width}" height="{len(series) * band + 24:.0f}">{"".join(parts)}</svg>'
