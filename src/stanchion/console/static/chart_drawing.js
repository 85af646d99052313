// One chart as an SVG in a box: axes, lines with gaps, and a cursor that the pointer and the arrow keys move.

import { markText, periodText, summaryText, timeMarks, valueMarks, valueText } from "./chart_axes.js";

const SVG = "http://www.w3.org/2000/svg";
const TOP = 10; // half a line of text
const LEGEND = 22; // more at the top, where lines have to be told apart
const BOTTOM = 24;
const RIGHT = 16; // half a mark of the time axis
const LETTER = 7; // width of a digit in the marks, in pixels
const LINE = 44; // least height between two marks
const MARK = 60; // least width between two marks
const PAGE = 10; // points that Page Up and Page Down go

export class Plot {
  /** `box` has a height of its own and shows one chart; `title` names it. */
  constructor(box, title) {
    this.box = box;
    this.title = title;
    this.at = null; // the point under the cursor
    box.tabIndex = 0;
    box.setAttribute("role", "application");
    box.setAttribute("aria-roledescription", "chart");
    box.setAttribute("aria-label", `${title}. The arrow keys go from value to value.`);
    this.tip = element("div", "chart-tip");
    this.tip.hidden = true;
    this.said = element("p", "visually-hidden");
    this.said.setAttribute("aria-live", "polite");
    box.addEventListener("pointermove", (event) => this.point(event));
    box.addEventListener("pointerdown", (event) => this.point(event));
    box.addEventListener("pointerleave", () => this.moveTo(null));
    box.addEventListener("blur", () => this.moveTo(null));
    box.addEventListener("keydown", (event) => this.press(event));
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(box);
  }

  /** `range` is { first, last, period } in milliseconds. */
  show(chart, range) {
    this.chart = chart;
    this.range = range;
    this.at = null;
    this.draw();
  }

  forget() {
    this.watch.disconnect();
    this.box.replaceChildren();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.box;
    if (!this.chart || !width || !height) {
      return;
    }
    this.scale = scaleOf(this.chart, this.range, width, height);
    const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
    svg.setAttribute("aria-label", `${this.title}: ${summaryText(this.chart.series, this.chart.unit)}`);
    svg.append(axes(this.scale, this.chart.unit), legend(this.chart.series, this.scale.left), ...this.chart.series.flatMap((each, index) => this.line(each, index)));
    if (!this.chart.series.some(({ points }) => points.some(([, value]) => value !== null))) {
      svg.append(shape("text", { x: width / 2, y: height / 2, class: "chart-empty" }, "No data"));
    }
    this.cursor = shape("g", { class: "chart-cursor" });
    svg.append(this.cursor);
    this.box.replaceChildren(svg, this.tip, this.said);
    this.moveTo(this.at);
  }

  line({ points }, index) {
    const places = points.map(([moment, value]) => (value === null ? null : [this.scale.x(moment), this.scale.y(value)]));
    const runs = runsOf(places);
    const drawn = [];
    if (this.chart.series.length === 1) {
      drawn.push(shape("path", { d: runs.map((run) => areaPath(run, this.scale.ground)).join(""), class: "chart-area" }));
    }
    drawn.push(shape("path", { d: runs.map(linePath).join(""), class: `chart-line series-${index}` }));
    for (const [[x, y]] of runs.filter((run) => run.length === 1)) {
      drawn.push(shape("circle", { cx: x, cy: y, r: 2.5, class: `chart-dot series-${index}` }));
    }
    return drawn;
  }

  // The points of all lines are of the same moments.
  get moments() {
    return this.chart?.series[0]?.points ?? [];
  }

  point(event) {
    if (!this.scale || !this.moments.length) {
      return;
    }
    const x = event.clientX - this.box.getBoundingClientRect().left;
    const distances = this.moments.map(([moment]) => Math.abs(this.scale.x(moment) - x));
    this.moveTo(distances.indexOf(Math.min(...distances)));
  }

  press(event) {
    const last = this.moments.length - 1;
    const from = this.at ?? last + 1;
    const to = {
      ArrowLeft: from - 1,
      ArrowRight: from + 1,
      PageUp: from - PAGE,
      PageDown: from + PAGE,
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === "Escape" && this.at !== null) {
      event.preventDefault(); // not the dialog that the chart may be in
      this.moveTo(null);
    } else if (to !== undefined && last >= 0) {
      event.preventDefault();
      this.moveTo(Math.max(0, Math.min(last, to)));
      this.said.textContent = this.words().join(", ");
    }
  }

