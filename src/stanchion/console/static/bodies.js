// The ways in which the body of a message can be read. All work on the text as it is: nothing is parsed and written
// anew, so numbers keep their digits and members their order.

const MOST_INDENTED = 2_000_000; // characters; beyond that a browser is busy for too long
const HEX_BYTES = 16_384; // shown as hex; more would be too many lines to read
const DEEPEST = 200; // levels that are indented; beyond them a line would be nothing but spaces

/**
 * The views of a body: [{ key, title, text, note }], the one to show first at the front. Raw and Hex are always
 * there; JSON, XML and "Decoded Base64" where the body is such a thing.
 */
export function viewsOf(body) {
  const views = [prettyJson(body), prettyXml(body)].filter(Boolean);
  const decoded = decodedBase64(body);
  const raw = { key: "raw", title: "Raw", text: body, note: "" };
  if (decoded) {
    raw.note = "This looks like Base64, as some libraries send every body; “Decoded Base64” shows what is in it.";
  }
  return [...views, raw, ...(decoded ? [decoded] : []), hexView(new TextEncoder().encode(body))];
}

// ── JSON and XML ────────────────────────────────────────────────────────────────────────────────────────

function prettyJson(body) {
  if (body.length > MOST_INDENTED || !/^\s*[[{]/.test(body)) {
    return null;
  }
  try {
    JSON.parse(body);
  } catch {
    return null;
  }
  return { key: "json", title: "JSON", text: indentedJson(body), note: "" };
}

// A body that JSON.parse accepts, so its tokens follow the grammar.
const JSON_TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g;

function indentedJson(body) {
  const tokens = body.match(JSON_TOKEN);
  const parts = [];
  let depth = 0;
  tokens.forEach((token, place) => {
    if (token === "{" || token === "[") {
      depth += 1;
      const empty = tokens[place + 1] === "}" || tokens[place + 1] === "]";
      parts.push(token, empty ? "" : lineAt(depth));
    } else if (token === "}" || token === "]") {
      depth -= 1;
      const empty = tokens[place - 1] === "{" || tokens[place - 1] === "[";
      parts.push(empty ? "" : lineAt(depth), token);
    } else if (token === ",") {
      parts.push(",", lineAt(depth));
    } else {
      parts.push(token === ":" ? ": " : token);
    }
  });
  return parts.join("");
}

function lineAt(depth) {
  return `\n${"  ".repeat(Math.min(depth, DEEPEST))}`;
}

const XML_TOKEN = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<\/?[A-Za-z_:](?:"[^"]*"|'[^']*'|[^<>"'])*>|[^<]+/g;

function prettyXml(body) {
  if (body.length > MOST_INDENTED || !/^\s*</.test(body)) {
    return null;
  }
  const tokens = body.match(XML_TOKEN) ?? [];
  if (tokens.join("") !== body || !isOneElement(tokens)) {
    return null;
  }
  return { key: "xml", title: "XML", text: indentedXml(tokens.filter((token) => token.trim())), note: "" };
}

// Whether every tag that opens is closed in its turn, and all is inside one element. (The browser's own parser of XML
// would do, but it writes a page with inline styles about what it cannot read, which this console forbids.)
function isOneElement(tokens) {
  const open = [];
  let roots = 0;
  for (const token of tokens) {
    if (token.startsWith("</")) {
      if (open.pop() !== nameIn(token)) {
        return false;
      }
    } else if (isElement(token)) {
      roots += open.length === 0 ? 1 : 0;
      if (opens(token)) {
        open.push(nameIn(token));
      }
    } else if (open.length === 0 && !token.startsWith("<") && token.trim()) {
      return false;
    }
  }
  return roots === 1 && open.length === 0;
}

function isElement(token) {
  return /^<[^/!?]/.test(token);
}

function opens(token) {
  return isElement(token) && !token.endsWith("/>");
}

function nameIn(tag) {
  return tag.match(/^<\/?([^\s/>]+)/)[1];
}

function indentedXml(tokens) {
  const lines = [];
  let depth = 0;
  for (let place = 0; place < tokens.length; place += 1) {
    const token = tokens[place];
    if (token.startsWith("</")) {
      depth -= 1;
    }
    // An element with nothing but text stays on one line.
    const [text, end] = [tokens[place + 1], tokens[place + 2]];
    if (opens(token) && text && !text.startsWith("<") && end?.startsWith("</")) {
      lines.push("  ".repeat(Math.min(depth, DEEPEST)) + token + text.trim() + end);
      place += 2;
      continue;
    }
    lines.push("  ".repeat(Math.min(depth, DEEPEST)) + token.trim());
    if (opens(token)) {
      depth += 1;
    }
  }
  return lines.join("\n");
}

// ── Base64 and bytes ────────────────────────────────────────────────────────────────────────────────────

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decodedBase64(body) {
  const packed = body.replace(/\s+/g, "");
  if (packed.length < 4 || packed.length > MOST_INDENTED || !BASE64.test(packed)) {
    return null;
  }
  const bytes = bytesOf(packed);
  const text = textOf(bytes);
  if (text !== null) {
    const inner = prettyJson(text) ?? prettyXml(text);
    return { key: "base64", title: "Decoded Base64", text: inner ? inner.text : text, note: "" };
  }
  // Many words are Base64 by chance; bytes that are no text are only offered where the ending says that they are.
  return packed.endsWith("=") ? { ...hexView(bytes), key: "base64", title: "Decoded Base64" } : null;
}

/** The bytes of Base64. */
export function bytesOf(packed) {
  return Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
}

/** The text that bytes hold in UTF-8; null for what is no text. */
export function textOf(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

function hexView(bytes) {
  const note = bytes.length > HEX_BYTES ? `The first ${HEX_BYTES.toLocaleString("en-US")} bytes.` : "";
  return { key: "hex", title: "Hex", text: hexDump(bytes.subarray(0, HEX_BYTES)), note };
}

/** Sixteen bytes a line: offset, hexadecimal, and what is printable of them. */
export function hexDump(bytes) {
  const lines = [];
  for (let start = 0; start < bytes.length; start += 16) {
    const row = [...bytes.subarray(start, start + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const printable = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${start.toString(16).padStart(8, "0")}  ${hex.padEnd(47)}  ${printable}`);
  }
  return lines.join("\n");
}
