// A page that stays true while it is open. <body data-stream="/desk/stream/" data-seen="VERSION">: what changed comes as
// whole elements that replace those of the same id. An element with data-parts keeps the children it names, in order.
// <x id="live"> says whether the page is live, or since when not. Events on document: live:before and live:after with
// detail.ids around each change, live:stale and live:fresh. Without scripts the page is what it was when it was opened.

const SILENCE = 20_000; // the server says something every 8 seconds
const LASTED = 5_000;
const OLD_DAY = 410;
const GONE = [401, 403, 404, OLD_DAY]; // signed out, not allowed any more, not there, opened yesterday
const LONGEST = 10_000;
const LONGEST_PRESS = 2_000;
const AFTER_PRESS = 50;

const body = document.body;
const sign = () => document.getElementById("live");
let seen = body.dataset.seen ?? "";
let open = null; // the request of the stream
let failures = 0;
let lastHeard = new Date();
let fresh = null;
let timer = 0;
let watchdog = 0;

function tell(name, detail = {}) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

function say(isFresh) {
  // The clock of the house, in the figures that the rest of the page has, also in Arabic.
  const clock = lastHeard.toLocaleTimeString("en-GB", { timeZone: body.dataset.zone, hour: "2-digit", minute: "2-digit" });
  const place = sign();
  if (place) {
    place.hidden = false;
    delete place.dataset.unheard;
    place.classList.toggle("stale", !isFresh);
    const words = isFresh ? (place.dataset.fresh ?? "Live") : (place.dataset.stale ?? "Not live since %").replace("%", clock);
    if (place.textContent !== words) place.textContent = words;
  }
  if (fresh === isFresh) return;
  fresh = isFresh;
  tell(isFresh ? "live:fresh" : "live:stale", { since: lastHeard, clock });
}

function heard() {
  lastHeard = new Date();
  clearTimeout(watchdog);
  watchdog = setTimeout(() => open?.abort("silence"), SILENCE);
  say(true);
}

// --- what comes into the page ---------------------------------------------------------------------------------------

function element(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

function put(texts) {
  const parts = texts.map(element);
  tell("live:before", { ids: parts.map((part) => part.id) });
  const changed = [];
  for (const part of parts.filter((each) => !("parts" in each.dataset))) {
    changed.push(part);
    document.getElementById(part.id)?.replaceWith(part);
  }
  for (const part of parts.filter((each) => "parts" in each.dataset)) arrange(part, changed);
  for (const part of changed) window.htmx?.process(part);
  tell("live:after", { ids: parts.map((part) => part.id) });
}

/** Who is still named stays where it stands, so that nothing in it loses focus or place; the rest comes or goes. */
function arrange({ id, dataset }, changed) {
  const place = document.getElementById(id);
  if (!place) return;
  const come = new Map(changed.map((part) => [part.id, part]));
  const stay = new Map([...place.children].map((child) => [child.id, child]));
  const wanted = dataset.parts.split(" ").map((name) => stay.get(name) ?? come.get(name)).filter(Boolean);
  for (const child of [...place.children]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((child, at) => {
    if (place.children[at] !== child) place.insertBefore(child, place.children[at] ?? null);
  });
  place.dataset.parts = dataset.parts;
  place.dataset.count = wanted.length;
}

async function take(block) {
  let version = seen;
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) version = line.slice(4);
    else if (line.startsWith("data: ")) {
      const texts = JSON.parse(line.slice(6));
      await pressing;
      put(texts);
    }
  }
  seen = version; // what could not be put into the page was not seen, and is asked for again
}

// A button that is replaced between press and release is not pressed: what comes meanwhile waits for the release.
let pressing = null;
let release = () => {};

function pressed() {
  release();
  pressing = new Promise((resolve) => (release = resolve));
  setTimeout(release, LONGEST_PRESS);
}

addEventListener("pointerdown", pressed, true);
addEventListener("keydown", ({ key, repeat }) => key === " " && !repeat && pressed(), true);
// A finger's click comes after the finger has left.
for (const name of ["pointerup", "pointercancel", "keyup"]) addEventListener(name, () => setTimeout(release, AFTER_PRESS), true);

// --- the stream -----------------------------------------------------------------------------------------------------

async function listen() {
  clearTimeout(timer);
  if (open || document.hidden) return;
  const mine = (open = new AbortController());
  const began = Date.now();
  try {
    const answer = await fetch(body.dataset.stream, { headers: { "Last-Event-ID": seen }, signal: mine.signal, cache: "no-store" });
    if (answer.ok) await read(answer.body.pipeThrough(new TextDecoderStream()).getReader());
    else if (GONE.includes(answer.status) && !(answer.status === OLD_DAY && writing())) return leave();
  } catch {
    // Broken, silent, or closed by us: what comes next is the same.
  }
  if (open !== mine) return;
  open = null;
  clearTimeout(watchdog);
  // Whose stream lasted comes back at once; all others by and by, so that not all knock together.
  failures = Date.now() - began > LASTED ? 0 : failures + 1;
  if (failures) say(false);
  const wait = failures ? Math.min(LONGEST, 250 * 2 ** failures) * (0.5 + Math.random()) : 100 * Math.random();
  timer = setTimeout(listen, wait);
}

async function read(reader) {
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) await take(block);
  }
}

/** Somebody is filling something in: at midnight that is not thrown away. */
const writing = () => Boolean(document.activeElement?.matches("input, textarea, select"));

/** The page itself says what is the matter when it is opened anew. Once, for it may know better. */
function leave() {
  open = null;
  say(false);
  const last = Number(sessionStorage.getItem("live-left"));
  if (Date.now() - last < 60_000) return;
  sessionStorage.setItem("live-left", Date.now());
  location.reload();
}

function close() {
  clearTimeout(timer);
  open?.abort("hidden");
  open = null;
}

if (body.dataset.stream) {
  // A browser keeps six connections to a host: pages that nobody looks at give theirs back.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : listen()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", listen);
  addEventListener("online", listen);
  // A stream that is cut off hears nothing of it: without this the page would believe it for as long as SILENCE.
  addEventListener("offline", () => open?.abort("offline"));
  listen();
}
