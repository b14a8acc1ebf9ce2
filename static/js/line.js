// A bad line: what was not answered is said, on pages that have words for it (#lost), and one goes on where one was.

import { $ } from "./dom.js";

let asking = null; // where one was when something was sent

/** Nobody answered, or somebody between us and the server did: it is said, and one goes on where one was. */
export function lost(verb) {
  const note = $("#lost")?.content.cloneNode(true);
  if (!note) return;
  const words = $("[data-post]", note);
  words.textContent = words.dataset[verb === "get" ? "get" : "post"];
  $("#messages").replaceChildren(note);
  const from = asking;
  setTimeout(() => {
    // The button works again by then, and nobody has gone elsewhere.
    if (from?.isConnected && document.activeElement === document.body) from.focus();
  });
}

/** Whether an answer leads to another page, as it does to who is signed out by now; then that page is opened. */
function signedOut(answer) {
  const away = answer.headers.get("HX-Redirect");
  if (away) location.assign(away);
  return Boolean(away);
}

/** Who has heard nothing for so long hears nothing any more, and keys that wait for it are free. As in htmx's config. */
export const LONGEST = 30_000;
export const inTime = () => AbortSignal.timeout(LONGEST);

/** A part of the page, asked for by hand: how it was answered and its text, or nothing where no answer came.
    Whoever is signed out is led away, and `away` says so. */
export async function part(address, target) {
  try {
    const answer = await fetch(address, { signal: inTime(), headers: { "HX-Request": "true", "HX-Target": target } });
    return { ok: answer.ok, status: answer.status, away: signedOut(answer), text: await answer.text() };
  } catch {
    return null;
  }
}

/** For what htmx was asked by hand: the listeners below have told of it when it fails. */
export const said = () => null;

const broken = (xhr) => xhr.status >= 500 && !xhr.getResponseHeader("HX-Retarget");

/** What sent a request, or what its answer is for, may have been renewed meanwhile. htmx would look for all that the
    answer brings around the element that is gone: it comes back out of sight until the answer is in. */
function stillThere(asked) {
  const { elt, target, xhr } = asked;
  if (!target.isConnected && target.id) asked.target = document.getElementById(target.id) ?? target;
  if (elt.isConnected) return;
  const gone = elt.getRootNode();
  const { id } = gone; // what stands in the page by now has it
  gone.removeAttribute("id");
  const place = document.body.appendChild(document.createElement("div"));
  place.hidden = true;
  place.append(gone);
  xhr.addEventListener("loadend", () => {
    place.remove();
    if (id) gone.id = id;
  });
}

// The request itself tells how it ended, for not every event of an element that is gone is heard.
document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  const { xhr, requestConfig } = detail;
  asking = document.activeElement;
  xhr.addEventListener("readystatechange", () => xhr.readyState === XMLHttpRequest.DONE && stillThere(detail));
  for (const name of ["error", "timeout"]) xhr.addEventListener(name, () => lost(requestConfig.verb));
  xhr.addEventListener("load", () => {
    if (broken(xhr)) lost(requestConfig.verb);
    else if (xhr.status < 400 && $("#messages [data-post]")) $("#messages").replaceChildren();
  });
}, true);
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (broken(detail.xhr)) detail.shouldSwap = false;
});
