// The cash desk: rows are walked, a bill is opened beside them, and what is typed is added up for the eye. Nothing that
// is worked out here is sent: the server reckons itself. Without this file everything still works.

import { cents, changeOfFee, count, said } from "./cash-amounts.js";
import { filled } from "./cash-kept.js";
import { $, $$, typing } from "./dom.js";
import { claimDrawer, openDrawer } from "./drawer.js";
import { forget } from "./find.js";
import { control, onEscape, onKey, pressAfter } from "./keys.js";
import { lost, part } from "./line.js";
import { printNow } from "./printer.js";

// What the address says of the drawer alone.
const OWN = ["bill", "receipt", "shift", "moved", "taken", "token", "patient", "do", "split", "payment", "q", "since"];

// --- taking -----------------------------------------------------------------------------------------------------------

const method = (form) => form.elements.method?.value ?? "";
const value = (form, name) => cents(form.elements[name]?.value ?? "") ?? 0;

/** What is handed over, and how much of it is cash, which alone gives change. */
function handed(form) {
  if (form.elements.split) {
    const all = $$("[data-amount]", form).map((field) => [field.dataset.amount, cents(field.value) ?? 0]);
    const cash = all.find(([name]) => name === "cash")?.[1] ?? 0;
    return { cash, other: all.reduce((sum, [, amount]) => sum + amount, 0) - cash };
  }
  return method(form) === "cash" ? { cash: value(form, "received"), other: 0 } : { cash: 0, other: value(form, "amount") };
}

/** The change, what stays due, or what is over: said where it stands, and on the receipt as it will print. */
function reckon() {
  const form = $("#take");
  if (!form) return;
  const due = cents(String($("#bill-sum").dataset.due)) ?? 0;
  const sign = form.dataset.currency.trim();
  const { cash, other } = handed(form);
  const rest = cash + other - due;
  const change = Math.max(0, Math.min(rest, cash));
  const keeps = form.elements.keep.checked;
  form.classList.toggle("over", rest > 0);
  const told = sentence(rest, change, keeps, cash > 0);
  const box = $(".change");
  box.classList.toggle("left", told.name !== "change");
  $("#change-words").textContent = box.dataset[`words${told.name[0].toUpperCase()}${told.name.slice(1)}`];
  $("#change-amount").textContent = said(told.amount, sign);
  const taken = keeps ? cash + other : cash + other - change;
  const words = $("#take-words");
  const says = rest < 0 && taken ? words.dataset.wordsPart : words.dataset.words;
  words.textContent = says.replace("%", taken ? said(taken, sign) : "").replace("@", said(-rest, sign)).trim();
  for (const note of $$("[data-note]", form)) note.setAttribute("aria-pressed", String(cents(note.dataset.note) === cash));
  preview(form, { cash, other, taken, change: keeps ? 0 : change, due: Math.max(0, -rest), sign });
}

function sentence(rest, change, keeps, gives) {
  if (rest < 0 || (!rest && !gives)) return { name: "left", amount: -rest };
  if (keeps && rest > 0) return { name: "kept", amount: rest };
  if (rest > change) return { name: "over", amount: rest - change };
  return { name: "change", amount: change };
}

function preview(form, { cash, other, taken, change, due, sign }) {
  if (!$("#preview")) return;
  $("#preview-how").textContent = $("[name=method]:checked", form)?.closest("label").querySelector(".what").textContent ?? "";
  $("#preview-amount").textContent = said(change ? cash : cash + other || taken, sign).replace(sign, "");
  $("#preview-change").hidden = !change;
  $("#preview-change .end").textContent = said(change, sign).replace(sign, "");
  $("#preview-due").textContent = said(due, sign).replace(sign, "");
}

document.addEventListener("input", ({ target }) => {
  if (target.closest("#take")) reckon();
  if (target.closest("#counting")) count();
  if (target.closest("#priority")) changeOfFee();
  if (target.closest("#refund")) refunding();
});

document.addEventListener("change", ({ target }) => {
  if (target.name === "method") chosen(target);
  if (target.id === "by-line" && target.checked) lastLine().focus();
  if (target.name === "payment") $("#amount").value = target.dataset.left;
  if (target.closest("#take")) reckon();
  if (target.closest("#priority")) changeOfFee();
  if (target.closest("#refund")) refunding();
});

// A finger that taps wants no keyboard on the screen before it asks for one: what was opened is focused, no field of it.
const touch = matchMedia("(pointer: coarse)");
const first = (drawer) => $$("[data-first]", drawer).find((field) => field.checkVisibility());

/** The field that was refused; some are called otherwise by the rule that refuses. */
const CALLED = { discount_reason: "reason", lines: "price", tendered: "received" };
function wrong(drawer) {
  const name = drawer.dataset.wrong;
  const fields = name ? $$(`[name="${CSS.escape(CALLED[name] ?? name)}"]:not([type=radio])`, drawer) : [];
  return fields.find((field) => field.checkVisibility());
}

