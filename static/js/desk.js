// The desk with the keyboard, and kept as it was while columns are renewed. Without this file everything still works.

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const visible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;

// --- the selected token ---------------------------------------------------------------------------------------------

let selected = $("#actionbar")?.dataset.token ?? null;
let barLoading = null;

function paintSelection() {
  for (const row of $$(".tok[aria-current]")) if (row.id !== `t-${selected}`) row.removeAttribute("aria-current");
  if (selected) $(`#t-${selected}`)?.setAttribute("aria-current", "true");
}

function select(id, { focus = false } = {}) {
  selected = String(id);
  paintSelection();
  const row = $(`#t-${selected}`);
  if (focus && row) {
    row.closest("details.slot").open = true;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  barLoading = loadBar(selected);
  return barLoading;
}

/** The bar of a token; where another was selected meanwhile, that one's bar is on its way. */
async function loadBar(id) {
  const date = new URLSearchParams(location.search).get("date");
  const address = `${location.pathname}?token=${id}${date ? `&date=${date}` : ""}`;
  const answer = await fetch(address, { headers: { "HX-Request": "true", "HX-Target": "actionbar" } });
  const text = await answer.text();
  if (id !== selected || !answer.ok) return;
  $("#actionbar").outerHTML = text;
  htmx.process($("#actionbar"));
}

/** A token is given to the doctor whose column is being worked in, unless the patient's own doctor is known. */
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const column = selected && $(`#t-${selected}`)?.closest(".col");
  if (column && detail.path.includes("?patient=") && !detail.parameters.who) detail.parameters.beside = column.dataset.doctor;
});

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const row = event.target.closest(".tok");
  if (row) {
    event.preventDefault();
    select(row.id.slice(2), { focus: true });
  }
  const link = event.target.closest("[data-select]");
  if (link && !link.hasAttribute("hx-get") && $(`#t-${link.dataset.select}`)) {
    event.preventDefault();
    closeResults();
    select(link.dataset.select, { focus: true });
  } else if (link?.hasAttribute("hx-get")) {
    select(link.dataset.select);
  }
});

function move(step) {
  const rows = $$("#columns .tok").filter(visible);
  const at = rows.findIndex((row) => row.id === `t-${selected}`);
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step];
  if (next) select(next.id.slice(2), { focus: true });
}

function moveColumn(step) {
  const columns = $$("#columns .col");
  const at = columns.findIndex((column) => $(`#t-${selected}`, column));
  for (let i = at + step; columns[i]; i += step) {
    const row = $$(".tok", columns[i]).find(visible);
    if (row) return select(row.id.slice(2), { focus: true });
  }
}

/** An action's answer brings the bar of its token: that one is selected now. */
document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id !== "actionbar") return;
  selected = $("#actionbar").dataset.token ?? selected;
  paintSelection();
});

// --- keys -----------------------------------------------------------------------------------------------------------

let singleKeys = localStorage.getItem("single-keys") !== "off";
const typing = (element) => element.matches("input:not([type=radio], [type=checkbox]), textarea, select");

/** The control that a key presses: what the drawer offers stands before the bar, the bar before the page. */
function control(key) {
  // While a form is being filled in, a letter that misses its field must not do anything to the selected token.
  const places = $("#drawer form.whole") ? ["#drawer"] : ["#drawer:not([hidden])", "#actionbar", ".desk-head", ".bar"];
  for (const place of places) {
    const found = $$(`${place} [data-key="${CSS.escape(key)}"]`).find((element) => visible(element) || element.closest("details"));
    if (found) return found;
  }
}

function press(element) {
  if (element.matches("select")) element.focus();
  else if (element.matches("input")) {
    element.checked = true;
    element.focus();
    element.dispatchEvent(new Event("change", { bubbles: true }));
  } else element.click();
}

/** Up and down choose among the slots of the chosen source; the focus need not be there. */
function chooseSlot(step) {
  const slots = $$("#drawer .offers input[type=radio], #drawer [data-arrows] input[type=radio]").filter((input) => visible(input.closest("label")) && !input.disabled);
  if (!slots.length) return false;
  const at = slots.findIndex((input) => input.checked);
  const next = slots[Math.min(slots.length - 1, Math.max(0, at + step))];
  next.checked = true;
  next.closest("label").scrollIntoView({ block: "nearest" });
  return true;
}

