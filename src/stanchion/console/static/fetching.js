// Requests of scripts, with what the server wants to see on each.

const csrf = document.querySelector("meta[name=csrf]").content;

/** The answer to a JSON request. Throws { code, message, status } for a refusal or a server that is gone. */
export async function postJson(url, body, { signal, keepalive } = {}) {
  return answerOf(
    await reach(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf },
      body: JSON.stringify(body),
      signal,
      keepalive,
    }),
  );
}

/** Sends a form as the browser would, and answers like postJson. The token is one of its fields. */
export async function postForm(url, form) {
  return answerOf(
    await reach(url, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
    }),
  );
}

/** What is to be read at an address, as JSON. Throws like postJson. */
export async function getJson(url, { signal } = {}) {
  return answerOf(await reach(url, { headers: { Accept: "application/json" }, signal }));
}

/** Shows a banner above the page's content, in the place of an earlier one. kind: success, error, info or warning. */
export function showBanner(kind, text, code = "") {
  const banner = document.createElement("div");
  banner.className = `banner ${kind}`;
  const line = document.createElement("p");
  if (code) {
    const strong = document.createElement("strong");
    strong.className = "banner-code";
    strong.textContent = code;
    line.append(strong, " ");
  }
  const words = document.createElement("span");
  words.className = "banner-text";
  words.textContent = text;
  line.append(words);
  banner.append(line);
  const place = document.getElementById("banners");
  place.replaceChildren(banner);
  place.scrollIntoView({ block: "nearest" });
  return banner;
}

async function reach(url, options) {
  try {
    return await fetch(url, options);
  } catch (problem) {
    if (problem.name === "AbortError") {
      throw problem;
    }
    throw { code: "Unreachable", message: "The server cannot be reached. Try again in a moment.", status: 0 };
  }
}

async function answerOf(response) {
  const isJson = (response.headers.get("content-type") ?? "").startsWith("application/json");
  const answer = isJson ? await response.json() : null;
  if (!response.ok) {
    throw {
      code: answer?.code ?? `HTTP ${response.status}`,
      message: answer?.message ?? response.statusText,
      status: response.status,
    };
  }
  return answer;
}
