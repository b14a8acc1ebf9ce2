// A form that is left with something typed in it is not lost: that is said, and U opens it again as it was.

import { $, $$ } from "./dom.js";
import { shown } from "./drawer.js";

let kept = null; // what the drawer held: its children, its looks, and its address

/** Whether somebody filled something in. */
export function filled(form) {
  if ($("#drawer").dataset.wrong) return true;
  // What was only chosen is chosen again as quickly.
  const fields = $$("input:not([type=checkbox], [type=radio]), select", form);
  return fields.some((field) => (field.matches("select") ? field.selectedIndex > 0 : field.value !== field.defaultValue));
}

/** Take the form out of the drawer before that is emptied. */
function keep(drawer, form) {
  if (!form || !filled(form)) return;
  const [title, children] = [$("#drawer-title", drawer).textContent, [...drawer.childNodes]];
  const note = $("#kept").content.firstElementChild.cloneNode(true);
  kept = { children, looks: drawer.className, data: { ...drawer.dataset }, address: location.href, note };
  drawer.replaceChildren();
  const words = $("[data-words]", note);
  words.textContent = words.dataset.words.replace("%", title);
  $("#toasts").replaceChildren(note);
}

function drop() {
  kept = null;
  $("#toasts").replaceChildren();
}

function openAgain() {
  const drawer = $("#drawer");
  const { children, looks, data, address } = kept;
  drop();
  keep(drawer, $("form.whole, #take", drawer)); // what stands there by now is not lost for it either
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
// It was closed while it was on its way, and was done: there is nothing to open again. The answer to another step brings
// messages of its own; what is kept is told beside them.
let told = false;
document.addEventListener("htmx:beforeSwap", ({ detail: { xhr, requestConfig } }) => {
  if (requestConfig.verb !== "get" && xhr.status < 400 && kept?.children.some((child) => child.contains(requestConfig.elt))) drop();
  told = Boolean(kept?.note.isConnected);
});
document.addEventListener("htmx:afterRequest", () => {
  if (told && kept && !kept.note.isConnected) $("#toasts").append(kept.note);
});
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-open-again]")) openAgain();
});
