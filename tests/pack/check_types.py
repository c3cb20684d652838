#!/usr/bin/env python3
"""Type-checks the dashboards against @grafana/schema: check_types.py SOURCE_DIR BUILD_DIR.

Each dashboard becomes a TypeScript constant and each panel, query and variable one of the type of its kind, so that a
misspelt or misplaced key, or a value that Grafana does not know, is an error of the compiler.
"""
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness.npm import install  # noqa: E402

COMPOSABLE = "@grafana/schema/dist/esm/raw/composable"
PANELS = {"stat": ("stat", "Stat"), "table": ("table", "Table"), "timeseries": ("timeseries", "TimeSeries"),
          "state-timeline": ("statetimeline", "StateTimeline")}
HEAD = """import type { Dashboard, Panel, RowPanel, VariableModel, FieldConfig, AnnotationQuery } from "@grafana/schema";
%s
// JSON has literals where the types have enums.
type Plain<T> = T extends string ? `${T}` : T extends (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Custom<C> = Omit<FieldConfig, "custom"> & { custom?: C };
type Typed<O, C> = Plain<Omit<Panel, "options" | "fieldConfig" | "targets"> & {
  options: O; fieldConfig: { defaults: Custom<C>; overrides: NonNullable<Panel["fieldConfig"]>["overrides"] }; targets: PrometheusDataQuery[] }>;
// What Grafana 10 writes and the types leave out.
type Board = Plain<Omit<Dashboard, "panels" | "templating" | "annotations">>;
type Variable = Plain<VariableModel> & { allValue?: string; definition?: string };
type Annotation = Plain<AnnotationQuery> & { expr?: string; step?: string; titleFormat?: string; textFormat?: string; tagKeys?: string };
"""


def typescript(name, board):
    """The dashboard as constants, each of the type of its kind."""
    board = dict(board)
    lines = []
    for panel in board.pop("panels"):
        kind = panel["type"]
        if kind == "row":
            declared = "Plain<RowPanel>"
        elif kind in PANELS:
            custom = "{}" if kind == "stat" else "Record<string, unknown>" if kind == "table" else f"{kind.replace('-', '_')}.FieldConfig"
            declared = f"Typed<{kind.replace('-', '_')}.Options, {custom}>"
        else:
            raise SystemExit(f"{name}: panel {panel['id']} is of the kind {kind}, which has no type here")
        lines.append(f"export const {name}_panel_{panel['id']}: {declared} = {json.dumps(panel)};")
    for i, variable in enumerate(board.pop("templating")["list"]):
        lines.append(f"export const {name}_variable_{i}: Variable = {json.dumps(variable)};")
    for i, annotation in enumerate(board.pop("annotations")["list"]):
        lines.append(f"export const {name}_annotation_{i}: Annotation = {json.dumps(annotation)};")
    lines.append(f"export const {name}: Board = {json.dumps(board)};")
    return lines


def compile_boards(modules, boards):
    imports = "".join(f'import type * as {kind.replace("-", "_")} from "{COMPOSABLE}/{folder}/panelcfg/x/{name}PanelCfg_types.gen";\n'
                      for kind, (folder, name) in PANELS.items())
    imports += f'import type {{ PrometheusDataQuery }} from "{COMPOSABLE}/prometheus/dataquery/x/PrometheusDataQuery_types.gen";\n'
    lines = [HEAD % imports]
    for name, board in boards.items():
        lines += typescript(name, board)
    (modules / "dashboards.ts").write_text("\n".join(lines) + "\n")
    return subprocess.run(["node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "node",
                           "--target", "es2020", "dashboards.ts"], cwd=modules, capture_output=True, text=True, timeout=1200)


def main():
    root, build = map(pathlib.Path, sys.argv[1:3])
    modules = install(HERE, build)
    boards = {path.stem.replace("-", "_"): json.loads(path.read_text())
              for path in sorted((root / "dashboards" / "grafana").glob("*.json"))}
    done = compile_boards(modules, boards)
    if done.returncode != 0:
        sys.exit(done.stdout[:6000])
    # The compiler must be able to object.
    name, board = next(iter(boards.items()))
    spoilt = json.loads(json.dumps(board))
    next(p for p in spoilt["panels"] if p["type"] == "stat")["options"]["textMode"] = "loud"
    spoilt["refesh"] = "1m"
    objections = compile_boards(modules, {name: spoilt}).stdout
    if "loud" not in objections or "refesh" not in objections:
        sys.exit(f"a wrong value and a wrong key pass: {objections}")
    print(f"{len(boards)} dashboards are what @grafana/schema says")


if __name__ == "__main__":
    main()
