// Finding while one types, on any page: <input data-find="id of the list" data-find-url="/desk/find/">. What comes back
// is a list of links marked data-found. Arrows walk through it, Enter takes the first.

import { $, $$ } from "./dom.js";
import { keepKeysFor, onEscape } from "./keys.js";
import { LONGEST, lost } from "./line.js";

const PAUSE = 120;
const running = new WeakMap();

const listOf = (field) => document.getElementById(field.dataset.find);
const fieldOf = (list) => $(`[data-find="${list.id}"]`);

/** Look for what the field says, after a pause in typing; a newer text ends the search for an older one. */
function search(field, pause = PAUSE) {
  const text = field.value.trim();
  const known = running.get(field);
  if (known?.text === text) return known.done;
  known?.stop.abort();
  const stop = new AbortController();
  setTimeout(() => stop.abort(new DOMException("", "TimeoutError")), pause + LONGEST);
  const done = new Promise((resolve) => setTimeout(resolve, pause))
    .then(() => (stop.signal.aborted ? null : ask(field, text, stop.signal)))
    .catch((error) => {
      if (error.name === "AbortError") return;
      running.delete(field); // the same text may be looked for again
      unheard(field);
    });
  running.set(field, { text, stop, done });
  return done;
}

async function ask(field, text, signal) {
  const address = new URL(field.dataset.findUrl, location);
  address.searchParams.set("q", text);
  const answer = await fetch(address, { signal, headers: { "HX-Request": "true" } });
  const away = answer.headers.get("HX-Redirect");
  if (away) return location.assign(away);
  if (answer.status >= 500) return unheard(field);
  const list = listOf(field);
  if (list) list.innerHTML = await answer.text();
}

/** What stands there was found for an older text: Enter must not take it for the one that was not answered. */
function unheard(field) {
  listOf(field)?.replaceChildren();
  lost("get");
}

/** Enter may come before the answer to what was typed: then the first of that answer is taken. */
async function takeFirst(field) {
  await search(field);
  $("[data-found]", listOf(field))?.click();
}

document.addEventListener("input", ({ target }) => {
  if (target.matches("[data-find]")) search(target);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const field = event.target.closest("[data-find]");
  const list = field ? listOf(field) : $$("[data-find]").map(listOf).find((each) => each?.contains(event.target));
  if (!list) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const links = $$("[data-found]", list);
    const next = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    (links[next] ?? (next < 0 ? fieldOf(list) : null))?.focus();
  } else if (event.key === "Enter" && field?.value.trim()) {
    event.preventDefault();
    keepKeysFor(takeFirst(field));
  }
});

/** Nothing is looked for any more in the command field. */
export function forget() {
  const field = $("#command");
  if (!field) return false;
  const open = listOf(field).childElementCount > 0 || document.activeElement === field;
  running.get(field)?.stop.abort();
  running.delete(field);
  listOf(field).replaceChildren();
  field.value = "";
  if (listOf(field).contains(document.activeElement) || document.activeElement === field) document.activeElement.blur();
  return open;
}
onEscape(2, forget);
document.addEventListener("click", (event) => {
  if ($("#results")?.childElementCount && !event.target.closest(".command")) forget();
});
