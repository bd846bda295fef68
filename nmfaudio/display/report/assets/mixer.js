// The sounds in use: stems, the mixture beside them, or a component alone.

import { find } from "./elements.js";
import { report } from "./host.js";

export class Mixer extends EventTarget {
  constructor(report, groups, player) {
    super();
    this.report = report;
    this.groups = groups;
    this.player = player;
    this.components = new Map(report.components.map((each) => [each.index, each]));
    this.mixture = false;
    this.soloed = null; // component that plays alone
    groups.addEventListener("change", (event) => {
      if (event.detail === "mix" && groups.stems.some((stem) => stem.solo)) this.mixture = false;
      this.update();
    });
    player.addEventListener("state", () => this.ended());
    this.update();
  }

  isWhole(component) {
    return this.components.get(component).seconds >= this.report.seconds - 0.05;
  }

  levels() {
    if (this.soloed !== null) return new Map([[`component-${this.soloed}`, 1]]);
    if (this.mixture) return new Map([["mixture", 1]]);
    const levels = new Map();
    this.groups.stems.forEach((stem, i) => {
      const level = this.groups.level(i);
      for (const name of this.soundsOf(i) ?? [stem.sound].filter(Boolean)) levels.set(name, level);
    });
    return levels;
  }

  // Sounds that a stem is the sum of. Once it is regrouped these are its components with a whole sound,
  // beside its others together; or null, if one of the others was moved.
  soundsOf(i) {
    const stem = this.groups.stems[i];
    if (!this.groups.isRegrouped(i)) return stem.sound ? [stem.sound] : [];
    const others = (components) => components.filter((k) => !this.isWhole(k));
    const before = others(this.report.stems[i]?.components ?? []);
    if (others(stem.components).join() !== before.join()) return null;
    const whole = stem.components.filter((k) => this.isWhole(k)).map((k) => `component-${k}`);
    if (before.length === 0) return whole;
    return [...whole, this.report.rests.includes(i) ? `rest-${i}` : stem.sound];
  }

  // Whether all regrouped stems can be heard.
  get canPreview() {
    return this.groups.stems.every((_, i) => this.soundsOf(i) !== null);
  }

  update() {
    const failed = (error) => {
      const hint = report.folder ? " Keep the folder beside this page." : "";
      find("problem").textContent = `A sound cannot be played: ${error.message}.${hint}`;
      find("problem").hidden = false;
    };
    this.player.setLevels(this.levels()).catch(failed);
    this.failed = failed;
    find("stems").classList.toggle("comparing", this.mixture && this.soloed === null);
    this.dispatchEvent(new Event("change"));
  }

  play() {
    this.player.play().catch(this.failed);
  }

  toggle() {
    if (this.player.playing || this.player.loading) this.player.pause();
    else this.play();
  }

  setMixture(on) {
    this.mixture = on;
    this.soloed = null;
    this.update();
  }

  // Play one component alone, and again to return to the stems.
  async audition(component) {
    if (!this.components.get(component).seconds) return;
    const wasSoloed = this.soloed === component;
    const player = this.player;
    if (wasSoloed) {
      this.soloed = null;
      this.update();
      if (this.startedByAudition) player.pause();
      return;
    }
    if (!player.playing) this.startedByAudition = true;
    this.mixture = false;
    this.soloed = component;
    this.update();
    if (!player.playing || !this.isWhole(component)) await player.seek(this.entry(component));
    if (!player.playing) this.play();
  }

  // A moment before a component is loudest, or the beginning of its excerpt.
  entry(component) {
    const each = this.components.get(component);
    return this.isWhole(component) ? Math.max(0, each.loudest - 0.25) : each.start;
  }

  ended() {
    if (this.player.playing || this.player.loading) return;
    this.startedByAudition = false;
    if (this.soloed !== null) {
      this.soloed = null;
      this.update();
    }
  }

  // Stop at the end of the recording, or of an excerpt.
  tick() {
    const { player } = this;
    if (!player.playing || (player.loop && this.soloed === null)) return;
    const each = this.components.get(this.soloed);
    const end = each && !this.isWhole(this.soloed) ? each.start + each.seconds : this.report.seconds;
    if (player.position < end - 0.005 || (player.loop && this.isWhole(this.soloed))) return;
    player.pause();
    if (!each) player.seek(0);
  }
}
