// The patient's page: it rings and shakes when one is called, if one wants that. Everything else works without.

const ring = document.querySelector("[data-ring]");
const button = ring.querySelector("button");
let sound = null; // an AudioContext: only a press may make one
let lock = null;

const state = () => document.getElementById("state")?.dataset ?? {};
const over = () => ["done", "cancelled", "no_show", "over", "sent_on", "inside", "later", "called"].includes(state().state);
let calls = state().calls;

function beep(at, pitch) {
  const tone = sound.createOscillator();
  const volume = sound.createGain();
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(0.0001, at);
  volume.gain.exponentialRampToValueAtTime(0.4, at + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.6);
  tone.connect(volume).connect(sound.destination);
  tone.start(at);
  tone.stop(at + 0.65);
}

function call() {
  navigator.vibrate?.([400, 200, 400, 200, 400]);
  for (const [wait, pitch] of [[0, 660], [0.5, 880], [1.4, 660], [1.9, 880]]) beep(sound.currentTime + wait, pitch);
}

/** A dark screen hears nothing: while it is to ring, it stays on where the browser lets it. */
async function stayAwake(wanted) {
  if (!wanted) return lock?.release();
  try {
    lock = await navigator.wakeLock?.request("screen");
  } catch {
    lock = null; // the battery is low, or the page is hidden
  }
}

function show() {
  const on = button.getAttribute("aria-pressed") === "true";
  ring.hidden = over();
  ring.querySelector("[data-on]").hidden = !on;
}

button.addEventListener("click", () => {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", on);
  if (on) {
    sound ??= new AudioContext();
    sound.resume();
    navigator.vibrate?.(100);
    beep(sound.currentTime, 880);
  }
  stayAwake(on);
  show();
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && button.getAttribute("aria-pressed") === "true") stayAwake(true);
});

document.addEventListener("live:after", () => {
  const called = state().state === "called" && state().calls !== calls;
  calls = state().calls;
  if (called && button.getAttribute("aria-pressed") === "true") call();
  show();
});

if ("AudioContext" in window) show();
