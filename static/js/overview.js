// The overview: J and K walk through the doctors, the panel beside shows the column of the one who is selected. Without
// this file a row leads to the column at the desk.

import { $, $$, typing } from "./dom.js";
import { claimDrawer } from "./drawer.js";
import { onKey, pressAfter } from "./keys.js";
import { lost, part } from "./line.js";

const rows = () => $$("#ov-rows > [role=row]");
let selected = $("#ov-rows > [aria-current]")?.id ?? null;

function paint() {
  for (const row of rows()) row.removeAttribute("aria-current");
  if (selected) document.getElementById(selected)?.setAttribute("aria-current", "true");
}

function select(row) {
  selected = row.id;
  paint();
  $("a.row", row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  pressAfter(load(row.id));
}

/** The panel of a doctor; where another was selected meanwhile, that one's is on its way. The focus stays in the row. */
async function load(id) {
  const wanted = claimDrawer();
  const address = $(".hall").dataset.panel + id.slice(3);
  const answer = await part(address, "drawer");
  if (!answer) return lost("get");
  if (answer.away || !wanted() || !answer.ok) return;
  const slots = $("#drawer .slots");
  const top = slots?.closest(".col").id === `col-${id.slice(3)}` ? slots.scrollTop : 0;
  $("#drawer").outerHTML = answer.text;
  htmx.process($("#drawer"));
  if (top) $("#drawer .slots").scrollTop = top;
}

function walk(step) {
  const all = rows();
  const at = all.findIndex((row) => row.id === selected);
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step];
  if (next) select(next);
  return true;
}

const STEPS = { j: 1, k: -1 };
onKey((key) => (key in STEPS ? walk(STEPS[key]) : false));

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const named = event.target.closest("[data-row-of]");
  const row = named ? document.getElementById(named.dataset.rowOf) : event.target.closest("#ov-rows > [role=row]");
  if (!row) return;
  event.preventDefault();
  select(row);
});

document.addEventListener("drawer:closed", () => {
  const row = selected && document.getElementById(selected);
  selected = null;
  paint();
  if (row) $("a.row", row).focus({ preventScroll: true });
});

// What comes through the stream: the row keeps its focus, the panel follows its doctor.
let focused = null;
document.addEventListener("live:before", () => {
  focused = document.activeElement.closest?.("#ov-rows > [role=row]")?.id;
});
document.addEventListener("live:after", ({ detail }) => {
  paint();
  if (focused && document.activeElement === document.body) $("a.row", document.getElementById(focused) ?? document)?.focus({ preventScroll: true });
  const shown = $("#drawer > .col");
  if (selected && shown && detail.ids.includes(selected) && !typing(document.activeElement)) load(selected);
});
