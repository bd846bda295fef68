// Stems and components as WAV files, computed from the sounds of the page.

import { report } from "./host.js";
import { announce, download, find } from "./elements.js";

const HEADER = 58; // bytes before the samples

export class Saving {
  constructor(groups, mixer, figure) {
    Object.assign(this, { groups, mixer, figure });
    find("save-stems").addEventListener("click", () => this.stems());
    find("save-component").addEventListener("click", () => this.component(figure.chosen));
    groups.addEventListener("change", () => this.show());
    this.show();
  }

  show() {
    find("save-stems").disabled = this.saved().length === 0;
    find("not-saved").hidden = this.mixer.canPreview;
  }

  // Positions of the stems that have sound.
  saved() {
    return this.groups.stems.map((_, i) => i).filter((i) => this.mixer.soundsOf(i)?.length);
  }

  async stems() {
    for (const i of this.saved()) await this.stem(i);
  }

  stem(i) {
    return this.save(this.groups.stems[i].name, this.mixer.soundsOf(i));
  }

  component(k) {
    return this.save(`component-${k}`, [`component-${k}`]);
  }

  // The sum of some sounds, without solo, mute and gain.
  async save(name, sounds) {
    const { player } = this.mixer;
    try {
      announce(`Saving ${name}`);
      const levels = new Map(sounds.map((sound) => [sound, 1 / report.coding.gain]));
      const frames = Math.round(report.seconds * report.sr);
      const buffer = await player.mix(levels, 0, frames, report.channels);
      download(`${name}.wav`, wave(buffer));
      announce(`${name}.wav saved`);
    } catch (error) {
      this.mixer.failed(error);
    }
  }
}

// A file of 32-bit floats, which hold samples above full scale, too.
function wave(buffer) {
  const { numberOfChannels: channels, length, sampleRate } = buffer;
  const header = new DataView(new ArrayBuffer(HEADER));
  const bytes = 4 * channels * length;
  const text = (at, word) => [...word].forEach((letter, i) => header.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  header.setUint32(4, HEADER - 8 + bytes, true);
  text(8, "WAVEfmt ");
  header.setUint32(16, 18, true); // bytes of the format
  header.setUint16(20, 3, true); // floats
  header.setUint16(22, channels, true);
  header.setUint32(24, sampleRate, true);
  header.setUint32(28, 4 * channels * sampleRate, true);
  header.setUint16(32, 4 * channels, true);
  header.setUint16(34, 32, true); // bits
  text(38, "fact");
  header.setUint32(42, 4, true);
  header.setUint32(46, length, true);
  text(50, "data");
  header.setUint32(54, bytes, true);
  const samples = new Float32Array(channels * length);
  for (let channel = 0; channel < channels; channel += 1) {
    buffer.getChannelData(channel).forEach((sample, i) => (samples[i * channels + channel] = sample));
  }
  return new Blob([header, samples], { type: "audio/wav" });
}
