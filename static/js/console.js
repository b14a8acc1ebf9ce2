// The console without turning the page: a step is sent, its answer renews the parts it changed. Without this file
// everything still works, with whole pages.

import { $, $$ } from "./dom.js";
import { control, keepKeysFor, onKey, pressAfter } from "./keys.js";
import { inTime } from "./line.js";

const main = $("#main");
let busy = null;
let cameFrom = null;

/** Put parts of the page in place of the old ones. The answer's element stays, so that it is read out. */
function renew(html) {
  const parts = document.createElement("template");
  parts.innerHTML = html;
  const lost = document.activeElement;
  for (const part of [...parts.content.children]) {
    const old = document.getElementById(part.id);
    if (part.id === "console-answer") old.replaceChildren(...part.childNodes);
    else old?.replaceWith(part);
  }
  if (lost && !lost.isConnected) (document.getElementById(lost.id) ?? $("#visit")).focus({ preventScroll: true });
  tick();
}

async function fetched(address, options = {}) {
  const answer = await fetch(address, { ...options, signal: inTime(), headers: { "HX-Request": "true", "X-CSRFToken": main.dataset.csrf } });
  const away = answer.headers.get("HX-Redirect");
  if (away) location.assign(away);
  return answer.text();
}

/** A sentence where the answers stand. */
function say(words) {
  const line = document.createElement("p");
  line.className = "refused";
  line.textContent = words;
  $("#console-answer").replaceChildren(line);
}

// --- steps: one at a time; sent again after a lost answer it is the same step, for its key is the same ----------------

async function take(form, button) {
  busy = button ?? form;
  button?.setAttribute("aria-busy", "true");
  try {
    const html = await fetched(form.action, { method: "POST", body: new FormData(form, button) });
    if (html.includes("<html")) location.reload(); // no answer to a step: the page itself is out of date
    else if (html.includes('id="console-')) renew(html);
    else say(new DOMParser().parseFromString(html, "text/html").body.textContent.trim());
  } catch {
    say(main.dataset.lost);
  } finally {
    button?.removeAttribute("aria-busy");
    busy = null;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-step]");
  if (!form) return;
  event.preventDefault();
  if (!busy) pressAfter(take(form, event.submitter));
});

// The second half of a double click would meet the button that took the place of the first.
document.addEventListener("click", (event) => {
  if (event.detail > 1 && event.target.closest("form[data-step] button")) event.preventDefault();
}, true);

// --- the panel ------------------------------------------------------------------------------------------------------

async function open(link) {
  if (!$("#console-panel").contains(document.activeElement)) cameFrom = document.activeElement;
  try {
    renew(await fetched(link.href));
  } catch {
    return say(main.dataset.lost);
  }
  const panel = $("#console-panel");
  ($("[autofocus]", panel) ?? $("[data-step] button", panel) ?? $("a", panel))?.focus();
  panel.scrollIntoView({ block: "nearest" });
}

function close() {
  $("#console-panel").replaceChildren();
  const back = cameFrom?.id ? document.getElementById(cameFrom.id) : cameFrom;
  (back?.isConnected ? back : $("#visit")).focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const link = event.target.closest("a[data-panel], a[data-close]");
  if (!link) return;
  event.preventDefault();
  if (link.matches("[data-close]")) close();
  else keepKeysFor(open(link));
});

// --- keys that press no button --------------------------------------------------------------------------------------

onKey((key, event) => {
  // Pressed again while the step is on its way: meant once.
  if (busy && busy.dataset.key === (key.length === 1 ? key.toLowerCase() : key)) return true;
  if (key === "Enter" && !control("Enter") && event?.target.matches("body, #visit")) return $("[data-enter]")?.click(), true;
  const rows = $$("#console-queue [data-row]");
  const at = rows.indexOf(document.activeElement);
  if (key === "Enter" && at >= 0) return rows[at].click(), true;
  const step = { j: 1, ArrowDown: 1, ArrowUp: -1 }[key];
  if (!step || (at < 0 && key !== "j" && event?.target !== document.body && event?.target.id !== "visit")) return false;
  rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
  return true;
});

// --- the clock ------------------------------------------------------------------------------------------------------

const ahead = Date.now() / 1000 - Number(main.dataset.now);
const two = (number) => String(number).padStart(2, "0");

const house = document.title.slice(document.title.indexOf(". "));

function tick() {
  document.title = ($("#console-now .token:not([aria-hidden])")?.textContent ?? main.dataset.title) + house;
  for (const clock of $$("[data-since]", main)) {
    const seconds = Math.max(0, Math.floor(Date.now() / 1000 - ahead - Number(clock.dataset.since)));
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor(seconds / 60) % 60;
    clock.textContent = hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  }
}

tick();
setInterval(tick, 1000);
// What came by itself must not take the place where one stands.
let stood = "";
document.addEventListener("live:before", () => (stood = document.activeElement?.id ?? ""));
document.addEventListener("live:after", () => {
  if (stood && document.activeElement === document.body) document.getElementById(stood)?.focus({ preventScroll: true });
  tick();
});
$("#console-panel [autofocus]")?.focus();
