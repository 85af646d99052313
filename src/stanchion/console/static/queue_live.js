// <section data-module="queue_live" data-live="a,b">: keeps the counts of the named queues up to date. Cells are
// [data-cell=available|in_flight|delayed] in the queue's row, [data-queue], or in the section itself.

import { showBanner } from "./fetching.js";
import liveStream, { fillCell } from "./live_stream.js";

const CELLS = ["available", "in_flight", "delayed"];

export default function queueLive(section) {
  const names = section.dataset.live;
  if (!names) {
    return;
  }
  liveStream(`/live/queues?names=${encodeURIComponent(names)}`, (counts) => show(section, counts));
}

function show(section, counts) {
  for (const [name, numbers] of Object.entries(counts)) {
    const row = section.querySelector(`[data-queue="${CSS.escape(name)}"]`);
    if (numbers) {
      fill(row ?? section, numbers);
    } else if (!section.dataset.gone?.split(",").includes(name)) {
      section.dataset.gone = `${section.dataset.gone ?? ""},${name}`;
      gone(name, row);
    }
  }
}

function fill(place, numbers) {
  CELLS.forEach((cell, index) => fillCell(place, cell, numbers[index].toLocaleString("en-US")));
  const choice = place.querySelector("input[type=radio]");
  if (choice) {
    choice.dataset.holds = numbers[0] + numbers[1] + numbers[2];
  }
}

function gone(name, row) {
  showBanner("warning", `The queue ${name} does not exist any more.`);
  const choice = row?.querySelector("input[type=radio]");
  if (choice) {
    choice.checked = false;
    choice.disabled = true;
    choice.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
