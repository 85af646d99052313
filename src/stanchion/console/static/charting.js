// <div data-module="charting" data-url="…" data-refresh-seconds="60">: a board of charts that are fetched together.
// Its charts are made by the macros of charts.html: <figure data-chart="{id}"> with [data-plot] and the rest.
//
// The JSON at the board's address:
//   {
//     "charts": [{
//       "id", "title", "unit",        unit: Count, Seconds, Milliseconds, Bytes, Percent, or a word to put behind values
//       "subtitle"?,                  a line below the title
//       "series": [{"name", "points": [[ms, value | null], …]}]   ms since the epoch; null is a gap; all series of a
//     }],                                                         chart have points of the same moments, in order
//     "first_ms"?, "last_ms"?,        the range that is shown; otherwise from the first point to the last
//     "period_ms"?,                   how long a point stands for
//     "note"?                         a line above the charts
//   }

import { momentText, summaryText, valueText } from "./chart_axes.js";
import { Plot } from "./chart_drawing.js";
import dialogs from "./dialogs.js";
import { getJson } from "./fetching.js";

const boards = new WeakMap();

export default function charting(element) {
  boardOf(element);
}

/** The board of an element; `show(url)` and `refreshEvery(seconds)` are for what controls it. */
export function boardOf(element) {
  if (!boards.has(element)) {
    boards.set(element, new Board(element));
  }
  return boards.get(element);
}

class Board {
  constructor(element) {
    this.element = element;
    this.url = element.dataset.url;
    this.figures = [...element.querySelectorAll("[data-chart]")].map((figure) => new Figure(figure));
    this.refreshEvery(Number(element.dataset.refreshSeconds ?? 0));
    document.addEventListener("visibilitychange", () => this.overdue && this.refresh());
    this.refresh();
  }

  /** Fetches from another address from now on. Throws { code, message } when the server refuses it. */
  async show(url) {
    this.url = url;
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    this.element.setAttribute("aria-busy", "true");
    try {
      const found = await getJson(url, { signal });
      this.draw(found);
      this.say("");
      return found;
    } finally {
      if (!signal.aborted) {
        this.element.removeAttribute("aria-busy");
      }
    }
  }

  /** Fetches again. What goes wrong is said above the charts, which stay as they are. */
  async refresh() {
    this.overdue = document.hidden;
    if (this.overdue) {
      return;
    }
    try {
      await this.show(this.url);
    } catch (problem) {
      if (problem.name !== "AbortError") {
        this.say(`The charts are not up to date: ${problem.message}`);
      }
    }
  }

  refreshEvery(seconds) {
    clearInterval(this.timer);
    this.timer = seconds ? setInterval(() => this.refresh(), seconds * 1000) : undefined;
  }

  say(text) {
    const place = this.element.querySelector("[data-said]");
    if (place.textContent !== text) {
      place.textContent = text;
      place.classList.toggle("visually-hidden", !text);
    }
  }

  draw(found) {
    const charts = new Map(found.charts.map((chart) => [chart.id, chart]));
    for (const figure of this.figures) {
      const chart = charts.get(figure.id);
      if (chart) {
        figure.show(chart, rangeOf(found, chart));
      }
    }
    if (found.note !== undefined) {
      this.element.querySelector("[data-note]").textContent = found.note;
    }
  }
}

function rangeOf(found, chart) {
  const points = chart.series[0]?.points ?? [];
  return {
    first: found.first_ms ?? points[0]?.[0] ?? 0,
    last: found.last_ms ?? points.at(-1)?.[0] ?? 1,
    period: found.period_ms ?? 0,
  };
}

class Figure {
  constructor(figure) {
    this.id = figure.dataset.chart;
    this.title = figure.querySelector("figcaption h3").textContent.trim();
    this.figure = figure;
    this.plot = new Plot(figure.querySelector("[data-plot]"), this.title);
    this.values = figure.querySelector("[data-values]");
    this.values.addEventListener("toggle", () => this.fillTable());
    figure.querySelector("[data-enlarges]").addEventListener("click", () => enlarge(this));
  }

  show(chart, range) {
    this.chart = chart;
    this.range = range;
    this.figure.querySelector("[data-subtitle]").textContent = chart.subtitle ?? "";
    this.figure.querySelector("[data-summary]").textContent = summaryText(chart.series, chart.unit);
    this.plot.show(chart, range);
    this.fillTable();
    this.larger?.(chart, range);
  }

  // A table of a thousand lines is made only for who opens it.
  fillTable() {
    if (!this.values.open || !this.chart) {
      return;
    }
    const { series, unit } = this.chart;
    const rows = series[0].points.map(([moment], index) => [
      momentText(moment),
      ...series.map(({ points }) => valueText(points[index][1], unit)),
    ]);
    this.values.querySelector("thead").replaceChildren(row("th", ["Time (UTC)", ...series.map(({ name }) => name)]));
    this.values.querySelector("tbody").replaceChildren(...rows.reverse().map((cells) => row("td", cells)));
    this.values.querySelector("[data-partial]")?.remove();
  }
}

function row(kind, texts) {
  const made = document.createElement("tr");
  texts.forEach((text, column) => {
    const cell = document.createElement(kind);
    cell.textContent = text;
    cell.className = column ? "number" : "";
    if (kind === "th") {
      cell.scope = "col";
    }
    made.append(cell);
  });
  return made;
}

// The same chart in a dialog as large as the window allows. It goes on showing what its board fetches.
function enlarge(figure) {
  const dialog = document.createElement("dialog");
  dialog.className = "wide chart-dialog";
  dialog.setAttribute("aria-label", figure.title);
  dialog.innerHTML = `<div class="dialog-content"><h2></h2><p class="chart-subtitle"></p>
    <div class="chart-box"></div><p class="chart-summary"></p>
    <div class="dialog-footer"><button type="button" class="button" data-closes>Close</button></div></div>`;
  const [heading, subtitle, box, summary] = dialog.querySelectorAll("h2, .chart-subtitle, .chart-box, .chart-summary");
  heading.textContent = figure.title;
  document.body.append(dialog);
  dialogs(dialog);
  dialog.showModal();
  const plot = new Plot(box, figure.title);
  figure.larger = (chart, range) => {
    subtitle.textContent = chart.subtitle ?? "";
    summary.textContent = summaryText(chart.series, chart.unit);
    plot.show(chart, range);
  };
  if (figure.chart) {
    figure.larger(figure.chart, figure.range);
  }
  box.focus();
  dialog.addEventListener("close", () => {
    figure.larger = undefined;
    plot.forget();
    dialog.remove();
  });
}
