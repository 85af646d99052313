// <section data-module="polling">: receives messages again and again until the time is over, enough have been found
// or somebody stops it; shows them, deletes them, and in the end makes the others available again.

import { postJson, showBanner } from "./fetching.js";
import { openMessage } from "./message_dialog.js";

const BAR_MS = 200;
const SETTINGS = "stanchion-poll";

export default function polling(section) {
  const found = new Found(section);
  const poll = new Poll(section, found);
  section.querySelector("[data-polls]").addEventListener("click", () => poll.run());
  section.querySelector("[data-stops]").addEventListener("click", () => poll.stop());
  window.addEventListener("pagehide", () => poll.leave());
  settings(section, poll);
  poll.buttons();
}

function mayUse(button) {
  return !("denied" in button.dataset);
}

function show(section, name, text) {
  section.querySelector(`[data-shows="${name}"]`).textContent = text;
}

function plural(count, noun) {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

// ── Settings ────────────────────────────────────────────────────────────────────────────────────────────

function settings(section, poll) {
  const form = document.querySelector("[data-poll-settings]");
  section.querySelector("[data-opens=poll-settings]").disabled = false;
  const use = ({ seconds, count }) => {
    [poll.seconds, poll.count] = [seconds, count];
    show(section, "seconds", plural(seconds, "second"));
    show(section, "count", count.toLocaleString("en-US"));
    form.seconds.value = seconds;
    form.count.value = count;
  };
  use(kept() ?? { seconds: Number(section.dataset.seconds), count: Number(section.dataset.count) });
  form.addEventListener("submit", () => {
    const chosen = { seconds: Number(form.seconds.value), count: Number(form.count.value) };
    use(chosen);
    keep(chosen);
  });
}

// Kept as long as the tab is open; a browser may forbid even that.
function kept() {
  try {
    const chosen = JSON.parse(sessionStorage.getItem(SETTINGS));
    return chosen?.seconds >= 1 && chosen?.count >= 1 ? chosen : null;
  } catch {
    return null;
  }
}

function keep(chosen) {
  try {
    sessionStorage.setItem(SETTINGS, JSON.stringify(chosen));
  } catch {
    // It holds for this page then.
  }
}

// ── The poll ────────────────────────────────────────────────────────────────────────────────────────────

class Poll {
  constructor(section, found) {
    this.section = section;
    this.found = found;
    this.url = section.dataset.queuePage;
    this.bar = section.querySelector("progress");
    this.running = false;
  }

  async run() {
    if (this.running) {
      return;
    }
    this.begin();
    try {
      while (this.running && this.leftMs() > 0 && this.found.size < this.count) {
        await this.receiveOnce();
      }
      if (this.running && this.holds()) {
        show(this.section, "told", "Enough messages. They stay hidden from others until the time is over.");
        await this.rest();
      }
    } catch (problem) {
      showBanner("error", problem.message, problem.code);
    } finally {
      await this.end();
    }
  }

  begin() {
    this.running = true;
    this.receives = 0;
    this.beganMs = performance.now();
    this.found.clear();
    this.buttons();
    this.timer = setInterval(() => this.progress(), BAR_MS);
    show(this.section, "told", "Polling has begun.");
    this.progress();
  }

  async receiveOnce() {
    const order = { count: this.count - this.found.size, seconds: Math.ceil(this.leftMs() / 1000) };
    const messages = await postJson(`${this.url}/receive`, order);
    this.receives += 1;
    this.found.add(messages);
    this.progress();
  }

  // Messages of a FIFO queue can only be deleted as long as they are hidden.
  holds() {
    return "fifo" in this.section.dataset && this.found.size > 0;
  }

  rest() {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, this.leftMs());
    });
  }

  stop() {
    this.running = false;
    this.wake?.();
  }

  async end() {
    const stopped = !this.running;
    clearInterval(this.timer);
    this.section.querySelector("[data-stops]").disabled = true;
    try {
      await this.release();
    } finally {
      this.running = false;
      this.buttons();
      this.bar.value = stopped ? 0 : 100;
      show(this.section, "progress", stopped ? "Stopped" : "100%");
      show(this.section, "told", `Polling has ended with ${plural(this.found.size, "message")}.`);
    }
  }

  async release(options = {}) {
    const handles = this.found.handles();
    if (handles.length) {
      await postJson(`${this.url}/release`, { handles }, options).catch((problem) =>
        showBanner("warning", `The messages stay hidden until their time is over. ${problem.message}`, problem.code),
      );
    }
  }

  // What the browser still sends of a page that is left.
  leave() {
    if (this.running) {
      this.running = false;
      this.release({ keepalive: true });
    }
  }

  leftMs() {
    return this.seconds * 1000 - (performance.now() - this.beganMs);
  }

  progress() {
    const passedMs = performance.now() - this.beganMs;
    const percent = Math.min(100, Math.floor((passedMs / (this.seconds * 1000)) * 100));
    this.bar.value = percent;
    show(this.section, "progress", `${percent}%`);
    const rate = (this.receives * 1000) / Math.max(1000, passedMs);
    show(this.section, "rate", `${rate.toLocaleString("en-US", { maximumFractionDigits: 1 })} receives/second`);
  }

  buttons() {
    const poll = this.section.querySelector("[data-polls]");
    poll.disabled = this.running || !mayUse(poll);
    this.section.querySelector("[data-stops]").disabled = !this.running;
  }
}

