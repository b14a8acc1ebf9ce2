// A bad line: what was not answered is said, on pages that have words for it (#lost), and one goes on where one was.

import { $ } from "./dom.js";

let asking = null; // where one was when something was sent
document.addEventListener("htmx:beforeRequest", () => (asking = document.activeElement), true);

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
  }, 80);
}

/** For what htmx was asked by hand: the listeners below have told of it when it fails. */
export const said = () => null;

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, ({ detail }) => lost(detail.requestConfig.verb));
}
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.status >= 500 && !detail.xhr.getResponseHeader("HX-Retarget")) {
    detail.shouldSwap = false;
    lost(detail.requestConfig.verb);
  }
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful && $("#messages [data-post]")) $("#messages").replaceChildren();
});
