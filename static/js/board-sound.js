// The sounds of a screen: a chime of two tones, and the browser's own voices. What the browser does not allow, or has
// no voice for, is left out; it is never an error, and `on` tells.

const LONGEST_SENTENCE = 20_000;
const LONGEST_CHIME = 3_000;
const TONES = [
  { pitch: 659.3, at: 0 },
  { pitch: 523.3, at: 0.35 },
];

/** The best voice for a language such as hi-IN: of its country, else of the language; a local one before a distant. */
export function voiceFor(lang, voices) {
  const plain = (text) => text.toLowerCase().replace("_", "-");
  const own = voices.filter((voice) => plain(voice.lang).split("-")[0] === plain(lang).split("-")[0]);
  const points = (voice) => 2 * (plain(voice.lang) === plain(lang)) + Boolean(voice.localService);
  return own.sort((one, other) => points(other) - points(one))[0];
}

/** Ends with the promise, or after so many milliseconds. */
function atMost(milliseconds, promise) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class Speaker {
  constructor({ storage, changed = () => {} }) {
    this.storage = storage;
    this.changed = changed;
    this.voice = window.speechSynthesis ?? null;
    this.audio = null;
    this.wanted = this.read() !== "off";
    this.voice?.addEventListener?.("voiceschanged", () => this.changed());
    if (this.wanted) this.open();
  }

  /** Whether it may be heard: somebody wants it, and the browser lets it. */
  get on() {
    return this.wanted && this.audio?.state === "running";
  }

  get voices() {
    return this.voice?.getVoices() ?? [];
  }

  /** On a press: browsers let a page be heard once somebody has touched it. */
  async turnOn() {
    this.wanted = true;
    this.write("on");
    this.open();
    try {
      await atMost(1_000, this.audio?.resume());
    } catch {
      // not allowed: `on` stays false, and the button stays where it is
    }
    this.changed();
  }

  turnOff() {
    this.wanted = false;
    this.write("off");
    this.voice?.cancel();
    this.changed();
  }

  open() {
    if (this.audio || !window.AudioContext) return;
    this.audio = new AudioContext();
    this.audio.addEventListener?.("statechange", () => this.changed());
  }

  async chime() {
    if (!this.on) return;
    const last = TONES.map(({ pitch, at }) => this.tone(pitch, this.audio.currentTime + at)).at(-1);
    await atMost(LONGEST_CHIME, new Promise((resolve) => (last.onended = resolve)));
  }

  /** A soft tone that dies away. */
  tone(pitch, at) {
    const source = this.audio.createOscillator();
    const loudness = this.audio.createGain();
    source.frequency.value = pitch;
    loudness.gain.setValueAtTime(0, at);
    loudness.gain.linearRampToValueAtTime(0.4, at + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.001, at + 0.9);
    source.connect(loudness).connect(this.audio.destination);
    source.start(at);
    source.stop(at + 0.95);
    return source;
  }

  /** Speak a sentence, where there is a voice for its language; a foreign one would read it wrong. */
  async say({ lang, text }) {
    const voice = voiceFor(lang, this.voices);
    if (!voice || !this.on) return;
    const words = new SpeechSynthesisUtterance(text);
    words.voice = voice;
    words.lang = voice.lang;
    words.rate = 0.9;
    const ended = new Promise((resolve) => (words.onend = words.onerror = resolve));
    this.voice.speak(words);
    await atMost(LONGEST_SENTENCE, ended.then(() => (words.done = true)));
    // A voice that never ends would hold up all calls after it.
    if (!words.done) this.voice.cancel();
  }

  read() {
    try {
      return this.storage.getItem("board-sound");
    } catch {
      return null;
    }
  }

  write(value) {
    try {
      this.storage.setItem("board-sound", value);
    } catch {
      // it holds until the page is left
    }
  }
}
