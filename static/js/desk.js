// The desk: the selected token, walking through rows, and what is kept while columns are renewed. Without this file
// everything still works.

import { $, $$, visible } from "./dom.js";
import { openDrawer } from "./drawer.js";
import { forget } from "./find.js";
import { onKey, pressAfter } from "./keys.js";
import { lost, part, said } from "./line.js";

// --- the selected token ---------------------------------------------------------------------------------------------

let selected = $("#actionbar")?.dataset.token ?? null;
let landed = $("[data-given]") ? selected : null;

const row = (id) => document.getElementById(`t-${id}`);

function paintSelection() {
  for (const each of $$(".tok[aria-current]")) if (each.id !== `t-${selected}`) each.removeAttribute("aria-current");
  if (selected) row(selected)?.setAttribute("aria-current", "true");
}

function select(id) {
  selected = String(id);
  paintSelection();
  const chosen = row(selected);
  if (chosen) {
    chosen.closest("details.slot").open = true;
    chosen.focus({ preventScroll: true });
    chosen.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  pressAfter(loadBar(selected));
}

/** The bar of a token; where another was selected meanwhile, that one's bar is on its way. */
async function loadBar(id) {
  const date = new URLSearchParams(location.search).get("date");
  const address = `${location.pathname}?token=${id}${date ? `&date=${date}` : ""}`;
  const answer = await part(address, "actionbar");
  if (answer?.away || id !== selected) return;
  if (!answer?.ok) {
    $("#actionbar").replaceChildren(); // its buttons are another token's
    return !answer || answer.status >= 500 ? lost("get") : null;
  }
  $("#actionbar").outerHTML = answer.text;
  htmx.process($("#actionbar"));
}

/** A token is given to the doctor whose column is being worked in, unless the patient's own doctor is known. */
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const column = selected && row(selected)?.closest(".col");
  if (column && detail.path.includes("?patient=") && !detail.parameters.who) detail.parameters.beside = column.dataset.doctor;
});

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const chosen = event.target.closest(".tok");
  const link = event.target.closest("[data-select], [data-drawer]");
  if (chosen) {
    event.preventDefault();
    select(chosen.id.slice(2));
  } else if (link?.hasAttribute("data-drawer")) {
    event.preventDefault();
    if (link.dataset.select) select(link.dataset.select);
    openDrawer(link.href);
  } else if (link?.hasAttribute("hx-get")) {
    select(link.dataset.select);
  } else if (link && row(link.dataset.select)) {
    event.preventDefault();
    forget();
    select(link.dataset.select);
  }
});

function move(step) {
  const rows = $$("#columns .tok").filter(visible);
  const at = rows.findIndex((each) => each.id === `t-${selected}`);
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step];
  if (next) select(next.id.slice(2));
  return true;
}

function moveColumn(step) {
  const columns = $$("#columns .col");
  const at = columns.findIndex((column) => $(`#t-${selected}`, column));
  for (let i = at + step; columns[i]; i += step) {
    const first = $$(".tok", columns[i]).find(visible);
    if (first) {
      select(first.id.slice(2));
      break;
    }
  }
  return true;
}

const STEPS = { j: [move, 1], k: [move, -1], ArrowRight: [moveColumn, 1], ArrowLeft: [moveColumn, -1] };
onKey((key) => {
  const [walk, step] = STEPS[key] ?? [];
  return Boolean(walk?.(step));
});

/** An action's answer brings the bar of its token: that one is selected now, unless one has walked on meanwhile. */
let walkedOn = false;
document.addEventListener("htmx:beforeRequest", ({ detail }) => (detail.xhr.selected = selected));
document.addEventListener("htmx:beforeSwap", ({ detail }) => (walkedOn = detail.xhr.selected !== selected), true);
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target.id === "actionbar" && walkedOn) detail.shouldSwap = false;
});
document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id !== "actionbar") return;
  selected = $("#actionbar").dataset.token ?? selected;
  paintSelection();
});

document.addEventListener("drawer:opened", ({ detail }) => {
  const given = $("[data-given]", detail.drawer)?.dataset.given;
  if (given) landed = selected = given;
});
document.addEventListener("drawer:closed", ({ detail }) => {
  // From a find field on to the row, so that the next key is a step and not a letter.
  if (!detail.focused) (row(selected) ?? $("#columns"))?.focus({ preventScroll: true });
});

// --- kept as it was while the server renews it ----------------------------------------------------------------------

const kept = new Map();

/** Before columns are replaced. */
function keep() {
  kept.clear();
  for (const slots of $$(".col > .slots")) kept.set(slots.closest(".col").id, slots.scrollTop);
  kept.set("left", $("#columns")?.scrollLeft);
  kept.set("focus", $("#columns")?.contains(document.activeElement) ? document.activeElement.id : "");
  kept.set("who", $("#tell-list input:checked")?.value);
  kept.set("telling", $("#tell-list")?.contains(document.activeElement));
  // What a person folded or unfolded stays so, unless the reason to be open has changed meanwhile.
  kept.set("folds", $$("#columns details[id]").map((fold) => [fold.id, fold.open, fold.dataset.byItself]));
}

/** After they were replaced. */
function restore() {
  for (const [id, open, byItself] of kept.get("folds") ?? []) {
    const fold = document.getElementById(id);
    if (fold && fold.dataset.byItself === byItself) fold.open = open;
  }
  for (const slots of $$(".col > .slots")) slots.scrollTop = kept.get(slots.closest(".col").id) ?? 0;
  if ($("#columns")) $("#columns").scrollLeft = kept.get("left") ?? 0;
  // Who was about to be told stays chosen, unless somebody else has told them.
  const who = kept.get("who") && $(`#tell-list input[value="${kept.get("who")}"]`);
  if (who) who.checked = true;
  if (kept.get("telling") && document.activeElement === document.body) $("#tell-list input:checked")?.focus({ preventScroll: true });
  const focus = kept.get("focus");
  if (focus && document.activeElement === document.body) document.getElementById(focus)?.focus({ preventScroll: true });
  paintSelection();
  const fresh = landed && row(landed);
  if (fresh) {
    fresh.classList.add("new");
    fresh.scrollIntoView({ block: "nearest", inline: "nearest" });
    landed = null;
  }
}
document.addEventListener("live:before", keep);
document.addEventListener("live:after", restore);

paintSelection();

// --- buttons in the columns, which all desks share --------------------------------------------------------------------

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (form.id !== "call") return;
  event.preventDefault();
  const values = { ...Object.fromEntries(new FormData(form)), idempotency_key: freshKey() };
  submitter.disabled = true;
  // Each button has a queue of its own: of what waits in one, htmx sends the last alone.
  htmx.ajax("POST", submitter.formAction, { source: submitter, values, swap: "none" }).catch(said).finally(() => (submitter.disabled = false));
});

/** A name for this press alone; `crypto.randomUUID` is kept from pages that came without TLS. */
function freshKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