function escape() {
  const menu = $("details.me[open], details.more-steps[open]");
  if (menu) menu.open = false;
  else if ($("#results").childElementCount) closeResults();
  else if (!$("#drawer").hidden) closeDrawer();
  else $("#toasts").replaceChildren();
}

async function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || $("dialog[open]")) return;
  const { key, target } = event;
  if (drawerLoading && key !== "Tab") {
    // Fast fingers: what is pressed while the drawer is on its way belongs to the drawer.
    event.preventDefault();
    await drawerLoading;
    return typing(document.activeElement) ? type(document.activeElement, key) : act(key);
  }
  if (key === "Escape") return escape();
  if (inResults(event) || typing(target)) return;
  // A focused link or button does its own work; a radio submits its form and walks with left and right.
  if (key === "Enter" && target.matches("a:not(.tok), button, summary, input")) return;
  if ((key === "ArrowLeft" || key === "ArrowRight") && target.matches("input")) return;
  if (act(key)) event.preventDefault();
}

/** A key that came before the field had the focus. */
function type(field, key) {
  if (key === "Enter") field.form?.requestSubmit();
  else if (key.length === 1 && !field.matches("select")) {
    field.setRangeText(key, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** What a key does; true where it did something. */
function act(key) {
  if (key === "ArrowDown" || key === "ArrowUp") return chooseSlot(key === "ArrowDown" ? 1 : -1);
  if (key === "ArrowLeft" || key === "ArrowRight") return moveColumn(key === "ArrowRight" ? 1 : -1), true;
  if (key === "Enter") {
    const button = control("Enter");
    button?.click();
    return Boolean(button);
  }
  if (!singleKeys || key.length > 1) return false;
  if (key === "j" || key === "k") return move(key === "j" ? 1 : -1), true;
  // A quick key after J belongs to the row that J chose.
  Promise.resolve(barLoading).then(() => {
    const found = control(key.toLowerCase());
    if (found) press(found);
  });
  return true;
}
document.addEventListener("keydown", onKey);

const keysDialog = $("#keys");
$("#single-keys").checked = singleKeys;
$("#single-keys").addEventListener("change", (event) => {
  singleKeys = event.target.checked;
  localStorage.setItem("single-keys", singleKeys ? "on" : "off");
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys-open]")) keysDialog.showModal();
  const filler = event.target.closest("[data-fill]");
  if (filler) {
    const field = filler.form.elements[filler.dataset.fill];
    field.value = filler.textContent.trim();
    field.focus();
  }
});

// --- finding --------------------------------------------------------------------------------------------------------

function closeResults() {
  $("#results").replaceChildren();
  const command = $("#command");
  if (document.activeElement === command) command.blur();
  command.value = "";
}

/** Arrows walk from a find field through what was found; Enter takes the first. */
function inResults(event) {
  const field = event.target.closest("#command, #find");
  const list = field ? $(field.id === "command" ? "#results" : "#found") : event.target.closest("#results, #found");
  if (!list) return false;
  const links = $$("[data-found]", list);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const at = links.indexOf(document.activeElement);
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    (links[next] ?? (next < 0 ? $(list.id === "results" ? "#command" : "#find") : null))?.focus();
    return true;
  }
  if (event.key === "Enter" && field) {
    event.preventDefault();
    takeFirst(field, list);
    return true;
  }
  return false;
}

/** Enter may come before the answer to what was typed: then the first of that answer is taken. */
function takeFirst(field, list) {
  if (list.dataset.text === field.value.trim()) return $("[data-found]", list)?.click();
  list.dataset.take = field.value.trim();
  drawerComes();
}

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  const list = detail.target;
  if (list.id !== "results" && list.id !== "found") return;
  list.dataset.text = detail.requestConfig.parameters.q?.trim?.() ?? new URLSearchParams(detail.pathInfo.requestPath.split("?")[1]).get("q") ?? "";
  if (list.dataset.take === list.dataset.text && list.dataset.take) {
    delete list.dataset.take;
    const first = $("[data-found]", list);
    first?.click();
    if (!first?.hasAttribute("hx-get")) drawerLoaded();
  }
});

