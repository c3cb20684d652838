// validate_sarif.js MODULES REPORT...: each report is valid by the published schema of SARIF 2.1.0 (SchemaStore's
// sarif-2.1.0-rtm.5.json, as Microsoft's @microsoft/jest-sarif carries it), and a spoilt one is not.
const fs = require("fs");
const path = require("path");

const [modules, ...reports] = process.argv.slice(2);
const from = (name) => require(path.join(modules, "node_modules", name));
const Ajv = from("ajv");
const ajv = new Ajv({schemaId: "id", meta: from("ajv/lib/refs/json-schema-draft-04.json"), allErrors: true, format: "full"});
const validate = ajv.compile(from("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"));

let faults = 0;
for (const file of reports) {
  const report = JSON.parse(fs.readFileSync(file, "utf8"));
  if (!validate(report)) {
    faults++;
    console.log(file, ajv.errorsText(validate.errors, {separator: "\n  "}));
  }
  for (const spoil of [(r) => delete r.runs[0].tool, (r) => { r.runs[0].results[0].level = "fatal"; },
                       (r) => { r.version = "2.0.0"; }, (r) => { r.runs[0].results[0].locatons = []; }]) {
    const spoilt = structuredClone(report);
    spoil(spoilt);
    if (validate(spoilt)) {
      faults++;
      console.log(`the schema takes anything: ${spoil}`);
    }
  }
}
console.log(`${reports.length - faults} reports hold`);
process.exit(faults ? 1 : 0);
