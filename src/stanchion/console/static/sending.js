// <form data-module="sending">: sends the message without leaving the page, so that what was typed stays.

import { postForm, showBanner } from "./fetching.js";
import { showFacts } from "./facts.js";
import rows from "./rows.js";

export default function sending(form) {
  const attributes = form.querySelector("[data-attributes]");
  const most = Number(attributes.dataset.most);
  const left = attributes.querySelector("[data-left]");
  const count = rows(attributes, most, (more) => (left.textContent = `You can add ${more} more attributes.`));
  form.querySelector("[data-clears]").addEventListener("click", () => clear(form, attributes, count));
  const button = form.querySelector(".form-footer .primary");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      told(form, await postForm(form.action, form));
    } catch (problem) {
      showBanner("error", problem.message, problem.code);
    } finally {
      button.disabled = false;
    }
  });
}

function clear(form, attributes, count) {
  for (const field of form.querySelectorAll("textarea, input:not([type=hidden])")) {
    field.value = field.id === "delay" ? field.defaultValue : "";
  }
  attributes.querySelector("[data-rows]").replaceChildren();
  attributes.open = false;
  count();
  form.querySelector("textarea").focus();
}

function told(form, sent) {
  const dialog = document.getElementById("sent-details");
  const facts = [
    ["Message ID", sent.MessageId],
    ["MD5 of message body", sent.MD5OfMessageBody],
    ["MD5 of message attributes", sent.MD5OfMessageAttributes ?? "-"],
    ["Sequence number", sent.SequenceNumber ?? "-"],
  ];
  showFacts(dialog.querySelector("[data-facts]"), facts);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button small";
  button.textContent = "View details";
  button.dataset.opens = dialog.id;
  showBanner("success", form.dataset.sent).append(button);
}
