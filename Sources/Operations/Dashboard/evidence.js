// One alert: its line in the list, and its evidence on a time line. Whatever comes from an event becomes a text node.

/** An element with properties and children; strings become text, never markup. */
export function element(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") node.setAttribute(key, value);
    else node[key] = value;
  }
  node.append(...children.filter(child => child != null));
  return node;
}

/** The values of a field, whatever mixture of nesting and dotted names and lists holds them. */
export function values(object, path) {
  if (object == null || typeof object !== "object") return [];
  if (Array.isArray(object)) return object.flatMap(item => values(item, path));
  const found = [];
  for (const [key, value] of Object.entries(object)) {
    if (key === path) found.push(...[value].flat(Infinity).filter(item => item != null && typeof item !== "object"));
    else if (path.startsWith(key + ".")) found.push(...values(value, path.slice(key.length + 1)));
  }
  return found.map(String);
}

const first = (object, ...paths) => paths.map(path => values(object, path)[0]).find(value => value !== undefined);

/** The severity, by the numbers that the names stand for in Elastic. */
export function severity(alert) {
  const number = Number(first(alert, "event.severity") ?? 0);
  return number >= 99 ? "critical" : number >= 73 ? "high" : number >= 47 ? "medium" : "low";
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const moment = text => { const date = new Date(text); return isNaN(date) ? null : date; };
export const time = text => { const date = moment(text); return date ? clock.format(date) : String(text ?? ""); };

function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 1) return `${Math.round(milliseconds)} ms`;
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  return seconds < 5400 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** What a search looks at. */
export function haystack(alert) {
  const matches = evidence(alert).flatMap(step => (step.matches ?? []).map(match => match.value));
  return [alert.message, ...values(alert, "event.reason"), ...values(alert, "rule.name"), ...values(alert, "host.name"),
    ...values(alert, "user.name"), ...values(alert, "apus.host_key"), ...values(alert, "process.name"),
    ...values(alert, "process.command_line"), ...matches].join("\n").toLowerCase();
}

const evidence = alert => Array.isArray(alert.apus?.evidence) ? alert.apus.evidence : [];

/** The line in the list. */
export function summary(alert) {
  const steps = evidence(alert).length;
  const fact = (label, value) => value === undefined ? null : element("span", {}, label + " ", element("b", {}, value));
  return [
    element("time", { dateTime: String(alert["@timestamp"] ?? ""), title: String(alert["@timestamp"] ?? "") }, time(alert["@timestamp"])),
    element("strong", {}, first(alert, "rule.name") ?? String(alert.message ?? "alert")),
    element("span", { className: "sev" }, severity(alert)),
    element("span", { className: "where" },
      fact("host", first(alert, "host.name", "apus.host_key")), fact("user", first(alert, "user.name")),
      fact("process", first(alert, "process.name")),
      steps > 1 ? element("span", {}, `${steps} events`) : null,
      alert.apus?.suppression?.docs_count > 0 ? element("span", {}, `${alert.apus.suppression.docs_count} held back before`) : null,
      alert.apus?.late ? element("span", {}, "late") : null),
    element("span", { className: "why" }, first(alert, "event.reason") ?? ""),
  ];
}

const PROVIDERS = {
  "Microsoft-Windows-Sysmon": "Sysmon", "Microsoft-Windows-Security-Auditing": "Security",
  "Microsoft-Windows-PowerShell": "PowerShell", "MSExchange CmdletLogs": "Exchange",
};

/** The event log's name and number of a Windows event: "Sysmon 3". */
function windowsEvent(event) {
  const code = first(event, "winlog.event_id"), provider = first(event, "winlog.provider_name", "event.provider");
  return code === undefined || provider === undefined ? undefined : `${PROVIDERS[provider] ?? provider} ${code}`;
}

/** What an event is, in a few words. A raw record has no category, but the rule may have matched the one it was given. */
function title(step) {
  const event = step.event ?? {};
  const known = path => {
    const own = values(event, path);
    return own.length > 0 ? own : (step.matches ?? []).filter(match => match.field === path).map(match => String(match.value));
  };
  const categories = known("event.category"), types = known("event.type");
  if (categories.includes("process") && types.includes("start")) return "process start";
  if (categories.includes("network")) return types.includes("connection") || types.includes("start") ? "connection" : "network";
  if (categories.includes("file")) return types.includes("creation") ? "file created" : "file";
  return categories[0] ?? windowsEvent(event) ?? first(event, "event.action", "Operation", "operationName", "event.dataset") ?? "event";
}