  words() {
    const values = this.chart.series.map(({ name, points }) => `${name} ${writtenOr(points[this.at][1], this.chart.unit)}`);
    return [periodText(this.moments[this.at][0], this.range.period), ...values];
  }

  moveTo(index) {
    this.at = index !== null && index < this.moments.length ? index : null;
    this.tip.hidden = this.at === null;
    this.cursor?.replaceChildren();
    if (this.at === null || !this.cursor) {
      return;
    }
    const { x: across, y: up, top, ground } = this.scale;
    const x = across(this.moments[this.at][0]);
    this.cursor.append(shape("line", { x1: x, x2: x, y1: top, y2: ground }));
    this.chart.series.forEach(({ points }, index) => {
      const value = points[this.at][1];
      if (value !== null) {
        this.cursor.append(shape("circle", { cx: x, cy: up(value), r: 4, class: `chart-dot series-${index}` }));
      }
    });
    this.tip.replaceChildren(...this.words().map((text) => element("span", "", text)));
    this.placeTip(x);
  }

  // Beside the cursor, on the side where there is more room.
  placeTip(x) {
    const room = this.box.clientWidth - this.tip.offsetWidth;
    const left = x < this.box.clientWidth / 2 ? x + 10 : x - this.tip.offsetWidth - 10;
    this.tip.style.left = `${Math.max(0, Math.min(room, left))}px`;
  }
}

function scaleOf(chart, range, width, height) {
  const values = chart.series.flatMap(({ points }) => points.map(([, value]) => value ?? 0));
  const ground = height - BOTTOM;
  const top = chart.series.length > 1 ? TOP + LEGEND : TOP;
  const marks = valueMarks(Math.max(0, ...values), chart.unit, Math.max(1, Math.floor((ground - top) / LINE)));
  const longest = Math.max(...marks.map((mark) => valueText(mark, chart.unit).length));
  const left = longest * LETTER + 12;
  const right = width - RIGHT;
  // The last point stands for the period that begins there, so it is the right end.
  const last = Math.max(range.first + 1, range.last - (range.period ?? 0));
  return {
    left,
    right,
    top,
    ground,
    marks,
    times: timeMarks(range.first, last, Math.max(1, Math.floor((right - left) / MARK))).marks,
    x: (moment) => round(left + ((moment - range.first) / (last - range.first)) * (right - left)),
    y: (value) => round(ground - (value / marks.at(-1)) * (ground - top)),
  };
}

function axes({ left, right, ground, marks, times, x, y }, unit) {
  const group = shape("g", { class: "chart-axes", "aria-hidden": "true" });
  for (const mark of marks) {
    group.append(shape("line", { x1: left, x2: right, y1: y(mark), y2: y(mark) }));
    group.append(shape("text", { x: left - 6, y: y(mark) + 4, class: "chart-value-mark" }, valueText(mark, unit)));
  }
  for (const moment of times) {
    group.append(shape("line", { x1: x(moment), x2: x(moment), y1: ground, y2: ground + 4 }));
    group.append(shape("text", { x: x(moment), y: ground + 18, class: "chart-time-mark" }, markText(moment)));
  }
  return group;
}

// A sample of each line with its name.
function legend(series, left) {
  const group = shape("g", { class: "chart-legend", "aria-hidden": "true" });
  let x = left;
  series.slice(0, series.length > 1 ? undefined : 0).forEach(({ name }, index) => {
    group.append(shape("line", { x1: x, x2: x + 22, y1: TOP, y2: TOP, class: `chart-line series-${index}` }));
    group.append(shape("text", { x: x + 27, y: TOP + 4 }, name));
    x += 27 + (name.length + 2) * LETTER;
  });
  return group;
}

// A line is drawn in pieces: from gap to gap.
function runsOf(places) {
  const runs = [];
  let before = null;
  for (const place of places) {
    if (place && before) {
      runs.at(-1).push(place);
    } else if (place) {
      runs.push([place]);
    }
    before = place;
  }
  return runs;
}

function linePath(run) {
  return `M${run.map(([x, y]) => `${x} ${y}`).join("L")}`;
}

function areaPath(run, ground) {
  return `M${run[0][0]} ${ground}L${linePath(run).slice(1)}L${run.at(-1)[0]} ${ground}Z`;
}

function writtenOr(value, unit) {
  return value === null ? "no data" : valueText(value, unit);
}

function round(number) {
  return Math.round(number * 10) / 10;
}

function shape(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  if (text !== undefined) {
    made.textContent = text;
  }
  return made;
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
