// Loads what a page asks for: <div data-module="polling"> imports polling.js beside this file and calls its default
// export with the element. Modules name each other relatively ("./fetching.js"), so that all are of one version.

async function load(element) {
  for (const name of element.dataset.module.split(/\s+/)) {
    const module = await import(new URL(`./${name}.js`, import.meta.url));
    module.default(element);
  }
}

// Opens <dialog id="…"> for <button data-opens="…">, wherever the button comes from.
function openDialog(event) {
  const opener = event.target.closest?.("[data-opens]");
  if (opener && !opener.disabled) {
    document.getElementById(opener.dataset.opens)?.showModal();
  }
}

// A form that is on its way is not sent a second time.
function sendOnce(event) {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) {
    return;
  }
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "true";
  // Back to this page from the next one, the browser may show it as it was left.
  window.addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
}

document.addEventListener("click", openDialog);
document.addEventListener("submit", sendOnce);
// Buttons that only work with a script are disabled until then: [data-ready] on the page says that all are loaded.
Promise.all([...document.querySelectorAll("[data-module]")].map(load)).then(() => {
  document.documentElement.dataset.ready = "";
});
