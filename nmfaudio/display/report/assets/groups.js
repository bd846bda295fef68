// Stems and their components: moved, renamed, and written for `nmfaudio regroup`.

export class Groups extends EventTarget {
  constructor(report) {
    super();
    this.recording = report.recording;
    this.model = report.model;
    this.options = report.options;
    this.stems = report.stems.map((stem, i) => ({
      name: stem.name,
      components: [...stem.components],
      original: stem.components.join(),
      sound: `stem-${i}`,
      colour: i,
      solo: false,
      mute: false,
      gain: 0, // dB
    }));
    this.originalNames = this.stems.map((stem) => stem.name).join("\n");
  }

  changed(kind) {
    this.dispatchEvent(new CustomEvent("change", { detail: kind }));
  }

  stemOf(component) {
    return this.stems.findIndex((stem) => stem.components.includes(component));
  }

  move(component, target) {
    const source = this.stemOf(component);
    if (source === target || !this.stems[target]) return false;
    const members = this.stems[source].components;
    members.splice(members.indexOf(component), 1);
    this.stems[target].components.push(component);
    this.stems[target].components.sort((a, b) => a - b);
    this.changed("components");
    return true;
  }

  rename(i, text) {
    const base = text.trim();
    const others = this.stems.filter((_, j) => j !== i).map((stem) => stem.name);
    if (base) {
      let name = base;
      for (let n = 2; others.includes(name); n += 1) name = `${base}-${n}`;
      this.stems[i].name = name;
    }
    this.changed("names");
  }

  add() {
    const stem = { components: [], original: "", sound: null, colour: this.stems.length };
    this.stems.push({ ...stem, name: "", solo: false, mute: false, gain: 0 });
    this.rename(this.stems.length - 1, "new stem");
  }

  set(i, settings) {
    Object.assign(this.stems[i], settings);
    this.changed("mix");
  }

  isRegrouped(i) {
    return this.stems[i].components.join() !== this.stems[i].original;
  }

  get anyRegrouped() {
    return this.stems.some((_, i) => this.isRegrouped(i));
  }

  get anyChange() {
    return this.anyRegrouped || this.stems.map((stem) => stem.name).join("\n") !== this.originalNames;
  }

  // Factor of a stem's samples, with solo and mute.
  level(i) {
    const stem = this.stems[i];
    const anySolo = this.stems.some((other) => other.solo);
    return stem.mute || (anySolo && !stem.solo) ? 0 : 10 ** (stem.gain / 20);
  }

  json() {
    const filled = this.stems.filter((stem) => stem.components.length);
    return Object.fromEntries(filled.map((stem) => [stem.name, stem.components]));
  }

  command() {
    const words = ["nmfaudio", "regroup", shellWord(this.recording), shellWord(this.model)];
    const groups = Object.entries(this.json());
    const options = groups.some(([name]) => name.includes("="))
      ? ["--groups groups.json"]
      : groups.map(([name, members]) => `--group ${shellWord(`${name}=${ranges(members)}`)}`);
    return [...words, ...options, ...this.options.regroup.map(shellWord)].join(" ");
  }
}

// Ascending numbers as the command line takes them: 0,3,5-7.
export function ranges(numbers) {
  const runs = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

export function shellWord(text) {
  return /^[\w.,=+/:@%-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
