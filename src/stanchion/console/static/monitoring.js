// <form data-module="monitoring" data-values="/queues/…/metrics.json">: what is chosen is shown without loading the page
// again, and the page's address keeps it.

import { boardOf } from "./charting.js";
import { showBanner } from "./fetching.js";

const REFRESH_SECONDS = 60;

export default function monitoring(form) {
  const board = boardOf(document.querySelector("[data-module=charting]"));
  const range = form.querySelector("input[name=range]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    range.value = event.submitter?.value || range.value;
    ask(form, board);
  });
  form.addEventListener("change", ({ target }) => {
    if (target.type === "datetime-local") {
      range.value = "custom"; // and shown once it is whole: with Enter, Custom or Refresh
    } else {
      ask(form, board);
    }
  });
}

async function ask(form, board) {
  const query = new URLSearchParams();
  const { range, first, last, statistic, period, refresh } = Object.fromEntries(new FormData(form));
  const times = range === "custom" ? { first, last } : {};
  for (const [name, value] of Object.entries({ range, ...times, statistic, period, refresh })) {
    if (value) {
      query.set(name, value);
    }
  }
  board.refreshEvery(refresh ? REFRESH_SECONDS : 0);
  try {
    const shown = await board.show(`${form.dataset.values}?${query}`);
    history.replaceState(history.state, "", `${location.pathname}?${query}`);
    accept(form, shown);
  } catch (problem) {
    if (problem.name !== "AbortError") {
      complain(form, problem);
    }
  }
}

function accept(form, shown) {
  for (const button of form.querySelectorAll("button[name=range]")) {
    button.setAttribute("aria-pressed", String(button.value === shown.range));
  }
  form.elements.first.value = shown.first;
  form.elements.last.value = shown.last;
  errorOf().hidden = true;
}

function complain(form, { code, message }) {
  if (code !== "InvalidRange") {
    showBanner("error", message, code);
    return;
  }
  const error = errorOf();
  error.textContent = message;
  error.hidden = false;
  form.elements.first.focus();
}

function errorOf() {
  return document.getElementById("range-error");
}
