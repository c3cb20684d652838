"""Draws single panels of a dashboard as HTML and SVG, close to how Grafana shows them. Used by render_dashboard.py."""
import html
import math
import time

COLORS = {"green": "#37872d", "orange": "#e0802a", "red": "#c4162a", "blue": "#3d71d9", "purple": "#8f3bb8"}
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
    step = 10 ** math.floor(math.log10((top - bottom) / 3))
    step *= next(m for m in (1, 2, 5, 10) if (top - bottom) / (step * m) <= 4)
    return bottom, math.ceil(top / step - 1e-9) * step, step


def timeseries(panel, series, start, end, width, height):
    """series: [(legend, [(time, value)])]"""
    if not any(points for _, points in series):
        return no_value(panel)
    defaults = panel["fieldConfig"]["defaults"]
    custom = defaults["custom"]
    stacked, bars = custom["stacking"]["mode"] == "normal", custom["drawStyle"] == "bars"
    bottom, top, step = scale(series, panel, stacked)
    plot = height - 46

    def xy(at, value):
        return 60 + (width - 70) * (at - start) / (end - start), 8 + (plot - 8) * (1 - (value - bottom) / (top - bottom))
    parts = []
    tick = bottom
    while tick <= top + step / 100:
        y = xy(start, tick)[1]
        parts.append(f'<line x1="60" x2="{width - 10}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/><text x="54" y="{y + 4:.1f}" '
                     f'text-anchor="end">{html.escape(formatted(tick, defaults["unit"]).replace(" req/s", "").replace(" ops/s", ""))}</text>')
        tick += step
    if custom["thresholdsStyle"]["mode"] != "off":
        for threshold in defaults["thresholds"]["steps"][1:]:
            if bottom <= threshold["value"] <= top:
                y = xy(start, threshold["value"])[1]
                parts.append(f'<line x1="60" x2="{width - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="{COLORS[threshold["color"]]}" stroke-dasharray="6 4"/>')
    below, legends = {}, []
    for i, (legend, points) in enumerate(series):
        color = PALETTE[i % len(PALETTE)]
        legends.append(f'<span><i style="background:{color}"></i>{html.escape(legend)}</span>')
        gap = min((b[0] - a[0] for a, b in zip(points, points[1:])), default=15)
        path, previous = [], None
        for at, value in points:
            base = below.get(at, 0) if stacked else 0
            x, y = xy(at, base + value)
            if bars:
                w = max(2.0, (width - 70) * gap / (end - start) * 0.8)
                if value:
                    parts.append(f'<rect x="{x - w / 2:.1f}" y="{y:.1f}" width="{w:.1f}" height="{xy(at, base)[1] - y:.1f}" fill="{color}" fill-opacity=".7"/>')
            else:
                joined = previous is not None and at - previous < 2.5 * gap
                path.append(f"H{x:.1f}V{y:.1f}" if joined else f"M{x:.1f},{y:.1f}")
            if stacked:
                below[at] = base + value
            previous = at
        if path:
            parts.append(f'<path d="{"".join(path)}" fill="none" stroke="{color}" stroke-width="1.8"/>')
    parts.append(time_axis(start, end, width, plot + 16))
    return f'<svg width="{width}" height="{plot + 22}">{"".join(parts)}</svg><div class="legend">{"".join(legends)}</div>'


def state_timeline(panel, series, start, end, width, height):
    if not series:
        return no_value(panel)
    defaults = panel["fieldConfig"]["defaults"]
    left, plot = 170, height - 26
    band = min(34.0, plot / len(series))
    parts = []
    for row, (legend, points) in enumerate(series):
        y = row * band + 3
        parts.append(f'<text x="{left - 8}" y="{y + band / 2 + 1:.0f}" text-anchor="end">{html.escape(legend.strip())}</text>')
        gap = min((b[0] - a[0] for a, b in zip(points, points[1:])), default=15)
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
    parts.append(f'<g transform="translate({left - 60},0)">{time_axis(start, end, width - left + 60, len(series) * band + 16)}</g>')
    return f'<svg width="{width}" height="{len(series) * band + 22:.0f}">{"".join(parts)}</svg>'
