// A form that is left with something typed in it is not lost: that is said, and U opens it again as it was.

import { $, $$ } from "./dom.js";
import { shown } from "./drawer.js";

let kept = null; // what the drawer held: its children, its looks, and its address

/** Whether somebody filled something in. */
export function filled(form) {
  if ($("#drawer").dataset.wrong) return true;
  return $$("input, select", form).some((field) => (field.matches("select") ? field.selectedIndex > 0 : field.value !== field.defaultValue));
}

/** Take the form out of the drawer before that is emptied. */
function keep(drawer, form) {
  if (!form || !filled(form)) return;
  const [title, children] = [$("#drawer-title", drawer).textContent, [...drawer.childNodes]];
  kept = { children, looks: drawer.className, data: { ...drawer.dataset }, address: location.href };
  drawer.replaceChildren();
  const note = $("#kept").content.cloneNode(true);
  const words = $("[data-words]", note);
  words.textContent = words.dataset.words.replace("%", title);
  $("#toasts").replaceChildren(note);
}

function openAgain() {
  const drawer = $("#drawer");
  const { children, looks, data, address } = kept;
  kept = null;
  $("#toasts").replaceChildren();
  drawer.className = looks;
  Object.assign(drawer.dataset, data);
  drawer.setAttribute("aria-labelledby", "drawer-title");
  drawer.replaceChildren(...children);
  drawer.hidden = false;
  history.replaceState(null, "", address);
  shown(drawer, { again: true });
}

document.addEventListener("drawer:closing", ({ detail }) => keep(detail.drawer, $("form.whole, #take", detail.drawer)));
// Something else is opened in its place; what was sent is answered in its place too, and is not kept.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id === "drawer" && detail.shouldSwap && detail.requestConfig.verb === "get") keep(detail.target, $("form.whole", detail.target));
});
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-open-again]")) openAgain();
});
