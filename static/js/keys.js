// Keys. A control says itself which key presses it: <button data-key="a">. Regions are searched in the order of their
// data-key-region, the smallest first, then the rest of the page; so a drawer stands before the bar under it. A page
// adds with onKey() what presses no control, such as walking through rows.

import { $, $$, typing, visible } from "./dom.js";

let single = localStorage.getItem("single-keys") !== "off";
const handlers = [];
const closers = [];
let coming = null;
let before = null;
let begun = null; // the key whose step is on its way
let last = null; // the last of the keys that wait

/** Do something with keys that press no control. The handler answers true where the key was its own. */
export function onKey(handler) {
  handlers.push(handler);
}

/** Close something on Esc, in this order; the first closer that answers true ends it. */
export function onEscape(order, closer) {
  closers.push({ order, closer });
  closers.sort((one, other) => one.order - other.order);
}

/** Something is on its way, and what fast fingers press meanwhile belongs to it. */
export function keepKeysFor(promise) {
  const mine = promise.catch(() => {}).then(() => {
    if (coming === mine) coming = null;
  });
  coming = mine;
}

/** Controls are being renewed: a key waits for them, but walking on does not. */
export function pressAfter(promise) {
  const mine = promise.catch(() => {}).then(() => {
    if (before !== mine) return;
    before = null;
    if (!last) begun = null;
  });
  before = mine;
  begun = null;
}

/** Until nothing is on its way and every key before it was heard, a key waits; so keys keep their order. */
function wait(key) {
  const mine = (last ?? Promise.resolve()).then(() => nothingComes()).then(() => again(key)).catch(reportError).then(() => {
    if (last !== mine) return;
    last = null;
    if (!before) begun = null;
  });
  last = mine;
}

async function nothingComes() {
  while (coming || before) await (coming ?? before);
}

/** The control that a key presses. */
export function control(key) {
  const wanted = `[data-key="${CSS.escape(key)}"]`;
  const reachable = (element) => visible(element) || visible(element.closest("details"));
  for (const region of regions()) {
    const found = $$(wanted, region).find(reachable);
    if (found) return found;
  }
}

/** Where to look: an open dialog alone; a form that is being filled in alone, so that a letter which misses its field
    does nothing to what lies behind; else region after region. */
function regions() {
  const alone = $("dialog:modal") ?? $("[data-key-region] form.whole")?.closest("[data-key-region]");
  if (alone) return [alone];
  const marked = $$("[data-key-region]").sort((one, other) => one.dataset.keyRegion - other.dataset.keyRegion);
  return [...marked, document.body];
}

function press(element) {
  if (element.matches("[type=radio], [type=checkbox]")) {
    element.checked = true;
    element.focus();
    element.dispatchEvent(new Event("change", { bubbles: true }));
  } else if (element.matches("input, select, textarea")) {
    element.focus();
    element.select?.();
  } else element.click();
}

/** What a key does; true where it did something. */
function act(key, event) {
  if (key.length === 1 && !single) return false;
  const name = key.length === 1 ? key.toLowerCase() : key; // as with Caps Lock
  if (handlers.some((handler) => handler(name, event))) return true;
  if (event?.repeat) return false;
  // Pressed again while its step is on the way: meant once.
  if ((before || last) && name === begun) return true;
  if (before && (key.length === 1 || key === "Enter")) return wait(key), true;
  return pressFor(name);
}

function pressFor(name) {
  const found = control(name);
  const others = before;
  if (found) press(found);
  if (before !== others) begun = name;
  return Boolean(found);
}

/** A key that waited has its turn. */
function again(key) {
  const focused = document.activeElement;
  if (typing(focused)) return typeAnew(focused, key);
  if (key === "Escape") return escape();
  if (!act(key) && key === "Enter" && focused.matches("a, button, summary")) focused.click();
}

/** A key that came before its field had the focus: what the field does with it by itself comes after what the page does. */
function typeAnew(field, key, more = {}) {
  const press = new KeyboardEvent("keydown", { key, ...more, bubbles: true, cancelable: true });
  if (field.dispatchEvent(press)) type(field, key);
}

function type(field, key) {
  if (key === "Enter" && !field.matches("textarea")) field.form?.requestSubmit();
  else if (field.matches("select")) return;
  else if (key === "Backspace") write(field, "");
  else if (key === "Enter") write(field, "\n");
  else if (key.length === 1) write(field, key);
}

function write(field, text) {
  // A field of figures alone has no place to write at.
  if (field.selectionStart === null) field.value = text ? field.value + text : field.value.slice(0, -1);
  else {
    const from = !text && field.selectionStart === field.selectionEnd ? Math.max(0, field.selectionStart - 1) : field.selectionStart;
    field.setRangeText(text, from, field.selectionEnd, "end");
  }
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function escape() {
  return closers.some(({ closer }) => closer()) || pressFor("Escape");
}

function keydown(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (key === "Tab" || key === "Shift" || /^F\d/.test(key)) return;
  if (coming || (last && !typing(target))) {
    event.preventDefault();
    if (!event.repeat) wait(key); // held down it is one press, as without a wait
    return;
  }
  if (key === "Escape") {
    if (!$("dialog:modal")) escape();
    return;
  }
  if (typing(target)) return;
  // A focused link or button does its own work; a radio submits its form and walks with left and right.
  if (key === "Enter" && target.matches("a:not(.tok, [data-row]), button, summary, input")) return;
  if ((key === "ArrowLeft" || key === "ArrowRight") && target.matches("input")) return;
  if (act(key, event)) event.preventDefault();
}
document.addEventListener("keydown", keydown);

/** Who leans on Enter does one thing, not all that come after it. */
addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.repeat || event.target.matches("textarea")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

/** What was pressed before the page was at work, in a turn of its own: by then every other file listens too. */
function takeEarlyKeys() {
  const field = document.activeElement;
  if (field.matches("input, textarea") && field.value !== field.defaultValue) field.dispatchEvent(new Event("input", { bubbles: true }));
  for (const { key, shiftKey, button } of window.earlyKeys?.() ?? []) {
    if (button) {
      button.click();
      continue;
    }
    const target = document.activeElement;
    if (typing(target)) typeAnew(target, key, { shiftKey });
    else {
      const again = new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true });
      if (target.dispatchEvent(again) && key === "Enter" && target.matches("a, button, summary")) target.click();
    }
  }
}
document.addEventListener("DOMContentLoaded", () => setTimeout(takeEarlyKeys));

const dialog = $("#keys");
const letters = $("#single-keys");
if (letters) {
  letters.checked = single;
  letters.addEventListener("change", () => {
    single = letters.checked;
    localStorage.setItem("single-keys", single ? "on" : "off");
  });
}
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys-open]")) dialog?.showModal();
});
