// <section data-module="server_live" data-live="address">: keeps the server's figures up to date, one a [data-cell].

import liveStream, { fillCell } from "./live_stream.js";

export default function serverLive(section) {
  liveStream(section.dataset.live, (figures) => {
    for (const [key, text] of Object.entries(figures)) {
      fillCell(section, key, text);
    }
  });
}
