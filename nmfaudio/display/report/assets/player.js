// One clock for all sounds: every voice is started together and follows its own gain.

import { clamp, decodeBytes } from "./data.js";
import { report } from "./host.js";

const RAMP = 0.012; // s; a gain that jumps clicks
const LEAD = 0.06; // s between the decision to play and the first sample

export class Player extends EventTarget {
  constructor(report) {
    super();
    this.report = report;
    this.duration = report.seconds;
    this.starts = new Map(report.components.map((each) => [`component-${each.index}`, each.start]));
    // Decodes before the first click, which browsers wait for with other contexts.
    this.decoder = new OfflineAudioContext(1, 1, report.sr);
    this.loads = new Map(); // promises of the decoded sounds
    this.buffers = new Map();
    this.nodes = new Map();
    this.levels = new Map();
    this.loop = null;
    this.playing = false;
    this.loading = false;
    this.offset = 0;
    this.request = 0; // number of the latest call of play
  }

  get position() {
    if (!this.playing) return this.offset;
    const time = Math.max(this.offset, this.offset + this.context.currentTime - this.startedAt);
    if (!this.loop || time < this.loop.to) return Math.min(time, this.duration);
    return this.loop.from + ((time - this.loop.from) % (this.loop.to - this.loop.from));
  }

  open() {
    this.context ??= new AudioContext({ sampleRate: this.report.sr });
    return this.context;
  }

  async play() {
    const context = this.open();
    const request = ++this.request;
    this.setState(this.playing, true);
    try {
      await Promise.all([context.resume(), this.preload()]);
    } catch (error) {
      this.setState(false, false);
      throw error;
    }
    if (request !== this.request || this.playing) return;
    if (this.loop) this.offset = this.within(this.offset);
    this.startedAt = context.currentTime + LEAD;
    this.setState(true, false);
    for (const name of this.needed()) this.start(name);
  }

  setState(playing, loading) {
    Object.assign(this, { playing, loading });
    this.dispatchEvent(new Event("state"));
  }

  // Decode the sounds in use.
  preload() {
    return Promise.all(this.needed().map((name) => this.load(name)));
  }

  pause() {
    this.halt();
    this.dispatchEvent(new Event("state"));
  }

  halt() {
    this.offset = this.position;
    this.request += 1;
    this.playing = false;
    this.loading = false;
    for (const { source, gain } of this.nodes.values()) {
      source.stop();
      gain.disconnect();
    }
    this.nodes.clear();
  }

  async seek(time) {
    const wasPlaying = this.playing;
    if (wasPlaying) this.halt();
    this.offset = clamp(time, 0, this.duration);
    if (wasPlaying) await this.play();
    this.dispatchEvent(new Event("seek"));
  }

  async setLoop(range) {
    const wasPlaying = this.playing;
    if (wasPlaying) this.halt();
    this.loop = range;
    if (wasPlaying) await this.play();
    this.dispatchEvent(new Event("state"));
  }

  within(time) {
    return time >= this.loop.from && time < this.loop.to ? time : this.loop.from;
  }

  needed() {
    return [...this.levels].filter(([, level]) => level > 0).map(([name]) => name);
  }

  // Set the factors of all sounds; sounds without one are silent.
  async setLevels(levels) {
    this.levels = levels;
    if (!this.playing) return;
    for (const [name, node] of this.nodes) {
      node.gain.gain.setTargetAtTime(levels.get(name) ?? 0, this.context.currentTime, RAMP);
    }
    for (const name of this.needed().filter((each) => !this.nodes.has(each))) {
      await this.load(name);
      if (this.playing && !this.nodes.has(name)) this.start(name);
    }
  }

  // Start one sound at the place of the clock.
  start(name) {
    const now = Math.max(this.context.currentTime, this.startedAt);
    const at = this.context.currentTime < this.startedAt ? this.offset : this.position;
    const node = connect(this.context, this.buffers.get(name), this.levels.get(name) ?? 0);
    const begin = this.starts.get(name) ?? 0;
    if (this.loop && begin === 0) {
      Object.assign(node.source, { loop: true, loopStart: this.loop.from, loopEnd: this.loop.to });
    }
    node.source.start(now + Math.max(0, begin - at), Math.max(0, at - begin));
    this.nodes.set(name, node);
  }

  load(name) {
    if (!this.loads.has(name)) {
      const loading = fetchSound(this.report, name)
        .then((bytes) => this.decoder.decodeAudioData(bytes))
        .then((buffer) => this.buffers.set(name, buffer));
      loading.catch(() => this.loads.delete(name));
      this.loads.set(name, loading);
    }
    return this.loads.get(name);
  }

  // Compute what would be played, without a sound card.
  render(from, seconds) {
    const levels = new Map(this.needed().map((name) => [name, this.levels.get(name)]));
    return this.mix(levels, from, Math.round(seconds * this.report.sr), 2);
  }

  // Compute the sum of sounds with their factors.
  async mix(levels, from, frames, channels) {
    await Promise.all([...levels.keys()].map((name) => this.load(name)));
    const offline = new OfflineAudioContext(channels, frames, this.report.sr);
    for (const [name, level] of levels) {
      const { source } = connect(offline, this.buffers.get(name), level);
      const begin = this.starts.get(name) ?? 0;
      source.start(Math.max(0, begin - from), Math.max(0, from - begin));
    }
    return offline.startRendering();
  }

  // A part of one sound, apart from the clock.
  async excerpt(name, from, seconds) {
    const context = this.open();
    await Promise.all([context.resume(), this.load(name)]);
    const { source, gain } = connect(context, this.buffers.get(name), 1);
    const start = context.currentTime + 0.02;
    const length = clamp(seconds, 0.3, 2);
    gain.gain.setTargetAtTime(0, start + length - 0.1, 0.03);
    source.start(start, from, length);
  }

  // A plain tone with the pitch of a note.
  async tone(hertz, seconds, velocity) {
    const context = this.open();
    await context.resume();
    const oscillator = new OscillatorNode(context, { type: "triangle", frequency: hertz });
    const gain = new GainNode(context, { gain: 0 });
    const start = context.currentTime + 0.02;
    const end = start + clamp(seconds, 0.15, 2);
    gain.gain.linearRampToValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.1 + 0.25 * velocity, start + 0.015);
    gain.gain.setTargetAtTime(0, end - 0.08, 0.03);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(start);
    oscillator.stop(end + 0.15);
  }
}

function connect(context, buffer, level) {
  const source = new AudioBufferSourceNode(context, { buffer });
  const gain = new GainNode(context, { gain: level });
  source.connect(gain).connect(context.destination);
  return { source, gain };
}

// Sounds beside the page are scripts, since a page on a disk may not read files.
const awaited = new Map();

if (report.folder) globalThis.receiveSound = (name, base64) => awaited.get(name)?.(base64);

async function fetchSound(report, name) {
  if (!report.folder) return decodeBytes(report.sounds[name]).buffer;
  const base64 = await new Promise((resolve, reject) => {
    awaited.set(name, resolve);
    const script = document.createElement("script");
    script.onerror = () => reject(new Error(`${report.folder}/${name}.js`));
    script.src = `${encodeURIComponent(report.folder)}/${name}.js`;
    document.head.append(script);
  });
  awaited.delete(name);
  return decodeBytes(base64).buffer;
}
