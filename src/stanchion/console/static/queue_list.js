// <section data-module="queue_list">: the chosen queue of the list, and the buttons for it.

import queueLive from "./queue_live.js";

export default function queueList(section) {
  const buttons = [...section.querySelectorAll("[aria-label='The chosen queue'] button"), ...document.querySelectorAll("#queue-actions [data-for]")];
  const choose = () => {
    const choice = section.querySelector("input[name=queue]:checked");
    const denied = choice ? JSON.parse(choice.dataset.denied) : {};
    for (const button of buttons) {
      const reason = whyNot(button, denied);
      button.disabled = !choice || Boolean(reason);
      button.title = reason;
    }
    if (choice) {
      aim(choice);
    }
  };
  section.addEventListener("change", choose);
  for (const button of document.querySelectorAll("[data-goes]")) {
    button.addEventListener("click", () => go(section, button.dataset.goes));
  }
  queueLive(section);
  choose();
}

function whyNot({ dataset }, denied) {
  if ("writes" in dataset && "readOnly" in document.body.dataset) {
    return "The console is in read-only mode.";
  }
  return denied[dataset.for] ?? "";
}

function aim({ value, dataset }) {
  for (const element of document.querySelectorAll("[data-chosen]")) {
    element.textContent = value;
  }
  document.querySelector("#delete-queue form").action = `${dataset.path}/delete`;
  document.querySelector("#purge-queue form").action = `${dataset.path}/purge`;
  document.querySelector("#delete-queue [data-holds-warning]").hidden = dataset.holds === "0";
}

function go(section, where) {
  const choice = section.querySelector("input[name=queue]:checked");
  if (choice) {
    location.href = where === "details" ? choice.dataset.page : `${choice.dataset.path}/${where}`;
  }
}
