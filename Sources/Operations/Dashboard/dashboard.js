// The page: listens to /stream and shows what comes. No library, no markup from data.

import { Chart } from "./charts.js";
import { details, element, haystack, severity, summary } from "./evidence.js";

const SEVERITIES = ["critical", "high", "medium", "low"];
const ALERTS_KEPT = 500, POINTS_KEPT = 600;
const $ = id => document.getElementById(id);

// MARK: Numbers

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const count = value => value < 100000 ? whole.format(value) : compact.format(value);
const rate = value => value > 0 && value < 10 ? value.toFixed(1) : count(value);

function bytes(value) {
  const units = ["B", "KB", "MB", "GB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return `${value.toFixed(value < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

function seconds(value) {
  if (value == null) return "–";
  if (value < 0.0005) return "0 ms";
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 90) return `${value.toFixed(value < 10 ? 1 : 0)} s`;
  return value < 5400 ? `${Math.round(value / 60)} min` : value < 172800 ? `${Math.round(value / 3600)} h` : `${Math.round(value / 86400)} d`;
}

const nanoseconds = value =>
  value == null ? "–" : value < 1000 ? `${Math.round(value)} ns` : value < 1e6 ? `${(value / 1000).toFixed(1)} µs` : `${(value / 1e6).toFixed(1)} ms`;

// MARK: State

const state = {
  engine: null, points: [], alerts: [], ids: new Set(), hidden: new Set(), search: "", paused: false, held: [], live: false, last: 0,
};

const charts = Object.fromEntries([
  ["records", [{ label: "events/s", value: point => point.recordRate }], rate],
  ["latency", [{ label: "median", value: point => point.latencyMedian }, { label: "99 %", value: point => point.latency99 }], seconds],
  ["lag", [{ label: "records", value: point => point.lag }], count],
  ["alerts", [{ label: "alerts/s", value: point => point.alertRate }], rate],
].map(([name, lines, format]) => [name, new Chart(document.querySelector(`[data-chart=${name}] .chart`), lines, format)]));

// MARK: Health

function health(text, tone) {
  const pill = $("health");
  if (pill.textContent !== text) pill.textContent = text;
  pill.className = `pill ${tone}`;
}

setInterval(() => {
  if (state.last && performance.now() - state.last > 5000) health("no answer for some seconds", "bad");
}, 1000);

// MARK: Readings

function showEngine(engine) {
  state.engine = engine;
  $("instance").textContent = `${engine.application} · ${engine.instance} · ${engine.version} · ${engine.rules.length} rules`;
  document.title = `Apus · ${engine.application}`;
}

function showReading(reading) {
  state.last = performance.now();
  const stalled = reading.lanes.filter(lane => lane.state === "stalled").length;
  if (reading.failure) health(reading.failure, "bad");
  else if (stalled) health(`${stalled} stalled`, "bad");
  else health(reading.isReady ? "ready" : "not ready", reading.isReady ? "good" : "bad");

  $("rate").textContent = rate(reading.recordRate);
  $("rate-aside").textContent = `${bytes(reading.byteRate)}/s · ${count(reading.records)} in all`;
  $("latency").textContent = seconds(reading.latencyMedian);
  $("latency-aside").textContent = reading.latency99 == null ? "no alert in the last half minute" : `99 % within ${seconds(reading.latency99)}`;
  $("lag").textContent = count(reading.lag);
  $("lag-aside").textContent = reading.lag > 0 ? `${seconds(reading.lagSeconds)} behind` : "at the end of every partition";
  $("alert-count").textContent = count(reading.alerts);
  $("alert-aside").textContent = [`${rate(reading.alertRate)}/s`, reading.suppressed ? `${count(reading.suppressed)} suppressed` : "",
    reading.skipped ? `${count(reading.skipped)} not shown here` : ""].filter(Boolean).join(" · ");

  state.points.push(reading);
  if (state.points.length > POINTS_KEPT) state.points.shift();
  if (!document.hidden) for (const chart of Object.values(charts)) chart.update(state.points);
  showLanes(reading.lanes);
  showRules(reading.rules);
  showDeadLetters(reading.deadLetters);
}

const cell = (className, ...children) => element("td", { className }, ...children);

function showLanes(lanes) {
  $("lanes-note").textContent = `${lanes.reduce((sum, lane) => sum + lane.sources.length, 0)} partitions`;
  $("lanes").replaceChildren(...lanes.map(lane => {
    const lag = lane.sources.reduce((sum, source) => sum + source.lag, 0);
    return element("tr", {},
      cell("", String(lane.partition), element("span", { className: "tag" }, "  " + lane.sources.map(source => source.topic).join(", "))),
      cell(`state-${lane.state}`, element("span", { className: "dot" }), lane.state),
      cell("n", count(lag)), cell("n", seconds(lane.watermarkDelay)), cell("n", count(lane.keys)), cell("n", count(lane.records)));
  }));
}

function showRules(rules) {
  const described = rules.map(rule => ({ ...rule, ...state.engine?.rules[rule.index] })).filter(rule => rule.name)
    .sort((a, b) => b.matches - a.matches || SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || a.index - b.index);
  $("rules-note").textContent = `${described.filter(rule => rule.matches > 0).length} of ${state.engine?.rules.length ?? 0} with hits`;
  $("rules").replaceChildren(...described.map(rule =>
    element("tr", { className: rule.matches ? "" : "muted" },
      cell(rule.severity, element("span", { className: "dot" }), rule.name,
        rule.stage === "shadow" ? element("span", { className: "tag" }, " shadow") : null),
      cell("n", count(rule.matches)), cell("n", count(rule.alerts)), cell("n", nanoseconds(rule.cost)))));
}

function showDeadLetters(reasons) {
  const entries = Object.entries(reasons).filter(([, number]) => number > 0).sort((a, b) => b[1] - a[1]);
  const total = entries.reduce((sum, [, number]) => sum + number, 0);
  $("dead-note").textContent = total ? `${count(total)} in all` : "";
  if (!total) return $("dead").replaceChildren(element("p", { className: "all" }, "None: every record was a JSON object within the limits."));
  $("dead").replaceChildren(...entries.flatMap(([reason, number]) => {
    const fill = element("div", { className: "fill" });
    fill.style.width = `${100 * number / entries[0][1]}%`;
    return [element("span", {}, reason.replaceAll("_", " ")), element("div", { className: "track" }, fill), element("span", { className: "n" }, count(number))];
  }));
}

// MARK: Alerts

function isShown(entry) {
  return !state.hidden.has(entry.severity) && (state.search === "" || entry.haystack.includes(state.search));
}

function add(alert, isNew) {
  const id = String(alert.event?.id ?? JSON.stringify(alert));
  if (state.ids.has(id)) return;
  state.ids.add(id);
  if (isNew && state.paused) {
    state.held.push([id, alert]);
    if (state.held.length > ALERTS_KEPT) state.ids.delete(state.held.shift()[0]);
    $("pause").textContent = `${state.held.length} new`;
    return;
  }
  insert(id, alert, isNew);
}

function insert(id, alert, isNew) {
  const entry = { id, alert, severity: severity(alert), haystack: haystack(alert) };
  const button = element("button", { type: "button", className: "summary", "aria-expanded": "false" }, ...summary(alert));
  entry.node = element("article", { className: `alert ${entry.severity}${isNew ? " new" : ""}` }, element("h3", {}, button));
  button.addEventListener("click", () => toggle(entry, button));
  entry.node.hidden = !isShown(entry);
  state.alerts.unshift(entry);
  $("list").prepend(entry.node);
  while (state.alerts.length > ALERTS_KEPT) {
    const oldest = state.alerts.pop();
    state.ids.delete(oldest.id);
    oldest.node.remove();
  }
  showEmpty();
}

function toggle(entry, button) {
  const isOpen = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!isOpen));
  entry.node.toggleAttribute("data-open", !isOpen);
  if (isOpen) entry.node.querySelector(".evidence")?.remove();
  else entry.node.append(details(entry.alert));
}

