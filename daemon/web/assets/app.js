"use strict";
// Makes the page follow the JSON API. Rows and sentences are those of status_page.cpp; tests/web compares the two.
// All text goes in as text nodes: nothing from outside is ever parsed as markup.
(() => {
  const POLL = 10_000;
  const SLOWEST = 120_000;
  const PATIENCE = 8_000;
  const LATE = 25_000;
  const LOST = 60_000;
  const SLICE = 8;
  const MOST_ACCOUNTS = 20;
  const LABELS = { leaking: "Leaking", missing: "Missing", unknown: "Unknown", in_sync: "In sync" };
  const VERDICTS = Object.keys(LABELS);
  const COLUMNS = ["verdict", "image", "drift", "shared", "proof", "error"];
  const $ = (id) => document.getElementById(id);

  /** A detached element; children are elements or text, nulls are left out. */
  const el = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  };

  // ---- time ----
  let ahead = 0; // how far the server's clock is ahead of this one, in ms
  const now = () => Date.now() + ahead;
  const minute = (stamp) => `${stamp.slice(0, 10)} ${stamp.slice(11, 16)} UTC`;
  const age = (stamp) => {
    const seconds = Math.max(Math.floor((now() - Date.parse(stamp)) / 1000), 0);
    if (seconds < 120) return `${seconds} s`;
    if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
    return `${Math.floor(seconds / 86400)} d`;
  };
  const ago = (stamp) => el("span", { class: "ago", "data-t": stamp, title: minute(stamp) }, age(stamp));
  const refreshAges = () => {
    for (const span of document.getElementsByClassName("ago")) {
      const text = age(span.dataset.t);
      if (span.textContent !== text) span.textContent = text;
    }
  };

  // ---- rows ----
  const none = (text) => el("span", { class: "none" }, text);
  const cell = (name, label, ...content) => el("td", { role: "cell", class: name, "data-label": label }, ...content);

  const imageCell = (image) => {
    const meta = [image.team, image.severity].filter((text) => text !== "").map((text) => el("bdi", null, text));
    if (image.canary) meta.push(el("span", null, "canary"));
    return el("th", { role: "rowheader", scope: "row", class: "image" },
      el("a", { href: `api/v1/images/${image.image_id}` }, el("bdi", null, image.image_name || image.image_id)),
      image.image_name ? el("code", null, image.image_id) : null,
      meta.length > 0 ? el("span", { class: "meta" }, ...meta) : null);
  };

  const driftItem = (drift) => el("li", { class: drift.kind },
    el("span", { class: "kind" }, drift.kind === "unexpected" ? "Unexpected" : "Missing"),
    drift.account_name ? el("bdi", null, drift.account_name) : el("span", { class: "nobody" }, "not in the address book"),
    el("code", null, drift.account_id),
    el("span", { class: "since" }, `since ${minute(drift.since)}, `, ago(drift.since)),
    drift.held ? el("span", { class: "note" }, "clear is held")
      : drift.clearing ? el("span", { class: "note" }, "clearing") : null);

  const driftCell = (image) => {
    if (image.drift.length === 0) return none(image.verdict === "in_sync" ? "none" : "not known");
    const rest = image.drift.length - MOST_ACCOUNTS;
    return el("ul", null, ...image.drift.slice(0, MOST_ACCOUNTS).map(driftItem),
      rest > 0 ? el("li", { class: "more" }, `and ${rest} more`) : null);
  };

  const proofCell = (image) => {
    if (image.last_complete === null) return [el("span", { class: "stale" }, "never")];
    const text = [ago(image.last_complete), " ago"];
    return image.stale ? [el("span", { class: "stale" }, ...text)] : text;
  };

  const errorCell = (failure) => {
    if (failure === null) return [none("none")];
    return [el("b", null, failure.reason),
      failure.code ? el("code", null, failure.code) : null,
      failure.detail ? el("bdi", null, failure.detail) : null,
      failure.request_id ? el("span", { class: "request" }, "request ", el("code", null, failure.request_id)) : null];
  };

  const makeRow = (image) => el("tr", { role: "row", "data-id": image.image_id, "data-verdict": image.verdict },
    cell("verdict", "Verdict", el("span", { class: "badge" }, LABELS[image.verdict]),
      image.why ? el("span", { class: "why" }, image.why) : null),
    imageCell(image),
    cell("drift", "Drift", driftCell(image)),
    cell("shared", "Shared with", image.shared_accounts === null ? none("not known") : String(image.shared_accounts)),
    cell("proof", "Last proof", ...proofCell(image)),
    cell("error", "Last error", ...errorCell(image.last_failure)));

  // ---- the summary ----
  const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;
  const headline = (n, total) => {
    if (total === 0) return "No image is watched here";
    if (n.leaking > 0) return counted(n.leaking, "image is leaking", "images are leaking");
    if (n.missing > 0) {
      return counted(n.missing, "image lacks an account that must have it", "images lack accounts that must have them");
    }
    if (n.unknown === total) return "No image can be judged";
    if (n.unknown > 0) return counted(n.unknown, "image cannot be judged", "images cannot be judged");
    return total === 1 ? "The image is in sync" : `All ${n.in_sync} images are in sync`;
  };
  const subline = (n, total) => [
    n.leaking > 0 && n.missing > 0 ? counted(n.missing, "lacks an account", "lack accounts") : "",
    n.leaking + n.missing > 0 && n.unknown > 0 ? counted(n.unknown, "cannot be judged", "cannot be judged") : "",
    n.in_sync !== total ? `${n.in_sync} of ${total} in sync` : "",
  ].filter((part) => part !== "").join(" · ");

  const setText = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  const showSummary = () => {
    const n = Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0]));
    for (const { image } of entries.values()) n[image.verdict] += 1;
    const total = entries.size;
    setText($("headline"), headline(n, total));
    setText($("subline"), subline(n, total));
    $("summary").dataset.verdict = VERDICTS.find((verdict) => n[verdict] > 0) || "unknown";
    document.title = `${headline(n, total)} - Share drift`;
    let before = 0;
    for (const verdict of VERDICTS) {
      const at = (count) => (total === 0 ? 0 : Math.floor((count * 1000) / total));
      const rect = $("bar").querySelector(`[data-verdict="${verdict}"]`);
      rect.setAttribute("x", at(before));
      rect.setAttribute("width", at(before + n[verdict]) - at(before));
      before += n[verdict];
      setText($("tiles").querySelector(`:scope > [data-verdict="${verdict}"] b`), String(n[verdict]));
    }
  };

  // ---- what is known: id -> { image, text, row, words } ----
  const entries = new Map();
  const rows = $("rows");
  const pause = () => new Promise((resolve) => { setTimeout(resolve); });

  const words = (image) => [image.image_name, image.image_id, image.team, image.severity, image.state, image.why,
    image.last_failure ? `${image.last_failure.reason} ${image.last_failure.code}` : "",
    ...image.drift.map((drift) => `${drift.account_name} ${drift.account_id} ${drift.kind}`)].join("\n").toLowerCase();

  /** Puts `row` where `old` stands, unless they are the same; keeps the focus. */
  const exchange = (old, row) => {
    if (!old) return row;
    if (old.isEqualNode(row)) return old;
    const focused = old.contains(document.activeElement);
    row.hidden = old.hidden;
    old.replaceWith(row);
    if (focused) row.querySelector("a").focus();
    return row;
  };

  /** Takes over a new list, in slices so that the page stays at hand. */
  const take = async (images) => {
    const first = entries.size === 0;
    const standing = new Map([...rows.children].map((row) => [row.dataset.id, row]));
    let slice = performance.now();
    for (const image of images) {
      const text = JSON.stringify(image);
      const known = entries.get(image.image_id);
      if (!known || known.text !== text) {
        const row = exchange(standing.get(image.image_id), makeRow(image));
        if (!first && (!known || known.image.verdict !== image.verdict)) row.classList.add("changed");
        entries.set(image.image_id, { image, text, row, words: words(image) });
      }
      if (performance.now() - slice > SLICE) {
        await pause();
        slice = performance.now();
      }
    }
    const present = new Set(images.map((image) => image.image_id));
    for (const id of [...standing.keys(), ...entries.keys()]) {
      if (present.has(id)) continue;
      (standing.get(id) || entries.get(id).row).remove();
      entries.delete(id);
    }
    arrange();
    showSummary();
  };

  // ---- filter and sort ----
  const view = { text: "", verdict: "", column: "verdict", down: false };
  const before = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const KEYS = {
    verdict: ({ image }) => VERDICTS.indexOf(image.verdict),
    image: () => 0,
    drift: ({ image }) => -image.drift.length,
    shared: ({ image }) => -(image.shared_accounts ?? -1),
    proof: ({ image }) => image.last_complete ?? "",
    error: ({ image }) => (image.last_failure ? image.last_failure.reason : "~"),
  };
  const title = ({ image }) => image.image_name || image.image_id;

  const arrange = () => {
    const key = KEYS[view.column];
    const order = [...entries.values()].sort((a, b) => (view.down ? -1 : 1) * before(key(a), key(b))
      || (view.down && view.column === "image" ? -1 : 1) * before(title(a), title(b))
      || before(a.image.image_id, b.image.image_id));
    const focused = document.activeElement;
    let place = rows.firstElementChild;
    let shown = 0;
    for (const { image, row, words: haystack } of order) {
      const fits = (view.verdict === "" || image.verdict === view.verdict)
        && view.text.split(/\s+/).every((word) => haystack.includes(word));
      if (row.hidden === fits) row.hidden = !fits;
      shown += fits ? 1 : 0;
      if (row === place) {
        place = place.nextElementSibling;
      } else {
        rows.insertBefore(row, place);
      }
    }
    if (focused && focused !== document.activeElement && rows.contains(focused)) focused.focus({ preventScroll: true });
    setText($("shown"), shown === entries.size ? counted(shown, "image", "images") : `${shown} of ${entries.size} images`);
    $("empty").hidden = shown > 0 || entries.size === 0;
  };

  const remember = () => {
    const search = new URLSearchParams();
    if (view.text) search.set("q", view.text);
    if (view.verdict) search.set("verdict", view.verdict);
    if (view.column !== "verdict" || view.down) search.set("sort", (view.down ? "-" : "") + view.column);
    const text = search.toString();
    history.replaceState(null, "", text ? `?${text}` : location.pathname);
  };
  const showView = () => {
    for (const tile of document.querySelectorAll("button.tile")) {
      tile.setAttribute("aria-pressed", String(tile.parentElement.dataset.verdict === view.verdict));
    }
    document.querySelectorAll("thead th").forEach((th, index) => {
      if (COLUMNS[index] === view.column) {
        th.setAttribute("aria-sort", view.down ? "descending" : "ascending");
      } else {
        th.removeAttribute("aria-sort");
      }
    });
    $("sort").value = view.column;
    arrange();
    remember();
  };
  const sortBy = (column) => {
    view.down = view.column === column && !view.down;
    view.column = column;
    showView();
  };

  const buildControls = () => {
    const search = el("input", { type: "search", id: "search", placeholder: "Image, account, team, reason", autocomplete: "off",
      spellcheck: "false", "aria-keyshortcuts": "/" });
    const sort = el("select", { id: "sort" });
    document.querySelectorAll("thead th").forEach((th, index) => {
      const text = th.textContent;
      sort.append(el("option", { value: COLUMNS[index] }, `Sort by ${text.toLowerCase()}`));
      const button = el("button", { type: "button", class: "sort" }, text);
      button.addEventListener("click", () => sortBy(COLUMNS[index]));
      th.replaceChildren(button);
    });
    sort.addEventListener("change", () => { view.down = false; view.column = sort.value; showView(); });
    let typing = 0;
    search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => { view.text = search.value.trim().toLowerCase(); showView(); }, 80);
    });
    document.addEventListener("keydown", (event) => {
      const busy = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
      if (event.key === "/" && !busy && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        search.focus();
      }
    });
    $("images").prepend(el("div", { class: "controls", role: "search" },
      el("label", { class: "label", for: "search" }, "Find images"), search,
      el("label", { class: "label", for: "sort" }, "Sort"), el("span", { class: "sorting" }, sort),
      el("output", { id: "shown", for: "search" })));
    rows.after(el("p", { class: "empty", id: "empty", hidden: "" }, "No image fits. "));
    const all = el("button", { type: "button", class: "quiet" }, "Show all");
    all.addEventListener("click", () => {
      view.text = "";
      view.verdict = "";
      search.value = "";
      showView();
      search.focus();
    });
    $("empty").append(all);
    for (const tile of document.querySelectorAll(".tile")) {
      const button = el("button", { type: "button", class: "tile", "aria-pressed": "false" });
      button.append(...tile.childNodes);
      const { verdict } = tile.parentElement.dataset;
      button.addEventListener("click", () => { view.verdict = view.verdict === verdict ? "" : verdict; showView(); });
      tile.replaceWith(button);
    }
    const wanted = new URLSearchParams(location.search);
    search.value = wanted.get("q") || "";
    view.text = search.value.trim().toLowerCase();
    if (VERDICTS.includes(wanted.get("verdict"))) view.verdict = wanted.get("verdict");
    const order = wanted.get("sort") || "";
    if (COLUMNS.includes(order.replace(/^-/, ""))) {
      view.down = order.startsWith("-");
      view.column = order.replace(/^-/, "");
    }
  };

  // ---- following ----
  const live = { paused: false, timer: 0, wait: POLL, last: Date.now(), problem: "", tag: null, busy: false };

  const showLive = () => {
    const since = Date.now() - live.last;
    const seconds = Math.floor(since / 1000);
    const how = seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
    const lost = since > LOST || live.problem !== "";
    const state = lost && since > LATE ? "lost" : live.paused ? "paused" : since > LATE ? "late" : "live";
    $("live").dataset.state = state;
    document.body.classList.toggle("lost", since > LOST);
    setText($("live-text"), state === "lost" ? `Not updated for ${how}${live.problem ? `: ${live.problem}` : ""}`
      : `${live.paused ? "Paused, updated" : "Updated"} ${how} ago`);
  };

  const follow = () => {
    clearTimeout(live.timer);
    if (!live.paused && !document.hidden) live.timer = setTimeout(poll, live.wait);
  };

  const poll = async () => {
    if (live.busy) return;
    live.busy = true;
    try {
      const response = await fetch("api/v1/images", { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
      if (!response.ok) throw new Error(`the server answers ${response.status}`);
      const date = Date.parse(response.headers.get("date"));
      if (!Number.isNaN(date)) ahead = Math.abs(date - Date.now()) < 2000 ? 0 : date - Date.now();
      const tag = response.headers.get("etag");
      if (tag === null || tag !== live.tag) {
        await take((await response.json()).data);
        live.tag = tag;
      }
      live.last = Date.now();
      live.problem = "";
      live.wait = POLL;
      refreshAges();
    } catch (error) {
      live.problem = error instanceof Error && error.message.startsWith("the server") ? error.message : "no answer";
      live.wait = Math.min(live.wait * 2, SLOWEST);
    }
    live.busy = false;
    showLive();
    follow();
  };

  const start = () => {
    buildControls();
    const button = el("button", { type: "button", class: "quiet", id: "pause", "aria-pressed": "false" }, "Pause");
    button.addEventListener("click", () => {
      live.paused = !live.paused;
      button.setAttribute("aria-pressed", String(live.paused));
      showLive();
      if (live.paused) follow();
      else poll();
    });
    $("live").append(button);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden || live.paused) follow();
      else poll();
      showLive();
    });
    setInterval(() => {
      if (document.hidden) return;
      refreshAges();
      showLive();
    }, 1000);
    poll().then(showView);
  };
  start();
})();
