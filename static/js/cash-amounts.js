// Amounts at the cash desk, in cents, for the eye alone; and the count of a drawer.

import { $, $$ } from "./dom.js";

/** What a field says, in cents; null where it is no amount. */
export function cents(text) {
  const kept = text.replace(/[\s,]/g, "").replace(/^[^\d.]{0,4}/, "");
  if (!/^(\d{1,12}(\.\d{0,2})?|\.\d{1,2})$/.test(kept)) return null;
  const [whole, part = ""] = kept.split(".");
  return Number(whole || 0) * 100 + Number(part.padEnd(2, "0"));
}

/** An amount as the server writes it: the grouping is taken from the page's currency. */
export function said(amount, sign) {
  const grouped = new Intl.NumberFormat(sign === "₹" ? "en-IN" : "en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return `${amount < 0 ? "−" : ""}${sign}${grouped.format(Math.abs(amount) / 100)}`;
}

/** The change of a fixed fee, or what is missing of it. */
export function changeOfFee() {
  const fee = $("[data-fee]");
  const { method, received } = fee.form.elements;
  const handed = cents(received.value) ?? 0;
  const over = method.value === "cash" ? handed - cents(fee.value) : 0;
  const words = $("#change-words");
  words.textContent = over < 0 ? words.dataset.wordsLess : words.dataset.wordsChange;
  $("#change-amount").textContent = said(Math.abs(over), fee.dataset.currency);
  for (const note of $$("[data-note]", fee.form)) note.setAttribute("aria-pressed", String(cents(note.dataset.note) === handed));
}

/** What was counted, by note and in all, and how far it is from what is expected. */
export function count() {
  const box = $("#counting");
  const sign = box.dataset.currency;
  let sum = 0;
  let any = false;
  for (const field of $$("input[data-note]", box)) {
    const many = /^\d{1,6}$/.test(field.value.trim()) ? Number(field.value) : 0;
    any ||= field.value.trim() !== "";
    sum += many * cents(field.dataset.note);
    $("[data-sum]", field.closest("tr")).textContent = many ? said(many * cents(field.dataset.note), sign).replace(sign, "") : "";
  }
  $("#counted-sum").textContent = said(sum, sign);
  const off = sum - cents(box.dataset.expected.replace("-", ""));
  const line = $("#difference");
  line.hidden = !any;
  line.classList.toggle("off", off !== 0);
  line.textContent = (off > 0 ? line.dataset.over : off < 0 ? line.dataset.under : line.dataset.even).replace("%", said(Math.abs(off), sign));
  $("#reason").required = any && off !== 0;
}
