// <section data-module="redriving" data-progress="address">: the progress of a running redrive, once a second.

import { getJson } from "./fetching.js";

const EVERY_MS = 1000;

export default function redriving(section) {
  const bar = section.querySelector("progress");
  const look = async () => {
    try {
      const task = await getJson(section.dataset.progress);
      if (!task.active) {
        location.reload();
        return;
      }
      bar.max = Math.max(1, task.to_move);
      bar.value = task.moved;
      section.querySelector("[data-status]").textContent = task.status[0] + task.status.slice(1).toLowerCase();
      section.querySelector("[data-moved]").textContent = task.moved.toLocaleString("en-US");
      section.querySelector("[data-to-move]").textContent = task.to_move.toLocaleString("en-US");
    } catch {
      // The server is away for a moment: the next look may find it.
    }
    setTimeout(look, EVERY_MS);
  };
  setTimeout(look, EVERY_MS);
}
