// The drawer beside the work: it asks and it answers. htmx fills it; this opens, closes and focuses it.

import { $, $$, typing, visible } from "./dom.js";
import { forget } from "./find.js";
import { keepKeysFor, onEscape, onKey } from "./keys.js";
import { said } from "./line.js";

// What the address says of the drawer alone; gone from it when the drawer is closed.
const OWN = ["give", "q", "patient", "given", "do", "register", "token", "slot", "who", "source"];

// A slower answer than this is announced by a skeleton.
const NOTICED = 300;

let cameFrom = null;
let arrived = null;
let slow = 0;

/** Load the drawer from an address. */
export function openDrawer(address) {
  expect();
  htmx.ajax("GET", address, { target: "#drawer", swap: "outerHTML" }).catch(said);
}

/** Close it; the focus goes back to where it came from. Others learn of it by `drawer:closing` and `drawer:closed`. */
export function closeDrawer() {
  const drawer = $("#drawer");
  if (!drawer || drawer.hidden) return false;
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

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.target?.id === "drawer") expect();
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  // Settled by then, or failed.
  if (detail.target?.id === "drawer" || !detail.successful) setTimeout(settled, 60);
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