// --- the drawer -----------------------------------------------------------------------------------------------------

let cameFrom = null;

async function closeDrawer() {
  const drawer = $("#drawer");
  drawer.hidden = true;
  drawer.replaceChildren();
  history.replaceState(null, "", location.pathname + keptQuery());
  // Back to where one came from; from a find field on to the row, so that the next key is a step and not a letter.
  const back = cameFrom?.isConnected && !typing(cameFrom) ? cameFrom : $(`#t-${selected}`) ?? $("#columns");
  back.focus({ preventScroll: true });
}

function keptQuery() {
  const query = new URLSearchParams(location.search);
  for (const name of ["give", "q", "patient", "given", "do", "register", "token", "slot", "who", "source"]) query.delete(name);
  return query.size ? `?${query}` : "";
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-close]")) return;
  event.preventDefault();
  closeDrawer();
});

let drawerLoading = null;
let drawerLoaded = () => {};

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.target?.id !== "drawer") return;
  if ($("#drawer").hidden) cameFrom = document.activeElement;
  if (typing(document.activeElement)) document.activeElement.blur();
  drawerComes();
});

/** From now on until it is there, keys are kept for it. */
function drawerComes() {
  drawerLoading ??= new Promise((resolve) => {
    drawerLoaded = () => {
      drawerLoading = null;
      resolve();
    };
  });
}
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  // Settled by then, or failed.
  if (detail.target?.id === "drawer" || !detail.successful) setTimeout(() => drawerLoaded(), 60);
});

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.elt.id !== "drawer") return;
  if (detail.elt.hidden) return;
  closeResultsQuietly();
  ($("[autofocus]", detail.elt) ?? $("a, button, input:not([type=hidden])", detail.elt))?.focus();
  const given = $("[data-given]", detail.elt)?.dataset.given;
  if (given) landed = selected = given;
  drawerLoaded();
});

function closeResultsQuietly() {
  $("#results").replaceChildren();
  $("#command").value = "";
}

// --- kept as it was while the server renews it ----------------------------------------------------------------------

let landed = null;
const kept = new Map();

function keep() {
  kept.clear();
  for (const slots of $$(".col > .slots")) kept.set(slots.closest(".col").id, slots.scrollTop);
  kept.set("left", $("#columns").scrollLeft);
  kept.set("focus", $("#columns").contains(document.activeElement) ? document.activeElement.id : "");
  // What a person folded or unfolded stays so, unless the reason to be open has changed meanwhile.
  kept.set("folds", $$("#columns details[id]").map((fold) => [fold.id, fold.open, fold.dataset.byItself]));
}

function restore() {
  for (const [id, open, byItself] of kept.get("folds") ?? []) {
    const fold = document.getElementById(id);
    if (fold && fold.dataset.byItself === byItself) fold.open = open;
  }
  for (const slots of $$(".col > .slots")) slots.scrollTop = kept.get(slots.closest(".col").id) ?? 0;
  $("#columns").scrollLeft = kept.get("left") ?? 0;
  const focus = kept.get("focus");
  if (focus && document.activeElement === document.body) document.getElementById(focus)?.focus({ preventScroll: true });
  paintSelection();
  if (landed && $(`#t-${landed}`)) {
    $(`#t-${landed}`).classList.add("new");
    $(`#t-${landed}`).scrollIntoView({ block: "nearest", inline: "nearest" });
    landed = null;
  }
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.requestConfig.elt.id === "poller") keep();
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.requestConfig.elt.id !== "poller") return;
  heard(detail.successful || detail.xhr.status === 204);
  if (detail.successful && detail.xhr.status === 200) restore();
});

// --- live, or since when not ----------------------------------------------------------------------------------------

let lastHeard = new Date();

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

if (!$("#drawer").hidden) $("#drawer [autofocus]")?.focus();
paintSelection();
if ($("[data-given]")) landed = selected;
