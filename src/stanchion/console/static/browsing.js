// <section data-module="browsing">: opens messages in a dialog instead of on a page of their own, and counts those
// that are chosen to be sent back.

import { getJson, showBanner } from "./fetching.js";
import { openMessage } from "./message_dialog.js";

export default function browsing(section) {
  section.addEventListener("click", (event) => {
    const link = event.target.closest("[data-message]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(link.href);
    }
  });
  const button = section.querySelector("[data-sends-back]");
  if (button && !button.disabled) {
    choosing(section, button);
  }
}

async function open(url) {
  try {
    openMessage(await getJson(url));
  } catch (problem) {
    showBanner(problem.status === 404 ? "warning" : "error", problem.message, problem.code);
  }
}

function choosing(section, button) {
  const all = section.querySelector("[data-all]");
  const boxes = [...section.querySelectorAll("[name=sequence]")];
  const changed = () => {
    const count = boxes.filter((box) => box.checked).length;
    button.disabled = count === 0;
    all.checked = count === boxes.length;
  };
  all.addEventListener("change", () => {
    for (const box of boxes) {
      box.checked = all.checked;
    }
    changed();
  });
  section.addEventListener("change", changed);
  changed();
}
