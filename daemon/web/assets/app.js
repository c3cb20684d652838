"use strict";
// Keeps the page up to date with the server's own rows and sentences, and finds and sorts among the rows. The page is whole
// without it. Nothing from outside is made into markup here: what the server sends is parsed as a document that runs nothing.
(() => {
  const POLL = 10_000;
  const SLOWEST = 120_000;
  const PATIENCE = 8_000;
  const LATE = 25_000;
  const LOST = 60_000;
  const $ = (id) => document.getElementById(id);
  const rows = $("rows");

  /** A detached element; children are elements or text. */
  const el = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const setText = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };

  // ---- what the server says ----
  /** Makes `old` say what `fresh` says and touches nothing else, so that focus, selection and scrolling stay. */
  const morph = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeName !== fresh.nodeName || old.nodeType !== Node.ELEMENT_NODE) {
      old.replaceWith(fresh);
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const children = [...fresh.childNodes];
    while (old.childNodes.length > children.length) old.lastChild.remove();
    children.forEach((child, index) => {
      if (index < old.childNodes.length) morph(old.childNodes[index], child);
      else old.append(child);
    });
  };

  let entries = []; // in the server's order: { row, place, words }
  const read = (list) => {
    entries = list.map((row, place) => ({ row, place, words: row.textContent.toLowerCase() }));
  };

  /** Takes over what another copy of this page says. */
  const take = (page) => {
    if (page.querySelector("script").src !== document.querySelector("script").src) location.reload(); // of another release
    const known = new Map(entries.map(({ row }) => [row.dataset.id, row]));
    const list = [...page.getElementById("rows").children].map((fresh) => {
      const old = known.get(fresh.dataset.id);
      if (!old) return rows.appendChild(fresh);
      known.delete(fresh.dataset.id);
      const changed = old.dataset.verdict !== fresh.dataset.verdict;
      fresh.hidden = old.hidden;
      morph(old, fresh);
      if (changed) old.classList.add("changed");
      return old;
    });
    for (const gone of known.values()) gone.remove();
    read(list);
    for (const id of ["headline", "subline", "bar", "health"]) morph($(id), page.getElementById(id));
    const numbers = page.querySelectorAll("#tiles b");
    document.querySelectorAll("#tiles b").forEach((number, index) => morph(number, numbers[index]));
    offerTeams();
    $("summary").dataset.verdict = page.getElementById("summary").dataset.verdict;
    document.title = page.title;
    arrange();
  };

  // ---- filter and sort ----
  const view = { text: "", verdict: "", team: "", column: "verdict", down: false };
  const before = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const number = (text) => (/^\d+$/.test(text) ? -Number(text) : 1);
  const KEYS = {
    verdict: ({ place }) => place,
    image: ({ row }) => row.querySelector(".image a").textContent,
    drift: ({ row }) => number(row.querySelector(".drift ul")?.dataset.count),
    shared: ({ row }) => number(row.querySelector(".shared").textContent),
    proof: ({ row }) => row.querySelector(".proof time")?.dateTime ?? "",
    error: ({ row }) => row.querySelector(".error b")?.textContent ?? "~",
  };
  const COLUMNS = Object.keys(KEYS);

  const arrange = () => {
    const key = KEYS[view.column];
    const order = entries.map((entry) => ({ ...entry, key: key(entry) }))
      .sort((a, b) => (view.down ? -1 : 1) * before(a.key, b.key) || a.place - b.place);
    const focused = document.activeElement;
    let place = rows.firstElementChild;
    let shown = 0;
    for (const { row, words } of order) {
      const fits = (view.verdict === "" || row.dataset.verdict === view.verdict)
        && (view.team === "" || row.dataset.team === view.team)
        && view.text.split(/\s+/).every((word) => words.includes(word));
      if (row.hidden === fits) row.hidden = !fits;
      shown += fits ? 1 : 0;
      if (row === place) {
        place = place.nextElementSibling;
      } else if (row === place?.nextElementSibling) { // one row left: it moves, and not all that stood behind it
        rows.append(place);
        place = row.nextElementSibling;
      } else {
        rows.insertBefore(row, place);
      }
    }
    if (focused && focused !== document.activeElement && rows.contains(focused)) focused.focus({ preventScroll: true });
    setText($("shown"), shown !== entries.length ? `${shown} of ${entries.length} images` : shown === 1 ? "1 image" : `${shown} images`);
    $("empty").hidden = shown > 0 || entries.length === 0;
  };

  const remember = () => {
    const search = new URLSearchParams();
    if (view.text) search.set("q", view.text);
    if (view.verdict) search.set("verdict", view.verdict);
    if (view.team) search.set("team", view.team);
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

  /** A choice of the teams that there are; hidden where there is none. */
  const offerTeams = () => {
    const teams = [...new Set(entries.map(({ row }) => row.dataset.team))].filter((team) => team !== "").sort();
    if (view.team !== "" && !teams.includes(view.team)) teams.push(view.team);
    const choices = ["", ...teams].map((team) => el("option", { value: team }, team === "" ? "All teams" : team));
    const old = [...$("team").options].map((option) => option.value);
    if (old.join("\n") !== ["", ...teams].join("\n")) $("team").replaceChildren(...choices);
    $("team").value = view.team;
    $("team").hidden = teams.length === 0;
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
    const team = el("select", { id: "team" });
    team.addEventListener("change", () => { view.team = team.value; showView(); });
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
      el("label", { class: "label", for: "team" }, "Team"), team,
      el("label", { class: "label", for: "sort" }, "Sort"), el("span", { class: "sorting" }, sort),
      el("output", { id: "shown", for: "search" })));
    rows.after(el("p", { class: "empty", id: "empty", hidden: "" }, "No image fits. "));
    const all = el("button", { type: "button", class: "quiet" }, "Show all");
    all.addEventListener("click", () => {
      view.text = "";
      view.verdict = "";
      view.team = "";
      search.value = "";
      offerTeams();
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
    view.team = wanted.get("team") || "";
    offerTeams();
    const verdicts = [...$("tiles").children].map((tile) => tile.dataset.verdict);
    if (verdicts.includes(wanted.get("verdict"))) view.verdict = wanted.get("verdict");
    const order = wanted.get("sort") || "";
    if (COLUMNS.includes(order.replace(/^-/, ""))) {
      view.down = order.startsWith("-");
      view.column = order.replace(/^-/, "");
    }
  };

  // ---- following ----
  const live = { paused: false, timer: 0, wait: POLL, last: Date.now(), problem: "", busy: false };

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

  /** This page as the server makes it now. */
  const ask = () => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.pathname);
    request.responseType = "document";
    request.timeout = PATIENCE;
    request.onload = () => {
      if (request.status === 200 && request.response?.getElementById("rows")) resolve(request.response);
      else reject(new Error(request.status === 200 ? "the answer is another page" : `the server answers ${request.status}`));
    };
    request.onerror = () => reject(new Error("no answer"));
    request.ontimeout = request.onerror;
    request.send();
  });

  const follow = () => {
    clearTimeout(live.timer);
    if (!live.paused && !document.hidden) live.timer = setTimeout(poll, live.wait);
  };

  const poll = async () => {
    if (live.busy) return;
    live.busy = true;
    try {
      take(await ask());
      live.last = Date.now();
      live.problem = "";
      live.wait = POLL;
    } catch (error) {
      live.problem = error.message;
      live.wait = Math.min(live.wait * 2, SLOWEST);
    }
    live.busy = false;
    showLive();
    follow();
  };

  const start = () => {
    read([...rows.children]);
    buildControls();
    showView();
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
      if (!document.hidden) showLive();
    }, 1000);
    poll();
  };
  start();
})();
