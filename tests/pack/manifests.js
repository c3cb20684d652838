// Checks YAML files against the schemas of what they claim to be: node manifests.js MODULES VERSION N RENDERING... FILE...
// Kubernetes' and the Prometheus operator's objects by their published models; Grafana's provisioning files and the list
// of targets by what they must hold. The first N files are whole kustomizations, whose objects must fit together.
"use strict";
const fs = require("fs");
const path = require("path");
const { pathToFileURL } = require("url");

const [modules, version, count, ...files] = process.argv.slice(2);
const installed = (name) => path.join(path.resolve(modules), "node_modules", name);
const YAML = require(installed("yaml"));
const kubernetes = (group) => `kubernetes-models/${group}/index.js`;
const MODELS = {
  ...Object.fromEntries(["v1", "apps/v1", "policy/v1", "networking.k8s.io/v1"].map((group) => [group, kubernetes(group)])),
  "monitoring.coreos.com/v1": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/index.js",
};
const DASHBOARDS = path.resolve(__dirname, "../../dashboards/grafana");
let faults = 0;
const fault = (file, text) => { faults += 1; console.error(`${file}: ${text}`); };
const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);

async function check(object) {
  const kinds = await import(pathToFileURL(installed(MODELS[object.apiVersion])));
  new kinds[object.kind](object).validate();
}

/** All objects of a file, each valid. */
async function objectsOf(file) {
  const found = [];
  for (const document of YAML.parseAllDocuments(fs.readFileSync(file, "utf8"), { version: "1.1", uniqueKeys: true })) {
    for (const error of [...document.errors, ...document.warnings]) fault(file, error.message);
    const value = document.toJS();
    found.push(value);
    if (value && value.kind) {
      try { await check(value); } catch (error) { fault(file, `${value.kind}: ${error.message}`); }
    } else if (file.includes("provisioning")) {
      if (value.apiVersion !== 1 || !(value.datasources || value.providers)) fault(file, "is not a provisioning file");
    } else if (!Array.isArray(value)) {
      fault(file, "is not a list of targets");
    }
  }
  return found;
}

/** The models must be able to object. */
async function checkObjections(objects) {
  const set = objects.find((o) => o.kind === "StatefulSet");
  for (const spoil of [(o) => { o.spec.replicas = "three"; }, (o) => { delete o.spec.selector; }]) {
    const spoilt = structuredClone(set);
    spoil(spoilt);
    let passed = true;
    try { await check(spoilt); } catch { passed = false; }
    if (passed) fault("StatefulSet", "a spoilt one passes");
  }
}

/** Labels of our series that the operator gives a target as well. */
const TARGET_LABELS = ["job", "instance", "namespace", "pod", "container", "service", "node", "endpoint"];
const rows = fs.readFileSync(path.resolve(__dirname, "../../dashboards/METRICS.md"), "utf8").matchAll(/^\| `share_drift_\w+` \|[^|]*\|([^|]*)\|/gm);
const ours = [...new Set([...rows].flatMap(([, labels]) => labels.match(/\w+/g) || []))];
const collisions = ours.filter((label) => TARGET_LABELS.includes(label));

const selects = (selector, labels) => Object.entries(selector).every(([name, value]) => labels[name] === value);

/** Everything scraped is told apart by the pod's name, which lasts, and its namespace. */
function checkMonitor(file, monitor, port) {
  for (const endpoint of monitor.spec.endpoints || monitor.spec.podMetricsEndpoints) {
    if (endpoint.port !== port) fault(file, `${monitor.kind} scrapes ${endpoint.port}`);
    if (collisions.length && endpoint.honorLabels !== true) fault(file, `${monitor.kind}: ${collisions} becomes exported_${collisions}`);
    const instance = { action: "replace", separator: "/", sourceLabels: ["__meta_kubernetes_namespace", "__meta_kubernetes_pod_name"],
      targetLabel: "instance" };
    if (!(endpoint.relabelings || []).some((r) => equal(r, instance))) fault(file, `${monitor.kind}: no instance of its own`);
  }
}

function checkVolumes(file, pod, container, objects, templates) {
  const volumes = Object.fromEntries(pod.volumes.map((v) => [v.name, v]));
  for (const mount of container.volumeMounts) {
    if (!volumes[mount.name] && !templates.some((c) => c.metadata.name === mount.name)) fault(file, `no volume ${mount.name}`);
    if (mount.subPath) fault(file, `${mount.name} by subPath never changes`);
    if (container.volumeMounts.some((m) => m !== mount && m.mountPath.startsWith(`${mount.mountPath}/`))) fault(file, `${mount.name} holds another mount`);
  }
  const map = objects.find((o) => o.kind === "ConfigMap" && o.metadata.name === volumes.config.configMap.name);
  const config = YAML.parse(map.data["config.yml"]);
  const credentials = config.profiles.default.credentials;
  const place = container.volumeMounts.find((m) => m.name === "key").mountPath;
  const wanted = volumes.key.secret ? credentials.file : credentials.oidc_token_file;
  const name = volumes.key.secret ? "credentials" : volumes.key.projected.sources[0].serviceAccountToken.path;
  if (wanted !== `${place}/${name}`) fault(file, `the credential is at ${place}/${name}, the config looks for ${wanted}`);
  if (Boolean(volumes.key.secret) === (credentials.source === "oidc_role")) fault(file, "a key where a token is meant, or the other way round");
}

