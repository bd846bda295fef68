// Text for numbers, and axes.

import { report } from "./host.js";

export const octavesHigh = Math.log2(report.axis.high / report.axis.low);

export function decodeBytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

export function timeText(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(1).padStart(4, "0")}`;
}

export function hertzText(hertz) {
  return hertz < 1000 ? `${Math.round(hertz)} Hz` : `${(hertz / 1000).toFixed(1)} kHz`;
}

export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

export function percentText(share) {
  const percent = 100 * share;
  return percent < 1 ? "< 1 %" : `${Math.round(percent)} %`;
}

// Position on the logarithmic axis: 0 at its bottom, 1 at its top, and back.
export function heightOf(hertz) {
  return Math.log2(hertz / report.axis.low) / octavesHigh;
}

export function hertzAt(height) {
  return report.axis.low * 2 ** (height * octavesHigh);
}

const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

export function noteName(midi) {
  const nearest = Math.round(midi);
  return `${NAMES[nearest % 12]}${Math.floor(nearest / 12) - 1}`;
}

export function midiHertz(midi) {
  return 440 * 2 ** ((midi - 69) / 12);
}