function showEmpty() {
  const any = state.alerts.some(entry => !entry.node.hidden);
  $("empty").hidden = any;
  $("empty").textContent = state.alerts.length ? "No alert fits the search." : "No alert yet. They appear here the moment a rule fires.";
}

function filter() {
  for (const entry of state.alerts) entry.node.hidden = !isShown(entry);
  showEmpty();
}

$("severities").append(...SEVERITIES.map(name => {
  const chip = element("button", { type: "button", className: name, "aria-pressed": "true" }, name);
  chip.addEventListener("click", () => {
    const hide = !state.hidden.delete(name);
    if (hide) state.hidden.add(name);
    chip.setAttribute("aria-pressed", String(!hide));
    filter();
  });
  return chip;
}));

$("search").addEventListener("input", event => {
  state.search = event.target.value.trim().toLowerCase();
  filter();
});

function pause() {
  state.paused = !state.paused;
  $("pause").setAttribute("aria-pressed", String(state.paused));
  $("pause").textContent = state.paused ? "Paused" : "Pause";
  if (!state.paused) for (const [id, alert] of state.held.splice(0)) insert(id, alert, true);
}
$("pause").addEventListener("click", pause);

// MARK: Colours

const THEMES = [["", "◐", "as the system has it"], ["light", "☀", "light"], ["dark", "☾", "dark"]];
function theme(name) {
  const [value, sign, label] = THEMES.find(([value]) => value === name) ?? THEMES[0];
  if (value) document.documentElement.dataset.theme = value;
  else delete document.documentElement.dataset.theme;
  $("theme").textContent = sign;
  $("theme").setAttribute("aria-label", `Colours: ${label}. Change them`);
  try { localStorage.setItem("apus.theme", value); } catch { /* Not kept, then. */ }
}
function nextTheme() {
  const now = document.documentElement.dataset.theme ?? "";
  theme(THEMES[(THEMES.findIndex(([value]) => value === now) + 1) % THEMES.length][0]);
}
$("theme").addEventListener("click", nextTheme);
try { theme(localStorage.getItem("apus.theme") ?? ""); } catch { theme(""); }

