// <form data-module="queue_form">: shows the fields that the choices ask for, has the server check what is typed
// (data-check), finds queues by a part of their name ([data-picks]), and adds and removes tags.

import { getJson, postJson, showBanner } from "./fetching.js";
import rows from "./rows.js";

const PAUSE_MS = 300;

export default function queueForm(form) {
  const reveal = () => revealAll(form);
  form.addEventListener("change", reveal);
  reveal();
  couple(form);
  if (form.querySelector("[data-most-tags]")) {
    tags(form);
  }
  const picker = form.querySelector("[data-picks]");
  if (picker) {
    pick(form, picker);
  }
  if (form.dataset.check) {
    check(form);
  }
}

function valueOf(form, name) {
  return form.querySelector(`input[name="${name}"]:checked`)?.value;
}

function revealAll(form) {
  for (const part of form.querySelectorAll("[data-shown-for]")) {
    const [name, value] = part.dataset.shownFor.split("=");
    part.hidden = valueOf(form, name) !== value;
  }
}

// High throughput is both of the other two; changing one of them by hand clears the box.
function couple(form) {
  const box = form.querySelector("[name=high_throughput]");
  if (!box) {
    return;
  }
  form.addEventListener("change", ({ target }) => {
    if (target === box && box.checked) {
      form.querySelector("[name=deduplication_scope][value=messageGroup]").checked = true;
      form.querySelector("[name=throughput_limit][value=perMessageGroupId]").checked = true;
    } else if (target.name === "deduplication_scope" || target.name === "throughput_limit") {
      box.checked = false;
    }
  });
}

function tags(form) {
  const place = form.querySelector("[data-most-tags]");
  const left = form.querySelector("[data-left]");
  rows(place, Number(place.dataset.mostTags), (more) => (left.textContent = `You can add ${more} more tags.`));
}

function later(action) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, PAUSE_MS);
  };
}

function pick(form, picker) {
  const list = document.getElementById(picker.getAttribute("list"));
  let asking = new AbortController();
  const find = async () => {
    asking.abort();
    asking = new AbortController();
    const type = valueOf(form, "type") ?? form.dataset.type;
    const search = picker.value.split(":").at(-1);
    try {
      const asked = new URLSearchParams({ type, search });
      const { arns } = await getJson(`/queue-arns?${asked}`, { signal: asking.signal });
      list.replaceChildren(...arns.map((arn) => new Option(arn, arn)));
    } catch {
      list.replaceChildren(); // without suggestions the ARN can still be typed
    }
  };
  picker.addEventListener("input", later(find));
  picker.addEventListener("focus", find, { once: true });
  for (const type of form.querySelectorAll("[name=type]")) {
    type.addEventListener("change", find);
  }
}

function check(form) {
  const policy = form.querySelector("#policy");
  let untouched = valueOf(form, "policy_method") === "basic";
  policy.addEventListener("input", () => (untouched = false));
  let asking = new AbortController();
  const ask = async () => {
    asking.abort();
    asking = new AbortController();
    try {
      const found = await postJson(form.dataset.check, fieldsOf(form), { signal: asking.signal });
      say(form, found.problems);
      form.querySelector("[data-basic-policy]").textContent = found.basic_policy;
      if (untouched) {
        policy.value = found.basic_policy;
      }
    } catch (problem) {
      if (problem.status === 401) {
        showBanner("error", problem.message, problem.code);
      }
    }
  };
  const soon = later(ask);
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
}

function say(form, problems) {
  for (const place of form.querySelectorAll(".field-error")) {
    const field = place.id.replace(/-error$/, "");
    const text = problems[field] ?? "";
    place.textContent = text;
    place.hidden = !text;
    place.closest(".field")?.classList.toggle("invalid", Boolean(text));
    const control = document.getElementById(field);
    if (control?.matches("input, textarea")) {
      control.setAttribute("aria-invalid", String(Boolean(text)));
    }
  }
}

function fieldsOf(form) {
  return [...new FormData(form)].filter(([name]) => name !== "csrf");
}
