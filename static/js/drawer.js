// The drawer beside the work: it asks and it answers. htmx fills it; this opens, closes and focuses it.

import { $, $$, typing, visible } from "./dom.js";
import { forget } from "./find.js";
import { keepKeysFor, onEscape, onKey, pressAfter } from "./keys.js";
import { said } from "./line.js";

// What the address says of the drawer alone; gone from it when the drawer is closed.
const OWN = ["give", "q", "patient", "given", "do", "register", "token", "slot", "who", "source"];

// A slower answer than this is announced by a skeleton.
const NOTICED = 300;

let cameFrom = null;
let arrived = null;
let asked = null; // the request that fills it
let unwanted = null; // the one that was on its way when it was closed
let turn = 0;
let slow = 0;

/** Fill it from elsewhere: answers whether that is still wanted, until it is asked for something or closed. */
export function claimDrawer() {
  const mine = (turn += 1);
  return () => mine === turn;
}

/** Load the drawer from an address. */
export function openDrawer(address) {
  expect();
  htmx.ajax("GET", address, { target: "#drawer", swap: "outerHTML" }).catch(said);
}

/** Close it; the focus goes back to where it came from. Others learn of it by `drawer:closing` and `drawer:closed`. */
export function closeDrawer() {
  const drawer = $("#drawer");
  turn += 1;
  if (!drawer || drawer.hidden) return false;
  unwanted = asked;
  document.dispatchEvent(new CustomEvent("drawer:closing", { detail: { drawer } }));
  drawer.hidden = true;
  drawer.replaceChildren();
  const query = new URLSearchParams(location.search);
  for (const name of OWN) query.delete(name);
  history.replaceState(null, "", location.pathname + (query.size ? `?${query}` : ""));
  const back = cameFrom?.isConnected && !typing(cameFrom) ? cameFrom : null;
  back?.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent("drawer:closed", { detail: { focused: Boolean(back) } }));
  return true;
}
onEscape(3, closeDrawer);

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-close]") || !$("#drawer")) return;
  event.preventDefault();
  closeDrawer();
});

/** From now on until it is there, keys are kept for it. */
function expect() {
  turn += 1;
  if ($("#drawer").hidden) cameFrom = document.activeElement;
  if (typing(document.activeElement)) document.activeElement.blur();
  if (arrived) return;
  keepKeysFor(new Promise((resolve) => (arrived = resolve)));
  slow = setTimeout(announce, NOTICED);
}

/** It is here, or it failed. */
function settled() {
  clearTimeout(slow);
  arrived?.();
  arrived = null;
  if ($("#drawer > .skeleton")) closeDrawer();
}

function announce() {
  const drawer = $("#drawer");
  const skeleton = $("#skeleton");
  if (!drawer.hidden || !skeleton) return;
  drawer.replaceChildren(skeleton.content.cloneNode(true));
  drawer.hidden = false;
}

// The request itself says when it is over, for what asked may be gone from the page by then; and it ends its own wait
// alone, not one that fast fingers have begun since.
document.addEventListener("htmx:beforeRequest", ({ detail: { xhr, target, requestConfig } }) => {
  const over = new Promise((resolve) => xhr.addEventListener("loadend", resolve));
  if (target?.id === "drawer") {
    expect();
    asked = xhr;
    over.then(() => asked === xhr && settled());
  } else if (requestConfig.verb !== "get") pressAfter(over); // a step's answer brings new buttons
});
// Of two that were asked for the later one is wanted, whichever comes first. What was done is answered in any case.
document.addEventListener("htmx:beforeSwap", ({ detail: { xhr, target, requestConfig }, detail }) => {
  if (target.id === "drawer" && requestConfig.verb === "get" && (xhr !== asked || xhr === unwanted)) detail.shouldSwap = false;
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.elt.id !== "drawer" || detail.elt.hidden) return;
  shown(detail.elt);
  settled();
});

/** What stands in the drawer now has the focus, and others learn of it by the event `drawer:opened`. */
export function shown(drawer, more = {}) {
  forget();
  ($("[autofocus]", drawer) ?? $("a, button, input:not([type=hidden])", drawer))?.focus();
  document.dispatchEvent(new CustomEvent("drawer:opened", { detail: { drawer, ...more } }));
}

/** Up and down choose among the radios of what is asked; the focus need not be there. */
onKey((key) => {
  if (key !== "ArrowDown" && key !== "ArrowUp") return false;
  const choices = $$("#drawer [data-arrows] input[type=radio]").filter((input) => visible(input.closest("label")) && !input.disabled);
  if (!choices.length) return false;
  const at = choices.findIndex((input) => input.checked);
  const next = choices[Math.min(choices.length - 1, Math.max(0, at + (key === "ArrowDown" ? 1 : -1)))];
  next.checked = true;
  next.closest("label").scrollIntoView({ block: "nearest" });
  next.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
});

if (!$("#drawer")?.hidden) $("#drawer [autofocus]")?.focus();