// MARK: Keys

function move(step) {
  const buttons = state.alerts.filter(entry => !entry.node.hidden).map(entry => entry.node.querySelector(".summary"));
  const index = buttons.indexOf(document.activeElement);
  const next = buttons[index < 0 ? 0 : Math.min(buttons.length - 1, Math.max(0, index + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
  if (event.target === $("search")) {
    if (event.key === "Escape") {
      event.target.value = "";
      event.target.dispatchEvent(new Event("input"));
      event.target.blur();
    }
    return;
  }
  const action = {
    j: () => move(1), k: () => move(-1), "/": () => $("search").focus(), p: pause, t: nextTheme, "?": () => $("keys").showModal(),
  }[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
$("help").addEventListener("click", () => $("keys").showModal());

// MARK: The stream

function parsed(handler) {
  return event => {
    let value;
    try { value = JSON.parse(event.data); } catch { return; }
    handler(value);
  };
}

const stream = new EventSource("/stream");
stream.addEventListener("hello", parsed(hello => {
  showEngine(hello.engine);
  if (hello.history.length > 0) state.points = hello.history;
}));
stream.addEventListener("reading", parsed(showReading));
stream.addEventListener("past", parsed(alert => add(alert, false)));
stream.addEventListener("alert", parsed(alert => add(alert, true)));
stream.addEventListener("error", () => health("no connection; trying again", "bad"));