/** What belongs together must fit together. */
function checkFit(file, objects) {
  const all = (kind) => objects.filter((o) => o.kind === kind);
  const set = all("StatefulSet")[0].spec;
  const pod = set.template;
  const container = pod.spec.containers[0];
  const labels = pod.metadata.labels;
  const environment = Object.fromEntries(container.env.map((v) => [v.name, v.value]));
  if (!container.args.includes("--shard.count=$(SHARD_COUNT)") || environment.SHARD_COUNT !== String(set.replicas)) fault(file, "replicas and SHARD_COUNT differ");
  if (container.image !== `share-drift-exporter:${version}`) fault(file, `image ${container.image} is not of version ${version}`);
  const selectors = [set.selector.matchLabels, ...all("Service").map((o) => o.spec.selector), ...all("PodDisruptionBudget").map((o) => o.spec.selector.matchLabels),
    ...all("NetworkPolicy").map((o) => o.spec.podSelector.matchLabels)];
  if (selectors.length < 5 || !selectors.every((s) => equal(s, labels))) fault(file, `selectors do not select the pods: ${JSON.stringify(selectors)}`);
  if (!all("Service").some((o) => o.metadata.name === set.serviceName && o.spec.clusterIP === "None")) fault(file, "no headless service");
  if (!all("ServiceAccount").some((o) => o.metadata.name === pod.spec.serviceAccountName)) fault(file, "no service account");
  const port = container.ports[0];
  for (const service of all("Service")) if (service.spec.ports[0].targetPort !== port.name) fault(file, `port of ${service.metadata.name}`);
  if (all("NetworkPolicy")[0].spec.ingress[0].ports[0].port !== port.name) fault(file, "the policy lets nobody to the port");
  const monitors = [...all("ServiceMonitor"), ...all("PodMonitor")];
  for (const monitor of monitors) checkMonitor(file, monitor, port.name);
  for (const monitor of all("PodMonitor")) if (!selects(monitor.spec.selector.matchLabels, labels)) fault(file, "PodMonitor does not select the pods");
  for (const monitor of all("ServiceMonitor")) {
    const scraped = all("Service").filter((o) => selects(monitor.spec.selector.matchLabels, o.metadata.labels));
    if (!equal(scraped.map((o) => o.metadata.name), [set.serviceName])) fault(file, "ServiceMonitor must select the headless service and no other");
    const probed = container.livenessProbe.httpGet.scheme || "HTTP";
    if ((monitor.spec.endpoints[0].scheme || "http") !== probed.toLowerCase()) fault(file, "scraped and probed by different schemes");
  }
  if (container.livenessProbe.httpGet.scheme !== container.readinessProbe.httpGet.scheme) fault(file, "the probes differ in scheme");
  const dashboards = all("ConfigMap").filter((o) => o.metadata.labels.grafana_dashboard === "1");
  for (const dashboard of dashboards) {
    for (const text of Object.values(dashboard.data)) if (!JSON.parse(text).uid) fault(file, `${dashboard.metadata.name} has no uid`);
    // kubectl apply keeps a copy in an annotation, which may have 256 KiB.
    if (JSON.stringify(JSON.stringify(dashboard)).length > 262144) fault(file, `${dashboard.metadata.name} is too long for kubectl apply`);
  }
  const [rules, shipped] = [all("PrometheusRule").length, fs.readdirSync(DASHBOARDS).length];
  // Two monitors would scrape each pod twice.
  if (!equal([monitors.length, rules, dashboards.length], monitors.length ? [1, 1, shipped] : [0, 0, 0])) fault(file, "monitoring is not whole");
  checkVolumes(file, pod.spec, container, objects, set.volumeClaimTemplates);
  const claim = set.volumeClaimTemplates[0].spec;
  const disk = [claim.storageClassName, claim.resources.requests.storage];
  if (/ack|rrsa/.test(file) && !equal(disk, ["alicloud-disk-topology-alltype", "20Gi"])) fault(file, `ACK has no such disk: ${disk}`);
}

(async () => {
  // Rules compare all the others with those of `up`, which are the target's.
  if (!equal(collisions, ["endpoint"])) fault("METRICS.md", `labels of targets: ${collisions}`);
  const plain = files.slice(Number(count));
  for (const file of files.slice(0, Number(count))) {
    const objects = await objectsOf(file);
    checkFit(path.basename(file), objects);
    await checkObjections(objects);
  }
  await Promise.all(plain.map(objectsOf));
  if (faults) process.exit(1);
  console.log(`${count} kustomizations and ${plain.length} files hold`);
})();
