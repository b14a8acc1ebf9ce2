// Asks every few seconds what changed, and says whether it heard. To be replaced by a stream: whoever brings news says
// `live:before` and `live:after` around the swap.

import { $ } from "./dom.js";

let lastHeard = new Date();

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.requestConfig.elt.id === "poller") document.dispatchEvent(new CustomEvent("live:before"));
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.requestConfig.elt.id !== "poller") return;
  heard(detail.successful || detail.xhr.status === 204);
  if (detail.successful && detail.xhr.status === 200) document.dispatchEvent(new CustomEvent("live:after"));
});

function heard(well) {
  const live = $("#live");
  if (!live) return;
  live.hidden = false;
  if (well) lastHeard = new Date();
  const since = lastHeard.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  live.classList.toggle("stale", !well);
  live.textContent = well ? "Live" : `Not live since ${since}`;
  live.title = well ? "" : "You can go on working.";
}
for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, () => heard(false));
