// <form data-module="submitting">: sent as soon as a choice in it changes; its own button is not needed then.

export default function submitting(form) {
  for (const button of form.querySelectorAll("button")) {
    button.hidden = true;
  }
  form.addEventListener("change", () => form.requestSubmit());
}