function timeline(steps, ids) {
  const times = steps.map(step => moment(step.timestamp)?.getTime()).map((value, _, all) => value ?? all.find(other => other) ?? 0);
  const start = Math.min(...times), length = Math.max(...times) - start;
  const axis = element("div", { className: "axis" });
  const bar = element("div", { className: "span" });
  bar.style.left = "0"; bar.style.width = length > 0 ? "100%" : "0";
  axis.append(bar);
  let end = -1;
  steps.map((step, index) => ({ step, index, at: length > 0 ? (times[index] - start) / length : steps.length > 1 ? index / (steps.length - 1) : 0.5 }))
    .sort((a, b) => a.at - b.at)
    .forEach(({ step, index, at }) => {
      // Neighbours closer than their dots are drawn side by side, in order.
      at = Math.min(1, Math.max(at, end + 0.045));
      const crowded = end >= 0 && at - end < 0.2;
      end = at;
      const dot = element("button", { type: "button", title: `${title(step)}, ${step.timestamp}`, "aria-label": `Step ${index + 1}: ${title(step)}` }, String(index + 1));
      dot.addEventListener("click", () => document.getElementById(ids[index])?.scrollIntoView({ block: "center", behavior: "smooth" }));
      const what = element("span", { className: "what" }, title(step));
      const when = element("span", { className: "when" }, times[index] === start ? time(step.timestamp) : "+" + duration(times[index] - start));
      for (const node of [dot, what, when]) node.style.left = `${at * 100}%`;
      axis.append(dot);
      if (!crowded) axis.append(what, when);
    });
  return element("div", { className: "timeline", role: "group", "aria-label": "Time line of the evidence" }, axis);
}

/** A value with the part that matched marked. Spans count UTF-8 bytes of the whole value. */
function marked(match) {
  const text = String(match.value ?? "");
  if (!Array.isArray(match.span)) return [text];
  const bytes = new TextEncoder().encode(text), offset = Number(match.value_offset ?? 0);
  const [from, to] = match.span.map(bound => Math.min(bytes.length, Math.max(0, bound - offset)));
  const part = (start, end) => new TextDecoder().decode(bytes.subarray(start, end));
  return [offset > 0 ? "…" : "", part(0, from), element("mark", {}, part(from, to)), part(to), offset + bytes.length < (match.value_bytes ?? 0) ? "…" : ""];
}

const FACTS = [
  ["process", "process.name"], ["executable", "process.executable"], ["command line", "process.command_line"],
  ["parent", "process.parent.name"], ["parent's command line", "process.parent.command_line"], ["user", "user.name"],
  ["source", "source.ip"], ["destination", "destination.ip"], ["port", "destination.port"], ["domain", "destination.domain"],
  ["user agent", "user_agent.original"], ["file", "file.path"], ["url", "url.path"], ["action", "event.action"],
  ["code", "event.code"], ["provider", "event.provider"],
];

function facts(step) {
  const list = element("dl", { className: "facts" });
  const shown = new Set();
  for (const match of step.matches ?? []) {
    shown.add(match.field);
    list.append(
      element("dt", {}, String(match.field)),
      element("dd", {}, element("span", { className: "op" }, String(match.operator) + " "),
        ...(Array.isArray(match.span) ? marked(match) : [element("mark", {}, String(match.value ?? ""))])));
  }
  for (const [label, path] of FACTS) {
    const found = shown.has(path) ? [] : values(step.event, path);
    if (found.length > 0) list.append(element("dt", {}, label), element("dd", {}, found.join(", ")));
  }
  return list;
}

function original(step) {
  const text = step.event !== undefined ? JSON.stringify(step.event, null, 2) : String(step.event_excerpt ?? "");
  const size = step.event === undefined && step.event_bytes ? ` (the beginning; ${step.event_bytes} bytes in all)` : "";
  return element("details", {}, element("summary", {}, "Original event" + size), element("pre", {}, text));
}

let number = 0;

/** The evidence of an alert, in full. */
export function details(alert) {
  const steps = evidence(alert);
  const ids = steps.map(() => `step-${++number}`);
  const techniques = [["threat.technique.subtechnique.id", "threat.technique.subtechnique.name"], ["threat.technique.id", "threat.technique.name"]]
    .flatMap(([id, name]) => { const names = values(alert, name); return values(alert, id).map((value, index) => `${value} ${names[index] ?? ""}`); });
  const keys = (alert.apus?.join_keys ?? []).map(key => `joined by ${key.field ?? "key"} ${key.value ?? "(missing)"}`);
  const cards = steps.map((step, index) =>
    element("section", { className: "step", id: ids[index], "aria-label": `Step ${index + 1}` },
      element("header", {},
        element("span", { className: "number" }, String(index + 1)), element("b", {}, title(step)),
        element("span", { className: "muted mono" }, String(step.timestamp ?? "")),
        element("span", { className: "place" }, `${step.topic}[${step.partition}]@${step.offset}`)),
      facts(step), original(step)));
  return element("div", { className: "evidence" },
    element("p", { className: "about" }, first(alert, "rule.description") ?? ""),
    element("div", { className: "tags" },
      ...techniques.map(text => element("span", {}, text)),
      element("span", {}, `risk ${first(alert, "event.risk_score") ?? "–"}`),
      ...keys.map(text => element("span", {}, text)),
      element("span", { className: "mono" }, `id ${first(alert, "event.id") ?? ""}`)),
    steps.length > 0 ? timeline(steps, ids) : null,
    ...cards);
}
