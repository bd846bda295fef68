// Piano roll: notes that sound on click.

import { midiHertz, noteName, report } from "./data.js";
import { colourName, drawn, element, find } from "./elements.js";

const SEMITONE = 10; // px of a semitone
const SHORTEST = 0.15; // per cent of the width

export function setUpRoll(player) {
  const { notes } = report;
  find("notes").hidden = notes.length === 0;
  if (notes.length === 0) return;
  const pitches = notes.map((note) => Math.round(note[2]));
  const [lowest, highest] = [Math.min(...pitches) - 1, Math.max(...pitches) + 1];
  const tracks = [...new Set(notes.map((note) => note[4]))];
  const height = (highest - lowest + 1) * SEMITONE;
  const roll = find("roll");
  roll.style.height = `${height}px`;
  const lines = [];
  for (let pitch = lowest; pitch <= highest; pitch += 1) {
    const black = [1, 3, 6, 8, 10].includes(pitch % 12);
    const y = (highest - pitch) * SEMITONE;
    if (black) lines.push(drawn("rect", { class: "black-key", x: 0, y, width: "100%", height: SEMITONE }));
    if (pitch % 12 === 0) find("pitches").append(label(noteName(pitch), y));
  }
  const bars = notes.map((note, i) => bar(note, i, highest, tracks.indexOf(note[4])));
  roll.replaceChildren(...lines, ...bars);
  listen(roll, bars, player);
}

function label(text, y) {
  const tick = element("span", {}, text);
  tick.style.top = `${y}px`;
  return tick;
}

function bar([onset, offset, pitch, velocity, track], i, highest, colour) {
  const percent = (time) => (100 * time) / report.seconds;
  const times = `${onset.toFixed(2)} s to ${offset.toFixed(2)} s`;
  const text = [noteName(pitch), times, track].filter(Boolean).join(", ");
  const shape = drawn(
    "rect",
    {
      class: "note",
      role: "button",
      tabindex: i === 0 ? 0 : -1,
      "aria-label": text,
      "data-note": i,
      rx: 2,
      x: `${percent(onset)}%`,
      y: (highest - pitch) * SEMITONE + 1,
      height: SEMITONE - 2,
      width: `${Math.max(percent(offset - onset), SHORTEST)}%`,
      "fill-opacity": 0.45 + 0.55 * velocity,
    },
    drawn("title", {}, text),
  );
  shape.style.fill = colourName(colour);
  return shape;
}

// One stop of the tab key; arrows move between notes, Enter and Space play them.
function listen(roll, bars, player) {
  const play = (i) => {
    const [onset, offset, pitch, velocity] = report.notes[i];
    player.tone(midiHertz(pitch), offset - onset, velocity);
  };
  const focus = (i) => {
    if (!bars[i]) return;
    for (const each of bars) each.setAttribute("tabindex", -1);
    bars[i].setAttribute("tabindex", 0);
    bars[i].focus();
  };
  roll.addEventListener("click", (event) => {
    const i = event.target.closest(".note")?.dataset.note;
    if (i === undefined) return;
    focus(Number(i));
    play(Number(i));
  });
  roll.addEventListener("keydown", (event) => {
    const i = Number(event.target.dataset.note);
    const actions = {
      ArrowRight: () => focus(i + 1),
      ArrowDown: () => focus(i + 1),
      ArrowLeft: () => focus(i - 1),
      ArrowUp: () => focus(i - 1),
      Home: () => focus(0),
      End: () => focus(bars.length - 1),
      Enter: () => play(i),
      " ": () => play(i),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });
}
