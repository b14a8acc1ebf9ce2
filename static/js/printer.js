// Papers go to the printer from a frame of the page. While the browser hands one over it hears no key: what was pressed
// then is known by its release, and is pressed anew. Enter is not, for it may have been meant for a print dialog.

import { $, typing } from "./dom.js";

/** A paper of money that moved just now goes to the printer by itself, once. */
export function printNow() {
  const form = $("#print-form[data-print-now]");
  if (!form) return;
  delete form.dataset.printNow;
  form.requestSubmit();
}

/** Each press is another copy, with a name of its own. */
document.addEventListener("submit", ({ target }) => {
  if (target.id !== "print-form") return;
  target.target = "printer";
  setTimeout(() => (target.elements.idempotency_key.value += "-again"));
});

const down = new Set();
let deaf = false; // a paper was handed over, and no key was heard since

document.addEventListener("paper:prints", () => (deaf = true));
addEventListener("blur", () => {
  deaf = false;
  down.clear();
});
addEventListener("keydown", ({ code, isTrusted }) => {
  if (!isTrusted) return;
  deaf = false;
  down.add(code);
}, true);
addEventListener("keyup", (event) => {
  const heard = down.delete(event.code);
  if (deaf && !heard && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) again(event);
}, true);

function again({ key, code, target }) {
  const press = new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true });
  if (!target.dispatchEvent(press) || !typing(target) || target.matches("select")) return;
  target.setRangeText(key, target.selectionStart, target.selectionEnd, "end");
  target.dispatchEvent(new Event("input", { bubbles: true }));
}
