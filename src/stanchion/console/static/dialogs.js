// <dialog data-module="dialogs">: [data-closes] buttons and a click beside it close it; an <input data-word="purge">
// keeps the buttons that submit disabled until the word is typed.

export default function dialogs(dialog) {
  for (const button of dialog.querySelectorAll("[data-closes]")) {
    button.addEventListener("click", () => dialog.close());
  }
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) {
      dialog.close();
    }
  });
  const field = dialog.querySelector("[data-word]");
  if (field) {
    guard(dialog, field);
  }
}

function guard(dialog, field) {
  const submits = [...field.form.querySelectorAll("button:not([type=button])")].filter((button) => !button.disabled);
  const check = () => {
    for (const button of submits) {
      button.disabled = field.value.trim() !== field.dataset.word;
    }
  };
  field.addEventListener("input", check);
  dialog.addEventListener("close", () => {
    field.value = "";
    check();
  });
  check();
}
