// <section data-module="queue_list">: the chosen queue of the list, and the buttons for it.

import queueLive from "./queue_live.js";

export default function queueList(section) {
  const readOnly = "readOnly" in document.body.dataset;
  const buttons = section.querySelectorAll("[aria-label='The chosen queue'] button");
  const choose = () => {
    const choice = section.querySelector("input[name=queue]:checked");
    for (const button of buttons) {
      button.disabled = !choice || (readOnly && "writes" in button.dataset);
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