// ── The messages found ──────────────────────────────────────────────────────────────────────────────────

class Found {
  constructor(section) {
    this.section = section;
    this.table = section.querySelector("[data-messages] tbody");
    this.messages = new Map(); // id → { message, row }
    this.all = section.querySelector("[data-all]");
    this.filter = document.getElementById("message-filter");
    this.all.addEventListener("change", () => this.chooseAll());
    this.table.addEventListener("change", () => this.changed());
    this.filter.addEventListener("input", () => this.search());
    section.querySelector("[data-views]").addEventListener("click", () => this.open(this.chosen()[0]));
    this.deletes = section.querySelector("[data-deletes]");
    this.deletes.addEventListener("click", () => this.askToDelete(this.chosen()));
    document.querySelector("[data-confirms-delete]").addEventListener("submit", () => this.remove(this.doomed));
  }

  get size() {
    return this.messages.size;
  }

  handles() {
    return [...this.messages.values()].map(({ message }) => message.handle);
  }

  clear() {
    this.messages.clear();
    this.table.replaceChildren();
    this.changed();
  }

  add(messages) {
    for (const message of messages) {
      this.messages.get(message.id)?.row.remove(); // received a second time: the newer handle is the one that counts
      const row = this.rowOf(message);
      this.messages.set(message.id, { message, row });
      this.table.append(row);
    }
    this.search();
    this.changed();
  }

  rowOf(message) {
    const row = this.section.querySelector("template[data-row]").content.firstElementChild.cloneNode(true);
    for (const cell of row.querySelectorAll("[data-cell]")) {
      cell.textContent = message[cell.dataset.cell];
    }
    row.querySelector("input").setAttribute("aria-label", `Choose ${message.id}`);
    row.querySelector("button").addEventListener("click", () => this.open(message));
    return row;
  }

  open(message) {
    openMessage(message, mayUse(this.deletes) ? () => this.askToDelete([message]) : null);
  }

  chosen() {
    return [...this.messages.values()].filter(({ row }) => row.querySelector("input").checked).map((it) => it.message);
  }

  chooseAll() {
    for (const { row } of this.messages.values()) {
      row.querySelector("input").checked = this.all.checked && !row.hidden;
    }
    this.changed();
  }

  search() {
    const text = this.filter.value.trim().toLowerCase();
    for (const { message, row } of this.messages.values()) {
      row.hidden = !`${message.id}\n${message.body}`.toLowerCase().includes(text);
    }
  }

  changed() {
    const count = this.chosen().length;
    show(this.section, "found", this.size.toLocaleString("en-US"));
    this.section.querySelector("[data-none]").hidden = this.size > 0;
    this.section.querySelector("[data-views]").disabled = count !== 1;
    this.deletes.disabled = !count || !mayUse(this.deletes);
    this.all.checked = count > 0 && count === this.size;
  }

  askToDelete(messages) {
    this.doomed = messages;
    document.querySelector("[data-shows=to-delete]").textContent = plural(messages.length, "message");
    document.getElementById("delete-messages").showModal();
  }

  async remove(messages) {
    const byHandle = new Map(messages.map((message) => [message.handle, message]));
    try {
      const { failed } = await postJson(`${this.section.dataset.queuePage}/delete`, { handles: [...byHandle.keys()] });
      for (const { handle } of failed) {
        byHandle.delete(handle);
      }
      for (const message of byHandle.values()) {
        this.forget(message);
      }
      this.tell(byHandle.size, failed);
    } catch (problem) {
      showBanner("error", problem.message, problem.code);
    }
  }

  forget(message) {
    this.messages.get(message.id)?.row.remove();
    this.messages.delete(message.id);
    this.changed();
  }

  tell(deleted, failed) {
    if (failed.length) {
      const text = `${plural(failed.length, "message")} could not be deleted: ${failed[0].message} Poll for messages again, and delete them while polling goes on.`;
      showBanner("error", text, failed[0].code);
    } else {
      showBanner("success", `${plural(deleted, "message")} deleted.`);
    }
  }
}
