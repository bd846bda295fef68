// The bar at the top: play, position, loop, and the mixture beside the stems.

import { clamp, timeText } from "./data.js";
import { report, root, signal } from "./host.js";
import { announce, find, setPressed } from "./elements.js";

const STEP = 1; // s, of the arrow keys
const SHORTEST_LOOP = 0.1; // s

export function setUpTransport(player, mixer) {
  const slider = find("position");
  slider.max = report.seconds;
  slider.addEventListener("input", () => player.seek(Number(slider.value)));
  find("play").addEventListener("click", () => mixer.toggle());
  find("ab").addEventListener("click", () => mixer.setMixture(!mixer.mixture));
  find("loop").addEventListener("click", () => toggleLoop(player));
  const [from, to] = [find("loop-from"), find("loop-to")];
  for (const input of [from, to]) {
    input.max = report.seconds;
    input.addEventListener("change", () => loopBetween(player, Number(from.value), Number(to.value)));
  }
  player.addEventListener("state", () => showState(player));
  mixer.addEventListener("change", () => setPressed(find("ab"), mixer.mixture));
  root.addEventListener("keydown", (event) => onKey(event, player, mixer), { signal });
  find("duration").textContent = timeText(report.seconds);
  showState(player);
}

function toggleLoop(player) {
  if (player.loop) player.setLoop(null);
  else loopBetween(player, 0, report.seconds);
}

// Repeat a part, at least of the shortest length and within the recording.
export function loopBetween(player, first, last) {
  const from = clamp(first || 0, 0, Math.max(0, report.seconds - SHORTEST_LOOP));
  const to = clamp(last || report.seconds, from + SHORTEST_LOOP, report.seconds);
  player.setLoop({ from, to });
}

function showState(player) {
  const button = find("play");
  button.classList.toggle("playing", player.playing);
  button.classList.toggle("loading", player.loading);
  button.setAttribute("aria-label", player.playing ? "Pause" : "Play");
  button.setAttribute("aria-busy", String(player.loading));
  setPressed(find("loop"), Boolean(player.loop));
  find("loop-range").hidden = !player.loop;
  if (player.loop) {
    find("loop-from").value = player.loop.from.toFixed(2);
    find("loop-to").value = player.loop.to.toFixed(2);
  }
}

export function showPosition(time) {
  const slider = find("position");
  if (root.activeElement !== slider || !slider.matches(":active")) slider.value = time;
  slider.style.setProperty("--done", `${(100 * time) / report.seconds}%`);
  slider.setAttribute("aria-valuetext", `${time.toFixed(1)} of ${report.seconds.toFixed(1)} seconds`);
  find("clock").textContent = timeText(time);
}

function onKey(event, player, mixer) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input:not([type=range]), select, textarea, [contenteditable]")) return;
  const onControl = event.target.closest("button, a, input, [role=slider]");
  const actions = {
    " ": () => !onControl && mixer.toggle(),
    k: () => mixer.toggle(),
    ArrowLeft: () => !onControl && player.seek(player.position - STEP),
    ArrowRight: () => !onControl && player.seek(player.position + STEP),
    Home: () => !onControl && player.seek(0),
    b: () => {
      mixer.setMixture(!mixer.mixture);
      announce(mixer.mixture ? "Mixture" : "Stems");
    },
    l: () => toggleLoop(player),
    "[": () => loopBetween(player, player.position, player.loop?.to ?? report.seconds),
    "]": () => loopBetween(player, player.loop?.from ?? 0, player.position),
  };
  const action = actions[event.key] ?? soloByNumber(event.key, mixer.groups);
  if (action && action() !== false) event.preventDefault();
}

function soloByNumber(key, groups) {
  const i = "123456789".indexOf(key);
  const stem = i >= 0 ? groups.stems[i] : undefined;
  return stem && (() => groups.set(i, { solo: !stem.solo }));
}
