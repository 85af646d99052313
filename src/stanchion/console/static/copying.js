// <button data-module="copying" data-copies="text">: copies the text and says so for a moment.

const SHOWN_MS = 2000;

export default function copying(button) {
  const label = button.textContent;
  let timer = 0;
  button.addEventListener("click", async () => {
    button.textContent = (await copied(button.dataset.copies)) ? "Copied" : "Not copied";
    clearTimeout(timer);
    timer = setTimeout(() => (button.textContent = label), SHOWN_MS);
  });
}

// Browsers offer the clipboard only to pages that come by HTTPS or from this machine.
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedFromField(text);
  }
}

function copiedFromField(text) {
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = text;
  const inside = document.querySelector("dialog[open]") ?? document.body;
  const focused = document.activeElement;
  inside.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return done;
}
