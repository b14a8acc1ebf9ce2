// Voices and a chime that make no sound: each begins when it is asked for and ends when the test says so.
// However slow the machine is, no chime is given up for its length: the test ends it.
const later = window.setTimeout;
window.setTimeout = (work, wait, ...more) => (wait === 3_000 ? 0 : later(work, wait, ...more));
window.heard = [];
window.pending = [];
const begin = (what, end) => {
  window.heard.push(what);
  window.pending.push(() => {
    window.heard.push(`/${what}`);
    end();
  });
};
/** End what sounds now; how many still sound. */
window.finish = () => {
  window.pending.shift()?.();
  return window.pending.length;
};

window.SpeechSynthesisUtterance = class {
  constructor(text) {
    this.text = text;
  }
};
Object.defineProperty(window, "speechSynthesis", {
  value: {
    getVoices: () => [{ lang: "en-GB" }, { lang: "en-IN" }, { lang: "hi_IN", localService: true }],
    addEventListener() {},
    cancel() {},
    speak: (words) => begin(`${words.lang}: ${words.text}`, () => words.onend?.()),
  },
});

const gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
let tones = 0;
window.AudioContext = class extends EventTarget {
  state = window.blocked ? "suspended" : "running";
  currentTime = 0;
  destination = {};
  async resume() {
    this.state = "running";
    this.dispatchEvent(new Event("statechange"));
  }
  createGain() {
    return { gain, connect: (next) => next };
  }
  createOscillator() {
    const tone = { frequency: {}, connect: (next) => next, start() {}, stop: () => ++tones % 2 || begin("chime", () => tone.onended?.()) };
    return tone;
  }
};
