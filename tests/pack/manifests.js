// Checks YAML files against the schemas of what they claim to be: node manifests.js MODULES FILE...
// Kubernetes' and the Prometheus operator's objects by their published models; Grafana's provisioning files and the list
// of targets by what they must hold.
"use strict";
const fs = require("fs");
const path = require("path");
const { pathToFileURL } = require("url");

const [modules, ...files] = process.argv.slice(2);
const installed = (name) => path.join(path.resolve(modules), "node_modules", name);
const YAML = require(installed("yaml"));
const MODELS = {
  v1: "kubernetes-models/v1/index.js", "apps/v1": "kubernetes-models/apps/v1/index.js",
  "monitoring.coreos.com/v1": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/index.js",
};
let faults = 0;
const fault = (file, text) => { faults += 1; console.error(`${file}: ${text}`); };
const objects = {};

async function check(object) {
  const kinds = await import(pathToFileURL(installed(MODELS[object.apiVersion])));
  new kinds[object.kind](object).validate();
}

async function checkFile(file) {
  const document = YAML.parseDocument(fs.readFileSync(file, "utf8"), { version: "1.1", uniqueKeys: true });
  for (const error of [...document.errors, ...document.warnings]) fault(file, error.message);
  const value = document.toJS();
  if (value && value.kind) {
    objects[value.kind] = value;
    try { await check(value); } catch (error) { fault(file, error.message); }
  } else if (file.includes("provisioning")) {
    if (value.apiVersion !== 1 || !(value.datasources || value.providers)) fault(file, "is not a provisioning file");
  } else if (!Array.isArray(value)) {
    fault(file, "is not a list of targets");
  }
}

/** The models must be able to object. */
async function checkObjections() {
  for (const spoil of [(o) => { o.spec.replicas = "three"; }, (o) => { delete o.spec.selector; }]) {
    const spoilt = structuredClone(objects.StatefulSet);
    spoil(spoilt);
    let passed = true;
    try { await check(spoilt); } catch { passed = false; }
    if (passed) fault("StatefulSet", "a spoilt one passes");
  }
}

/** What belongs together must fit together. */
function checkFit() {
  const set = objects.StatefulSet.spec;
  const pod = set.template;
  const container = pod.spec.containers[0];
  const same = (a, b, what) => { if (JSON.stringify(a) !== JSON.stringify(b)) fault("manifests", `${what}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`); };
  same(container.args.find((a) => a.startsWith("--shard.count=")), `--shard.count=${set.replicas}`, "replicas and --shard.count");
  for (const selector of [set.selector.matchLabels, objects.Service.spec.selector, objects.PodMonitor.spec.selector.matchLabels]) {
    same(selector, pod.metadata.labels, "selector and labels of the pods");
  }
  same(objects.ServiceMonitor.spec.selector.matchLabels, objects.Service.metadata.labels, "ServiceMonitor and Service");
  same(set.serviceName, objects.Service.metadata.name, "serviceName");
  const volumes = Object.fromEntries(pod.spec.volumes.map((v) => [v.name, v]));
  same(volumes.config.configMap.name, objects.ConfigMap.metadata.name, "ConfigMap");
  same(volumes.key.secret.secretName, objects.Secret.metadata.name, "Secret");
  for (const mount of container.volumeMounts) {
    if (!volumes[mount.name] && !set.volumeClaimTemplates.some((c) => c.metadata.name === mount.name)) fault("StatefulSet", `no volume ${mount.name}`);
  }
  const config = YAML.parse(objects.ConfigMap.data["config.yml"]);
  const key = config.profiles.default.credentials.file;
  const mount = container.volumeMounts.find((m) => m.name === "key").mountPath;
  same(path.dirname(key), mount, "where the key is mounted and looked for");
  if (!(path.basename(key) in objects.Secret.stringData)) fault("Secret", `has no ${path.basename(key)}`);
  for (const [kind, endpoint] of [["Service", objects.Service.spec.ports[0].name], ["ServiceMonitor", objects.ServiceMonitor.spec.endpoints[0].port],
    ["PodMonitor", objects.PodMonitor.spec.podMetricsEndpoints[0].port]]) same(endpoint, container.ports[0].name, `port of ${kind}`);
}

(async () => {
  for (const file of files) await checkFile(file);
  await checkObjections();
  checkFit();
  if (faults) process.exit(1);
  console.log(`${files.length} files hold`);
})();
