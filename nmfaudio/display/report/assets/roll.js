// Piano roll: notes that sound on click, on a row for each semitone or for each drum.

import { midiHertz, noteName } from "./data.js";
import { report } from "./host.js";
import { colourName, drawn, element, find } from "./elements.js";

const [SEMITONE, DRUM] = [10, 20]; // px of a row
const SHORTEST = 0.15; // per cent of the width

export function setUpRoll(player, mixer) {
  const { notes } = report;
  find("notes").hidden = notes.length === 0;
  if (notes.length === 0) return;
  const rows = drumRows(notes) ?? pitchRows(notes);
  find("notes").classList.toggle("drums", rows[0].height === DRUM);
  const roll = find("roll");
  roll.style.height = `${rows.length * rows[0].height}px`;
  const shaded = rows.filter((row) => row.shaded);
  const lines = shaded.map(({ y, height }) =>
    drawn("rect", { class: "black-key", x: 0, y, width: "100%", height }),
  );
  find("pitches").replaceChildren(...rows.filter((row) => row.text).map(label));
  const tracks = [...new Set([...report.stems.map((stem) => stem.name), ...notes.map((note) => note[4])])];
  const colour = (track) => (track ? tracks.indexOf(track) : 0);
  const row = (pitch) => rows.find((each) => each.pitch === Math.round(pitch));
  const bars = notes.map((note, i) => bar(note, i, row(note[2]), colour(note[4])));
  roll.replaceChildren(...lines, ...bars);
  const inStems = notes.some((note) => stemOf(note) >= 0);
  find("note-sound").textContent = inStems ? "it in its stem" : "its pitch";
  listen(roll, bars, (note) => play(player, note).catch(mixer.failed));
}

// Rows of drums, whose pitches are only numbers; null if a track has several pitches.
function drumRows(notes) {
  const drums = new Map(notes.map((note) => [note[4], Math.round(note[2])]));
  const single = notes.every((note) => note[4] && drums.get(note[4]) === Math.round(note[2]));
  if (!single || new Set(drums.values()).size < drums.size) return null;
  const highestFirst = [...drums].toSorted((a, b) => b[1] - a[1]);
  return highestFirst.map(([text, pitch], i) => ({
    text: words(text), pitch, y: i * DRUM, height: DRUM, shaded: i % 2 === 1,
  }));
}

// Name of a drum as it is spoken: that of an open hi-hat is open_hihat in files.
function words(track) {
  return track.replaceAll("_", " ");
}

function pitchRows(notes) {
  const pitches = notes.map((note) => Math.round(note[2]));
  const [lowest, highest] = [Math.min(...pitches) - 1, Math.max(...pitches) + 1];
  return Array.from({ length: highest - lowest + 1 }, (_, i) => ({
    text: (highest - i) % 12 === 0 ? noteName(highest - i) : "",
    pitch: highest - i,
    y: i * SEMITONE,
    height: SEMITONE,
    shaded: [1, 3, 6, 8, 10].includes((highest - i) % 12),
  }));
}

function stemOf(note) {
  return report.stems.findIndex((stem) => stem.name === note[4]);
}

function play(player, note) {
  const [onset, offset, pitch, velocity] = note;
  const stem = stemOf(note);
  if (stem >= 0) return player.excerpt(`stem-${stem}`, onset, offset - onset);
  return player.tone(midiHertz(pitch), offset - onset, velocity);
}

function label({ text, y, height }) {
  const tick = element("span", {}, text);
  tick.style.top = `${y}px`;
  tick.style.lineHeight = `${height}px`;
  return tick;
}

function bar([onset, offset, pitch, velocity, track], i, row, colour) {
  const percent = (time) => (100 * time) / report.seconds;
  const times = `${onset.toFixed(2)} s to ${offset.toFixed(2)} s`;
  const names = row.height === DRUM ? ["", words(track)] : [noteName(pitch), track];
  const text = [names[0], times, names[1]].filter(Boolean).join(", ");
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
      y: row.y + row.height / 10,
      height: 0.8 * row.height,
      width: `${Math.max(percent(offset - onset), SHORTEST)}%`,
      "fill-opacity": 0.45 + 0.55 * velocity,
    },
    drawn("title", {}, text),
  );
  shape.style.fill = colourName(colour);
  return shape;
}

// One stop of the tab key; arrows move between notes, Enter and Space play them.
function listen(roll, bars, sound) {
  const play = (i) => sound(report.notes[i]);
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
