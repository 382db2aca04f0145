// Small live charts: one or two lines over the last minutes, drawn as SVG.

const NAMESPACE = "http://www.w3.org/2000/svg";
const WIDTH = 300, HEIGHT = 84, TOP = 14, MINUTES = 5;

function shape(name, attributes) {
  const node = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** The next number of the kind 1, 2, 5, 10, … that is not smaller. */
function round(value) {
  if (!(value > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(step => step * unit).find(step => step >= value);
}

export class Chart {
  /**
   * @param root where to draw
   * @param lines `[{ value: point => number | null, label: string }]`, at most two
   * @param format a number as text
   */
  constructor(root, lines, format) {
    this.lines = lines;
    this.format = format;
    this.points = [];
    this.svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
    this.area = shape("path", { class: "area" });
    this.paths = lines.map((_, index) => shape("path", { class: index ? "line second" : "line" }));
    this.cursor = shape("path", { class: "cursor" });
    this.svg.append(shape("path", { class: "rule", d: `M0 ${TOP}H${WIDTH}` }), this.area, ...this.paths, this.cursor);
    this.scale = document.createElement("span");
    this.scale.className = "scale";
    this.tip = document.createElement("span");
    this.tip.className = "tip";
    this.tip.hidden = true;
    root.append(this.svg, this.scale, this.tip);
    root.addEventListener("pointermove", event => this.point(event));
    root.addEventListener("pointerleave", () => this.unpoint());
  }

  update(points) {
    this.points = points;
    if (points.length === 0) return;
    this.end = points[points.length - 1].time;
    const highest = Math.max(0, ...points.flatMap(point => this.lines.map(line => line.value(point) ?? 0)));
    const top = round(highest);
    this.top = top;
    this.scale.textContent = this.format(top);
    this.lines.forEach((line, index) => {
      const runs = this.runs(line.value);
      this.paths[index].setAttribute("d", runs.map(run => "M" + run.map(this.place).join("L")).join(""));
      if (index === 0) {
        this.area.setAttribute("d", runs.map(run =>
          `M${this.x(run[0][0])} ${HEIGHT}L${run.map(this.place).join("L")}L${this.x(run[run.length - 1][0])} ${HEIGHT}Z`
        ).join(""));
      }
    });
    const last = points[points.length - 1];
    this.svg.setAttribute("aria-label", this.lines.map(line => `${line.label} ${this.text(line, last)}`).join(", "));
  }

  x(time) { return (WIDTH * (1 - (this.end - time) / (MINUTES * 60))).toFixed(1); }

  place = ([time, value]) =>
    `${this.x(time)} ${(HEIGHT - (HEIGHT - TOP) * Math.min(1, value / this.top)).toFixed(1)}`;

  /** The stretches in which there is a value. */
  runs(value) {
    const runs = [[]];
    for (const point of this.points) {
      if (this.end - point.time > MINUTES * 60) continue;
      const now = value(point);
      if (now == null) runs.push([]);
      else runs[runs.length - 1].push([point.time, now]);
    }
    return runs.filter(run => run.length > 0);
  }

  text(line, point) {
    const value = line.value(point);
    return value == null ? "–" : this.format(value);
  }

  point(event) {
    if (this.points.length === 0) return;
    const box = this.svg.getBoundingClientRect();
    const time = this.end - MINUTES * 60 * (1 - (event.clientX - box.left) / box.width);
    const nearest = this.points.reduce((best, point) =>
      Math.abs(point.time - time) < Math.abs(best.time - time) ? point : best);
    const x = this.x(nearest.time);
    this.cursor.setAttribute("d", `M${x} ${TOP}V${HEIGHT}`);
    const ago = Math.round(this.end - nearest.time);
    this.tip.textContent = this.lines.map(line => `${line.label} ${this.text(line, nearest)}`).join(" · ")
      + (ago > 0 ? ` · ${ago} s ago` : " · now");
    this.tip.hidden = false;
    const left = Math.min(Math.max(6, (x / WIDTH) * box.width - this.tip.offsetWidth / 2), box.width - this.tip.offsetWidth - 6);
    this.tip.style.left = `${left}px`;
  }

  unpoint() {
    this.tip.hidden = true;
    this.cursor.setAttribute("d", "");
  }
}
