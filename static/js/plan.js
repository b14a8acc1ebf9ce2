// The form of a change: a number is ready to be written over, and a ready-made reason fills the field.

document.addEventListener("click", (event) => {
  const filler = event.target.closest("[data-fill]");
  if (!filler || document.querySelector("#actionbar")) return;
  const field = filler.form.elements[filler.dataset.fill];
  field.value = filler.textContent.trim();
  field.focus();
});
document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-select-all]")) event.target.select();
});
for (const field of document.querySelectorAll("[data-select-all][autofocus]")) field.select();
