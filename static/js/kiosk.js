// The kiosk: figures to press, the slip that prints, and the way back to the start.

const { home, rest } = document.body.dataset;

// --- back to the start ----------------------------------------------------------------------------------------------

let timer = 0;
const leave = () => location.replace(home);
function touched() {
  clearTimeout(timer);
  if (rest) timer = setTimeout(leave, Number(rest) * 1000);
}
for (const kind of ["pointerdown", "keydown", "input", "scroll"]) addEventListener(kind, touched, { passive: true });
touched();
// "Done" leaves nothing to go back to.
for (const link of document.querySelectorAll(`a[href="${home}"]`)) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    leave();
  });
}
// A page that the browser kept is not shown again to the next one.
addEventListener("pageshow", (event) => event.persisted && leave());

// --- the clock on the wall ------------------------------------------------------------------------------------------

const clock = document.getElementById("clock");
if (clock) {
  const [hours, minutes] = clock.textContent.split(":").map(Number);
  const opened = Date.now();
  setInterval(() => {
    const at = hours * 60 + minutes + Math.floor((Date.now() - opened) / 60_000);
    clock.textContent = [Math.floor(at / 60) % 24, at % 60].map((part) => String(part).padStart(2, "0")).join(":");
  }, 5_000);
}

// --- figures --------------------------------------------------------------------------------------------------------

const pad = document.querySelector(".pad");
if (pad) {
  pad.hidden = false;
  const fields = [...document.querySelectorAll(".entry input")];
  let field = fields[0];
  for (const each of fields) each.addEventListener("focus", () => (field = each));
  pad.addEventListener("click", (event) => {
    const { figure, clear, delete: last } = event.target.closest("button")?.dataset ?? {};
    if (figure && field.value.length < field.maxLength) field.value += figure;
    if (clear !== undefined) field.value = "";
    if (last !== undefined) field.value = field.value.slice(0, -1);
    field.focus();
  });
}

// A press is sent once: the next page takes a moment, and a finger is impatient.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}

if ("print" in document.body.dataset) addEventListener("load", () => print());
