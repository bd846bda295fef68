// Boxes drawn over V, as `nmfaudio paint` takes them.

import { clamp, heightOf, hertzAt } from "./data.js";
import { report } from "./host.js";
import { announce, colourName, downloadJson, element, find, setPressed } from "./elements.js";
import { shellWord } from "./groups.js";

const SMALLEST = 4; // px, of a box that is drawn rather than clicked
const FIELDS = [["start", "from", "s"], ["end", "to", "s"], ["low", "from", "Hz"], ["high", "to", "Hz"]];

export class Boxes {
  constructor(groups) {
    this.groups = groups;
    this.boxes = [];
    this.surface = find("V").parentElement;
    find("paint").addEventListener("click", () => this.setPainting(!this.painting));
    find("add-box").addEventListener("click", () => this.add(middle(), true));
    find("save-boxes").addEventListener("click", () => downloadJson("boxes.json", this.json()));
    this.surface.addEventListener("pointerdown", (event) => this.painting && this.brush(event));
    groups.addEventListener("change", (event) => event.detail !== "mix" && this.draw());
    this.draw();
  }

  setPainting(painting) {
    this.painting = painting;
    this.surface.classList.toggle("painting", painting);
    setPressed(find("paint"), painting);
    find("boxes").hidden = !painting && this.boxes.length === 0;
    if (painting) announce("Drag over the spectrogram, or add a box below it");
  }

  get stem() {
    const i = this.groups.stems.findIndex((stem) => stem.name === find("box-stem").value);
    return Math.max(i, 0);
  }

  // Follow the pointer from one corner to the opposite one.
  brush(event) {
    event.preventDefault();
    const outline = element("div", { class: "box" });
    outline.style.setProperty("--stem", colourName(this.groups.stems[this.stem].colour));
    this.surface.append(outline);
    this.surface.setPointerCapture(event.pointerId);
    const frame = this.surface.getBoundingClientRect();
    const first = corner(event, frame);
    let box = null;
    const move = (next) => {
      const last = corner(next, frame);
      const sides = [next.clientX - event.clientX, next.clientY - event.clientY];
      const large = sides.every((side) => Math.abs(side) > SMALLEST);
      box = large ? between(first, last) : null;
      if (box) place(outline, box);
    };
    const end = () => {
      this.surface.removeEventListener("pointermove", move);
      outline.remove();
      if (box) this.add(box, false);
    };
    this.surface.addEventListener("pointermove", move);
    this.surface.addEventListener("pointerup", end, { once: true });
    this.surface.addEventListener("pointercancel", end, { once: true });
  }

  add(box, focus) {
    this.boxes.push({ ...box, stem: this.groups.stems[this.stem] });
    find("boxes").hidden = false;
    this.draw();
    if (focus) find("box-list").lastElementChild.querySelector("input").focus();
  }

  json() {
    const inFile = (seconds) => round(report.start + seconds);
    return this.boxes.map(({ stem, start, end, ...sides }) => {
      return { source: stem.name, start: inFile(start), end: inFile(end), ...sides, weight: 1 };
    });
  }

  draw() {
    const select = find("box-stem");
    const selected = Math.max(0, select.selectedIndex);
    const names = this.groups.stems.map((stem) => stem.name);
    select.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
    select.selectedIndex = selected;
    for (const old of this.surface.querySelectorAll(".box")) old.remove();
    for (const box of this.boxes) {
      const outline = element("div", { class: "box" }, element("span", {}, box.stem.name));
      outline.style.setProperty("--stem", colourName(box.stem.colour));
      place(outline, box);
      this.surface.append(outline);
    }
    find("box-list").replaceChildren(...this.boxes.map((box, i) => this.line(box, i)));
    const sources = new Set(this.boxes.map((box) => box.stem.name));
    find("save-boxes").disabled = this.boxes.length === 0;
    const onlyRest = sources.size === 1 && sources.has("rest");
    find("paint-next").hidden = this.boxes.length === 0 || onlyRest;
    find("paint-more").hidden = !onlyRest;
    const rest = sources.size < 2 ? " --rest" : "";
    const words = [this.groups.recording, "boxes.json", ...this.groups.options.paint].map(shellWord);
    find("paint-command").textContent = `nmfaudio paint ${words.join(" ")}${rest}`;
  }

  // Numbers of one box, to type, and a button that removes it.
  line(box, i) {
    const inputs = FIELDS.map(([name, word, unit]) => {
      const input = element("input", {
        type: "number",
        min: 0,
        step: unit === "s" ? 0.01 : 1,
        value: String(box[name]),
        "aria-label": `${name} of box ${i + 1}`,
        onchange: (event) => this.change(box, name, Number(event.target.value)),
      });
      return element("label", {}, word, input, unit);
    });
    const remove = () => {
      this.boxes.splice(i, 1);
      this.draw();
      find("add-box").focus();
    };
    const button = element(
      "button",
      { type: "button", class: "quiet", "aria-label": `Remove box ${i + 1}`, onclick: remove },
      "Remove",
    );
    const name = element("b", {}, box.stem.name);
    const item = element("li", {}, name, ...inputs, button);
    item.style.setProperty("--stem", colourName(box.stem.colour));
    return item;
  }

  change(box, name, value) {
    if (Number.isFinite(value) && value >= 0) box[name] = value;
    if (box.end < box.start) [box.start, box.end] = [box.end, box.start];
    if (box.high < box.low) [box.low, box.high] = [box.high, box.low];
    this.draw();
  }
}

function middle() {
  const { seconds } = report;
  return {
    start: round(seconds / 4),
    end: round(seconds / 2),
    low: Math.round(hertzAt(0.3)),
    high: Math.round(hertzAt(0.6)),
  };
}

function corner(event, frame) {
  const x = clamp((event.clientX - frame.left) / frame.width, 0, 1);
  const y = clamp((frame.bottom - event.clientY) / frame.height, 0, 1);
  return { time: x * report.seconds, hertz: hertzAt(y) };
}

function between(first, last) {
  return {
    start: round(Math.min(first.time, last.time)),
    end: round(Math.max(first.time, last.time)),
    low: Math.round(Math.min(first.hertz, last.hertz)),
    high: Math.round(Math.max(first.hertz, last.hertz)),
  };
}

function place(outline, box) {
  const bottom = clamp(heightOf(Math.max(box.low, report.axis.low)), 0, 1);
  const top = clamp(heightOf(Math.max(box.high, report.axis.low)), 0, 1);
  outline.style.left = `${(100 * box.start) / report.seconds}%`;
  outline.style.width = `${(100 * (box.end - box.start)) / report.seconds}%`;
  outline.style.bottom = `${100 * bottom}%`;
  outline.style.height = `${100 * (top - bottom)}%`;
}

function round(seconds) {
  return Math.round(100 * seconds) / 100;
}
