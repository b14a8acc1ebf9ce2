// Which calls a screen announces, when, and in which order. Nothing here knows the page: the speaker, the memory and
// the clock are given, so a test gives its own.

/** A call older than this when the screen comes (back) is shown and not spoken: who was meant has heard or gone in. */
export const OLD = 60_000;

/** The calls that a screen has announced, kept through reloads. Where nothing can be stored, it forgets at a reload. */
export class Memory {
  static MOST = 300;

  constructor(storage, name) {
    this.storage = storage;
    this.name = name;
    this.ids = new Set();
    try {
      const kept = JSON.parse(storage.getItem(name) ?? "[]");
      if (Array.isArray(kept)) this.ids = new Set(kept);
    } catch {
      // a stranger's text, or a browser that stores nothing
    }
  }

  has(id) {
    return this.ids.has(id);
  }

  add(id) {
    this.ids.add(id);
    if (this.ids.size > Memory.MOST) this.ids = new Set([...this.ids].slice(-Memory.MOST / 2));
    try {
      this.storage.setItem(this.name, JSON.stringify([...this.ids]));
    } catch {
      // full, or not allowed: this page still remembers
    }
  }
}

/** Announces each call once, one after another.

    speaker: `on`, whether it may be heard; `chime()` and `say(sentence)`, which end when the sound has ended.
    memory: what was announced before. now(): milliseconds. begins(call), ends(): told around each announcement. */
export class Announcer {
  constructor({ speaker, memory, now = Date.now, begins = () => {}, ends = () => {} }) {
    Object.assign(this, { speaker, memory, now, begins, ends });
    this.standing = new Set();
    this.waiting = [];
    this.speaking = null;
  }

  /** The calls that stand now, oldest first. `back`: the screen has just opened, or was cut off meanwhile. */
  hear(calls, { back = false } = {}) {
    const before = this.standing;
    this.standing = new Set(calls.map((call) => call.id));
    for (const call of calls) {
      if (before.has(call.id) || this.memory.has(call.id)) continue;
      const old = back && this.now() - call.at > OLD;
      if (this.speaker.on && !old) this.waiting.push(call);
      else this.memory.add(call.id);
    }
    this.speaking ??= this.run();
    return this.speaking;
  }

  get busy() {
    return this.waiting.length > 0 || this.speaking !== null;
  }

  async run() {
    // The caller's own turn ends first: a page that is being renewed is whole before it is spoken about.
    await null;
    for (let call = this.waiting.shift(); call; call = this.waiting.shift()) {
      // Taken back, gone in or called again meanwhile: it is not announced any more.
      if (!this.standing.has(call.id) || this.memory.has(call.id)) continue;
      // Remembered as it begins: a reload in mid-sentence does not say it twice, one before it does not lose it.
      this.memory.add(call.id);
      this.begins(call);
      try {
        await this.announce(call);
      } catch {
        // A speaker that fails is silent; the next call has its turn.
      }
      this.ends();
    }
    this.speaking = null;
  }

  async announce(call) {
    await this.speaker.chime();
    for (const sentence of call.say) {
      if (!this.speaker.on || !this.standing.has(call.id)) return;
      await this.speaker.say(sentence);
    }
  }
}
