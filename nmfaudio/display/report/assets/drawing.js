// Canvases of activations and templates.

import { clamp, decodeBytes } from "./data.js";
import { report } from "./host.js";

const TICKS = [50, 100, 200, 500, 1000, 2000, 5000, 10000];

// Arrays of each component, by its index.
export const activations = new Map(
  report.components.map((each) => [each.index, decodeBytes(each.activation)]),
);
export const templates = new Map(
  report.components.map((each) => [
    each.index,
    { lags: each.template.lags, levels: decodeBytes(each.template.levels) },
  ]),
);

// Match the pixels of a canvas to its place on the screen, and clear it.
export function prepared(canvas) {
  const ratio = Math.min(window.devicePixelRatio || 1, 3);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return { pen, width, height };
}

// Area under an activation, from `bottom` upwards.
export function drawActivation(pen, levels, { left = 0, width, bottom, height, colour }) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(left, bottom);
  for (let x = 0; x <= width; x += 0.5) {
    const first = Math.floor((x / (width + 0.5)) * levels.length);
    const last = Math.max(first + 1, Math.floor(((x + 0.5) / (width + 0.5)) * levels.length));
    let level = 0;
    for (let i = first; i < last; i += 1) level = Math.max(level, levels[i] ?? 0);
    pen.lineTo(left + x, bottom - (level / 255) * height);
  }
  pen.lineTo(left + width, bottom);
  pen.fill();
}

// Template with its low frequencies at the bottom: bars to the left, or an image over its lags.
export function drawTemplate(canvas, { lags, levels }, colour) {
  const { pen, width, height } = prepared(canvas);
  const { rows } = report.axis;
  pen.fillStyle = colour;
  for (let lag = 0; lag < lags; lag += 1) {
    for (let row = 0; row < rows; row += 1) {
      const level = levels[lag * rows + row] / 255;
      const top = height - ((row + 1) * height) / rows;
      if (lags === 1) {
        pen.fillRect(width * (1 - level), top, width * level, height / rows + 0.3);
      } else {
        pen.globalAlpha = level;
        pen.fillRect((lag * width) / lags, top, width / lags + 0.3, height / rows + 0.3);
      }
    }
  }
}

export function frequencyTicks() {
  return TICKS.filter((hertz) => hertz > report.axis.low && hertz < report.axis.high);
}

// Round steps for a time axis with about that many ticks.
export function timeTicks(count) {
  const rough = report.seconds / count;
  const scale = 10 ** Math.floor(Math.log10(rough));
  const step = scale * [1, 2, 5, 10].find((factor) => factor * scale >= rough);
  const ticks = [];
  for (let i = 0; i * step <= report.seconds; i += 1) ticks.push(Number((i * step).toFixed(6)));
  return ticks;
}

export function timeAt(event, box) {
  return clamp((event.clientX - box.left) / box.width, 0, 1) * report.seconds;
}
