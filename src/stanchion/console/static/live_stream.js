// Server-sent events of an open page. The browser asks again by itself when the server was away.

import { showBanner } from "./fetching.js";

/** ``told`` gets each event, read from JSON, until the page is left or the session ends. */
export default function liveStream(url, told) {
  const stream = new EventSource(url);
  stream.addEventListener("message", (event) => told(JSON.parse(event.data)));
  stream.addEventListener("signed-out", () => {
    stream.close();
    showBanner("warning", "Your session has ended. Sign in again.");
  });
  window.addEventListener("pagehide", () => stream.close());
  // A page that comes back from the browser's memory has lost its stream.
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}

/** Changes a text only when it is another one: what stays the same is not drawn anew. */
export function fillCell(place, cell, text) {
  const element = place.querySelector(`[data-cell="${cell}"]`);
  if (element && element.textContent.trim() !== text) {
    element.textContent = text;
  }
}
