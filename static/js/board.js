// The screen of a waiting hall: its clock, its pages where not all rooms fit, what is said aloud, and whether it is live.
// live.js brings the rooms and the calls; nothing here asks the server for them.

import { Announcer, Memory } from "./board-announcer.js";
import { Speaker, voiceFor } from "./board-sound.js";
import "./keys.js";

const PAGE_LASTS = 12_000;
const BUTTON_LASTS = 4_000;
const SYNCHRONISED = 600_000;

const body = document.body;
const byId = (id) => document.getElementById(id);
const data = (id) => JSON.parse(byId(id)?.textContent || "[]");

// --- the time: the server's, for a screen's own clock is often wrong ---------------------------------------------------

let ahead = Number(body.dataset.now) * 1000 - performance.now();
const now = () => ahead + performance.now();
const wall = new Intl.DateTimeFormat("en-GB", { timeZone: body.dataset.zone, hour: "2-digit", minute: "2-digit" });

async function synchronise() {
  try {
    const answer = await fetch("/healthz", { method: "HEAD", cache: "no-store" });
    const date = Date.parse(answer.headers.get("Date"));
    if (answer.ok && date) ahead = date + 500 - performance.now();
  } catch {
    // the clock goes on by itself
  }
}

// --- what is said aloud -------------------------------------------------------------------------------------------------

const speaker = new Speaker({ storage: localStorage, changed: showSound });
const announcer = new Announcer({
  speaker,
  memory: new Memory(localStorage, `board-said ${location.pathname}`),
  now,
  begins(call) {
    byId("said").textContent = call.say[0]?.text ?? "";
    turnTo(rowOf(call));
  },
  ends() {
    turned = now();
  },
});

function rowOf(call) {
  return rows().findIndex((row) => row.dataset.calls.split(" ").includes(call.id));
}

function showSound() {
  const sound = speaker?.on ? "on" : "off";
  if (body.dataset.sound !== sound) body.dataset.sound = sound;
  const list = byId("voices");
  const lines = data("spoken").map(({ lang, name }) => {
    const words = voiceFor(lang, speaker?.voices ?? []) ? list.dataset.found : list.dataset.missing;
    return Object.assign(document.createElement("li"), { textContent: words.replace("{language}", name) });
  });
  list.replaceChildren(...lines);
}

async function testSound() {
  await speaker.turnOn();
  await announcer.speaking;
  await speaker.chime();
  for (const sentence of data("spoken")) await speaker.say(sentence);
}

// --- pages, where not all rooms fit -------------------------------------------------------------------------------------

let page = 0;
let pages = 1;
let turned = now();

const rows = () => [...document.querySelectorAll("#rooms .r")];

/** Rows that fit: none lower than what can be read from afar, in one column or two. */
function fitting(count) {
  const place = byId("rooms").getBoundingClientRect();
  const upright = place.height > place.width * 0.75;
  const least = Math.max(upright ? 64 : 48, (upright ? 0.034 : 0.055) * innerHeight);
  const most = Math.max(1, Math.floor(place.height / least));
  const columns = !upright && count > 8 && place.width >= 900 ? 2 : 1;
  return { columns, most: most * columns };
}

/** Lay the rooms out anew; the rows of other pages are not there for anybody. */
function arrange() {
  const all = rows();
  const grid = document.querySelector("#rooms .grid");
  if (!grid) return showPage();
  const { columns, most } = fitting(all.length);
  pages = Math.max(1, Math.ceil(all.length / most));
  page = Math.min(page, pages - 1);
  const each = Math.ceil(all.length / pages);
  all.forEach((row, at) => (row.hidden = Math.floor(at / each) !== page));
  const letters = [...grid.querySelectorAll(".num")].map((number) => number.textContent.length);
  grid.dataset.laid = "";
  grid.style.setProperty("--letters", Math.max(5, ...letters));
  grid.style.setProperty("--columns", columns);
  grid.style.setProperty("--rows", Math.ceil(each / columns));
  showPage();
}

function showPage() {
  const place = byId("pages");
  place.hidden = pages < 2;
  place.textContent = place.dataset.words.replace("{page}", page + 1).replace("{pages}", pages);
}

function turnTo(row) {
  if (row < 0 || pages < 2) return;
  page = Math.floor(row / Math.ceil(rows().length / pages));
  turned = now();
  arrange();
}

function tick() {
  const time = wall.format(now());
  const clock = byId("clock");
  if (clock.textContent !== time) clock.textContent = time;
  if (pages < 2 || announcer.busy || now() - turned < PAGE_LASTS) return;
  page = (page + 1) % pages;
  turned = now();
  arrange();
}

// --- whether it is live -------------------------------------------------------------------------------------------------

let back = true;

function stale(since) {
  back = true;
  body.dataset.state = "stale";
  // A region that is shown and then filled is read out.
  byId("stale").hidden = false;
  const time = wall.format(now() - Math.max(0, Date.now() - since));
  for (const place of document.querySelectorAll("#stale [data-words]")) place.textContent = place.dataset.words.replace("{time}", time);
  arrange();
}

function fresh() {
  body.dataset.state = "live";
  byId("stale").hidden = true;
  arrange();
}

function renewed() {
  arrange();
  announcer.hear(data("calls"), { back });
  back = false;
}

// --- the screen stays on, and its button goes ---------------------------------------------------------------------------

async function stayAwake() {
  try {
    if (!document.hidden) await navigator.wakeLock?.request("screen");
  } catch {
    // a weak battery, or a browser that does not let us
  }
}

let still = 0;

function moved() {
  body.classList.add("moved");
  clearTimeout(still);
  still = setTimeout(() => body.classList.remove("moved"), BUTTON_LASTS);
}

function visible() {
  back ||= document.hidden;
  stayAwake();
}

document.addEventListener("live:stale", (event) => stale(event.detail.since));
document.addEventListener("live:fresh", fresh);
document.addEventListener("live:after", renewed);
document.addEventListener("visibilitychange", visible);
addEventListener("resize", arrange);
addEventListener("pointermove", moved);
addEventListener("pointerdown", moved);
byId("sound-on").addEventListener("click", () => speaker.turnOn());
byId("sound-off").addEventListener("click", () => speaker.turnOff());
byId("sound-test").addEventListener("click", testSound);
byId("setup").addEventListener("click", () => byId("settings").showModal());
byId("settings").addEventListener("click", (event) => event.target.closest("[data-close]") && byId("settings").close());
setInterval(tick, 1000);
setInterval(synchronise, SYNCHRONISED);

body.classList.add("scripted");
showSound();
arrange();
tick();
stayAwake();
announcer.hear(data("calls"), { back });