function focusOn(field) {
  if (!field?.checkVisibility()) return;
  if (touch.matches) return reach($("#drawer-title"));
  field.focus();
  field.select(); // it may have had the focus before this script was there
}

function reach(heading) {
  if (!heading || $("#drawer").contains(document.activeElement)) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/** The way to pay was chosen: how much has the focus, ready to be written over; where that is fixed, the reference. */
function chosen(radio) {
  radio.closest("details")?.setAttribute("open", "");
  const { received, amount, reference } = radio.form.elements;
  const cash = radio.value === "cash";
  const before = radio.form.dataset.way ?? $("[name=method][checked]", radio.form)?.value;
  radio.form.dataset.way = radio.value;
  if (radio.form.id === "take" && (before === "cash") !== cash) carry(cash ? amount : received, cash ? received : amount);
  if (!walking) focusOn(cash ? received ?? amount : amount?.checkVisibility() ? amount : reference);
}

/** A part that was typed is the same part when it is paid in another way. */
function carry(from, to) {
  const part = cents(from.value);
  to.value = part !== null && part < cents($("#bill-sum").dataset.due) ? from.value : to.defaultValue;
}

// With the arrows a radio walks to the next: the focus stays with them.
let walking = false;
document.addEventListener("keydown", ({ key, target }) => (walking = key.startsWith("Arrow") && target.matches("[name=method]")), true);
document.addEventListener("keyup", () => (walking = false));

/** In the amount up and down are the way to pay, and Enter goes on to the reference where one is needed. */
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (!target.matches?.("[data-turns]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (key === "ArrowDown" || key === "ArrowUp") {
    event.preventDefault();
    const ways = [...target.form.elements.method].filter((way) => !way.disabled);
    const way = ways[ways.findIndex((each) => each.checked) + (key === "ArrowDown" ? 1 : -1)];
    if (!way) return;
    way.checked = true;
    way.dispatchEvent(new Event("change", { bubbles: true }));
  }
  const reference = target.form.elements.reference;
  if (key === "Enter" && target.name === "amount" && reference.checkVisibility() && !reference.value.trim()) {
    event.preventDefault();
    reference.focus();
  }
});

document.addEventListener("click", (event) => {
  const note = event.target.closest(".quick [data-note]");
  if (note) {
    const field = note.closest("form").elements.received;
    field.value = note.textContent.trim();
    focusOn(field);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (event.target.closest("[data-more-lines]")) moreLines();
  if (event.target.closest("[data-print-page]")) print();
});

function moreLines() {
  const spare = $(".new-line[data-spare]") ?? $(".new-line:last-child").cloneNode(true);
  delete spare.dataset.spare;
  if (!spare.isConnected) {
    for (const field of $$("select, input", spare)) field.value = field.name === "quantity" ? "1" : "";
    $("#new-lines").append(spare);
  }
  $("select", spare).focus();
}

/** The discount of the line that was chosen last. */
function lastLine() {
  const lines = $$(".new-line:not([data-spare])");
  return $(".off", lines.findLast((line) => $("select", line).value) ?? lines[0]);
}

function refunding() {
  const words = $("#refund-words");
  const amount = cents($("#amount").value);
  if (words && amount) words.textContent = words.dataset.words.replace("%", said(amount, $("#refund .with-unit > span").textContent));
}

// --- rows and what stands beside them ---------------------------------------------------------------------------------

const rows = () => $$("#cash-rows > tr:has(a.row)");
const shown = () => new URLSearchParams(location.search);
let selected = null;

function nameOf(address) {
  const query = new URL(address, location).searchParams;
  const kind = ["bill", "receipt", "shift"].find((each) => query.has(each));
  return kind ? `${kind}-${query.get(kind)}` : null;
}

function paint() {
  for (const link of $$("#cash-rows a.row[aria-current]")) link.removeAttribute("aria-current");
  if (selected) $(`#${selected} a.row`)?.setAttribute("aria-current", "true");
}

/** The address says what is open, so that a reload shows it again. */
function remember(address) {
  const query = new URL(address, location).searchParams;
  const now = shown();
  for (const name of OWN) now.delete(name);
  for (const [name, text] of query) if (OWN.includes(name) && name !== "taken") now.set(name, text);
  history.replaceState(null, "", location.pathname + (now.size ? `?${now}` : ""));
}

function select(row) {
  const link = $("a.row", row);
  selected = row.id;
  paint();
  link.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  pressAfter(load(link.href));
}

/** What a row is about, beside it; the focus stays in the row. */
async function load(address) {
  const wanted = claimDrawer();
  const answer = await part(address, "drawer");
  if (answer?.away || !wanted()) return;
  if (!answer?.ok) {
    $("#drawer").hidden = true; // it is about another row
    $("#drawer").replaceChildren();
    return lost("get");
  }
  $("#drawer").outerHTML = answer.text;
  htmx.process($("#drawer"));
  remember(address);
  reckon();
}

function walk(step) {
  const all = rows();
  const at = all.findIndex((row) => row.id === selected);
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step];
  if (next) select(next);
  return true;
}

