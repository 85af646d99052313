// The dialog of one message: Details, Body, Attributes.

import { bytesOf, hexDump, textOf, viewsOf } from "./bodies.js";
import copying from "./copying.js";
import { showFacts } from "./facts.js";

const dialog = document.getElementById("message");
const tabs = [...dialog.querySelectorAll("[role=tab]")];
const bodyElement = dialog.querySelector("[data-body]");
const copyButton = dialog.querySelector("[data-copies-body]");
const deleteButton = dialog.querySelector("[data-deletes-message]");
let onDelete = null;

copying(copyButton);
for (const tab of tabs) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => walk(event, tab));
}
deleteButton.addEventListener("click", () => {
  dialog.close();
  onDelete();
});

/** Shows a message. ``remove`` is called when its Delete button is pressed; without it there is none. */
export function openMessage(message, remove = null) {
  onDelete = remove;
  deleteButton.hidden = !remove;
  dialog.querySelector("[data-shows=id]").textContent = message.id;
  showFacts(dialog.querySelector("[data-facts]"), message.facts);
  showBody(message.body);
  showAttributes(message.attributes);
  choose(tabs[0]);
  dialog.showModal();
}

function choose(chosen) {
  for (const tab of tabs) {
    const selected = tab === chosen;
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !selected;
  }
}

function walk(event, tab) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) {
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    choose(next);
    next.focus();
  }
}

function showBody(body) {
  const views = viewsOf(body);
  const place = dialog.querySelector("[data-body-views]");
  place.replaceChildren(...views.map((view, index) => choiceOf(view, index === 0)));
  showView(views[0]);
}

function choiceOf(view, checked) {
  const input = document.createElement("input");
  input.type = "radio";
  input.name = "body-view";
  input.checked = checked;
  input.addEventListener("change", () => showView(view));
  const label = document.createElement("label");
  label.append(input, view.title);
  return label;
}

function showView(view) {
  bodyElement.textContent = view.text;
  copyButton.dataset.copies = view.text;
  const note = dialog.querySelector("[data-body-note]");
  note.textContent = view.note;
  note.hidden = !view.note;
}

function showAttributes(attributes) {
  const rows = attributes.map((attribute) => {
    const row = document.createElement("tr");
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = attribute.name;
    const type = document.createElement("td");
    type.textContent = attribute.type;
    const value = document.createElement("td");
    value.append(attribute.binary ? binaryValue(attribute.value) : attribute.value);
    row.append(name, type, value);
    return row;
  });
  dialog.querySelector("[data-attributes]").replaceChildren(...rows);
  dialog.querySelector("[data-no-attributes]").hidden = attributes.length > 0;
}

// Bytes as hex, and as text where they are some.
function binaryValue(packed) {
  const bytes = bytesOf(packed);
  const value = document.createElement("div");
  const text = textOf(bytes);
  if (text) {
    const line = document.createElement("p");
    line.textContent = text;
    value.append(line);
  }
  const dump = document.createElement("pre");
  dump.textContent = hexDump(bytes.subarray(0, 4096)) + (bytes.length > 4096 ? `\n… ${bytes.length} bytes in all` : "");
  value.append(dump);
  return value;
}
