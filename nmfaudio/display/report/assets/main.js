// Connection of all parts.

import { frame, report, signal } from "./host.js";
import { find } from "./elements.js";
import { Groups } from "./groups.js";
import { Player } from "./player.js";
import { Mixer } from "./mixer.js";
import { setUpTransport, showPosition } from "./transport.js";
import { Figure, showPlayheads } from "./figure.js";
import { Boxes } from "./boxes.js";
import { Saving } from "./saving.js";
import { Cards } from "./cards.js";
import { setUpRoll } from "./roll.js";
import { setUpFacts } from "./facts.js";

const groups = new Groups(report);
const player = new Player(report);
const mixer = new Mixer(report, groups, player);
const figure = new Figure(groups, mixer);
const cards = new Cards(groups, mixer, figure, new Saving(groups, mixer, figure));
const boxes = new Boxes(groups);
setUpTransport(player, mixer);
setUpRoll(player, mixer);
setUpFacts();
frame.classList.toggle("bare", report.components.length === 0);
if (report.components.length === 0) {
  find("stems-heading").textContent = "Stems";
  find("figure-heading").textContent = "Spectrogram";
}
find("exponent").hidden = report.alpha === 1;
find("one-channel").hidden = report.channels === 1;

function redraw() {
  figure.drawAxes();
  figure.draw();
  cards.drawCanvases();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw, { signal });
matchMedia("(max-width: 640px)").addEventListener("change", redraw, { signal });

function tick() {
  if (signal.aborted) return;
  mixer.tick();
  showPosition(player.position);
  showPlayheads(player.position, player.loop);
  requestAnimationFrame(tick);
}

tick();
if (!report.folder) player.preload().catch(mixer.failed);

export const parts = { report, groups, player, mixer, figure, cards, boxes, redraw };
