// The reports: a choice is asked for at once, P prints, and what is printed has its figures open.

import { $, $$ } from "./dom.js";

const form = $("#narrow");
form.addEventListener("change", ({ target }) => {
  // Another department has other doctors.
  if (target.name === "department") form.elements.doctor.value = "";
  if (target.checkValidity()) form.requestSubmit();
});
// The date stands outside the form's element, so its changes do not pass by there.
form.elements.date.addEventListener("change", ({ target }) => target.value && form.requestSubmit());

$("[data-print]").addEventListener("click", () => print());

let opened = [];
addEventListener("beforeprint", () => {
  opened = $$("details.data:not([open])");
  for (const each of opened) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of opened) each.open = false;
});