const STEPS = { j: 1, k: -1 };
onKey((key) => (key in STEPS && !$("#drawer form.whole") ? walk(STEPS[key]) : false));

/** Where nothing is open the next bill is the first of the list. */
onKey((key) => {
  const first = key === "n" && $("#drawer").hidden && $("#cash-rows a.row");
  if (first) first.click();
  return Boolean(first);
});

/** A scanner types a slip's address, and every address begins with an h: it goes into the field that finds. */
onKey((key) => {
  if (key !== "h") return false;
  const field = $("#command");
  field.focus();
  field.value = "h";
  return true;
});

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const link = event.target.closest("a[data-drawer]");
  if (!link) return;
  event.preventDefault();
  if (link.closest("#results")) forget();
  selected = nameOf(link.href);
  paint();
  openDrawer(link.href);
  remember(link.href);
});

/** An amount has no letters: in its field a letter is a key. A scanned slip is one too. */
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (!target.matches?.(".taking .input.money, .new-line > .input") || !/^[a-z]$/i.test(key) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (key.toLowerCase() === "h") {
    $("#command").focus();
    $("#command").value = "h";
    return;
  }
  const found = control(key.toLowerCase());
  if (!found?.checked) found?.click();
});

/** From a field one step back first: to the way it is paid; out of what took long to fill in, nothing of which is lost. */
onEscape(2.5, () => {
  const field = document.activeElement;
  if (!typing(field)) return false;
  const long = field.closest("#new-bill, #close-shift");
  if (long) {
    field.blur();
    return filled(long);
  }
  if (!field.closest("#take")) return false;
  ($("[name=method]:checked") ?? $("#take-it")).focus();
  return true;
});

document.addEventListener("drawer:opened", ({ detail }) => {
  const taken = $("[data-taken]", detail.drawer)?.dataset.taken;
  const of = taken ? `receipt-${taken}` : null;
  const bill = $("#take")?.getAttribute("action")?.match(/bills\/(\d+)\//)?.[1];
  selected = of ?? (bill ? `bill-${bill}` : selected);
  paint();
  focusOn(wrong(detail.drawer) ?? first(detail.drawer));
  reckon();
  if ($("#counting")) count();
  if ($("#refund")) refunding();
  if (detail.again && $("#take")) followBill();
  printNow();
});

document.addEventListener("drawer:closed", ({ detail }) => {
  const row = selected && document.getElementById(selected);
  remember(location.pathname);
  paint();
  if (!detail.focused) $("a.row", row ?? document)?.focus({ preventScroll: true });
});

// --- what others do ---------------------------------------------------------------------------------------------------

let focused = null;
document.addEventListener("live:before", () => {
  focused = document.activeElement.closest?.("#cash-rows > tr")?.id;
});
document.addEventListener("live:after", () => {
  paint();
  if (focused && document.activeElement === document.body) $(`#${focused} a.row`)?.focus({ preventScroll: true });
  if ($("#take")) followBill();
});

/** The bill that is open was paid or credited elsewhere: its sum is renewed, and what is typed stays. */
async function followBill() {
  const sum = $("#bill-sum");
  const id = $("#take").getAttribute("action").match(/bills\/(\d+)\//)[1];
  const query = new URLSearchParams({ bill: id, version: sum.dataset.version, since: $("#take").elements.since.value });
  const answer = await part(`${location.pathname}?${query}`, "bill-sum");
  if (answer?.status !== 200) return; // what comes next from the stream asks again
  if (!sum.isConnected) return; // another bill stands there by now
  const before = cents(sum.dataset.due);
  sum.outerHTML = answer.text;
  askFor($("#bill-sum").dataset.due, before);
  reckon();
  if ($("#take").contains(document.activeElement)) document.activeElement.scrollIntoView({ block: "nearest" });
}

/** All that is due is still all that is due; a sum that somebody typed is another matter. */
function askFor(due, before) {
  const { received, amount } = $("#take").elements;
  for (const field of [received, amount]) {
    if (!field || !cents(due)) continue;
    field.defaultValue = due;
    if (cents(field.value) === before) field.value = due;
    if (field === document.activeElement) field.select();
  }
}

selected = nameOf(location.href);
paint();
focusOn(wrong($("#drawer")) ?? first($("#drawer")));
reckon();
if ($("#counting")) count();
if ($("#refund")) refunding();
printNow();

// Where the tabs do not all fit, the one that is open is among those that one sees. Not by scrollIntoView(): Tab would go
// on from there.
const tabs = $("#cash-tabs");
const tab = $("[aria-current]", tabs)?.getBoundingClientRect();
if (tab) {
  const { left, right } = tabs.getBoundingClientRect();
  if (tab.right > right || tab.left < left) tabs.scrollLeft += tab.right > right ? tab.right - right + 4 : tab.left - left - 4;
}
