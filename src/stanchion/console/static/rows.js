// Rows of fields that can be added and removed: [data-rows] holds them, a <template> has an empty one.

/** ``told(left)`` says how many more there may be. */
export default function rows(place, most, told) {
  const list = place.querySelector("[data-rows]");
  const add = place.querySelector("[data-adds]");
  const count = () => {
    const left = most - list.children.length;
    told(left);
    add.disabled = left <= 0;
  };
  add.addEventListener("click", () => {
    list.append(place.querySelector("template").content.cloneNode(true));
    list.lastElementChild.querySelector("input").focus();
    count();
  });
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-removes]");
    if (button) {
      button.closest("[data-row]").remove();
      count();
      add.focus();
      list.dispatchEvent(new Event("input", { bubbles: true })); // for who checks what is typed
    }
  });
  count();
  return count;
}
