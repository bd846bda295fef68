// A column for each stem with its mixer, and a card for each of its components.

import { hertzText, percentText, report } from "./data.js";
import { activations, drawActivation, prepared } from "./drawing.js";
import { makeDraggable } from "./dragging.js";
import { announce, colourName, colourValue, download, element, find, setPressed } from "./elements.js";

export class Cards {
  constructor(groups, mixer, figure) {
    Object.assign(this, { groups, mixer, figure });
    this.components = new Map(report.components.map((each) => [each.index, each]));
    groups.addEventListener("change", (event) => {
      if (event.detail === "mix") this.showMix();
      else this.draw();
    });
    mixer.addEventListener("change", () => this.showSoloed());
    find("save-groups").addEventListener("click", () => download("groups.json", groups.json()));
    find("copy-command").addEventListener("click", () => copyCommand());
    new ResizeObserver(() => this.drawCanvases()).observe(find("stems"));
    this.draw();
  }

  draw() {
    const focused = document.activeElement?.dataset.focus;
    const add = element("button", { type: "button", id: "add-stem", class: "new-stem", "data-focus": "add", onclick: () => this.addStem() }, "New stem");
    find("stems").replaceChildren(...this.groups.stems.map((_, i) => this.column(i)), add);
    this.showMix();
    this.showSoloed();
    this.drawCanvases();
    this.showCommand();
    if (focused) document.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  addStem() {
    this.groups.add();
    find("stems").children[this.groups.stems.length - 1].querySelector("input").select();
  }

  column(i) {
    const stem = this.groups.stems[i];
    const cards = stem.components.map((k) => this.card(k, i));
    const empty = element("p", { class: "empty" }, stem.sound && !stem.original ? "No components: the rest of the model's stems." : "Drop components here.");
    const list = cards.length ? element("ul", { class: "cards" }, ...cards) : empty;
    const preview = this.groups.isRegrouped(i) && element("span", { class: "badge" }, this.mixer.canPreview ? "preview" : "changed");
    const rename = (event) => this.groups.rename(i, event.target.value);
    const name = element("input", { class: "name", value: stem.name, "aria-label": `Name of stem ${i + 1}`, "data-focus": `name-${i}`, spellcheck: "false", onchange: rename });
    const share = stem.components.reduce((sum, k) => sum + this.components.get(k).share, 0);
    const facts = `${cards.length} component${cards.length === 1 ? "" : "s"}${cards.length ? `, ${percentText(share)}` : ""}`;
    const head = element("header", {}, name, preview || "", element("span", { class: "facts" }, facts));
    const column = element("section", { class: "stem", "data-stem": i, "aria-label": stem.name }, head, this.controls(i), list);
    column.style.setProperty("--stem", colourName(stem.colour));
    return column;
  }

  controls(i) {
    const stem = this.groups.stems[i];
    const button = (kind, text, label) => {
      const toggle = () => this.groups.set(i, { [kind]: !stem[kind] });
      return element("button", { type: "button", class: kind, "data-focus": `${kind}-${i}`, "aria-label": `${label} ${stem.name}`, "aria-pressed": "false", onclick: toggle }, text);
    };
    const change = (event) => this.groups.set(i, { gain: Number(event.target.value) });
    const slider = { type: "range", min: -24, max: 6, step: 1, value: String(stem.gain), class: "gain", "data-focus": `gain-${i}`, "aria-label": `Gain of ${stem.name}`, oninput: change };
    return element("div", { class: "controls" }, button("solo", "Solo", "Solo"), button("mute", "Mute", "Mute"), element("input", slider), element("output", {}, ""));
  }

  card(k, i) {
    const each = this.components.get(k);
    const facts = `${hertzText(each.centre)} · ${percentText(each.share)}`;
    const label = `Component ${k}, around ${hertzText(each.centre)}, ${percentText(each.share)} of the model. Play it alone.`;
    const play = element(
      "button",
      { type: "button", class: "play-component", "data-focus": `card-${k}`, "aria-label": label, "aria-describedby": "card-help", "aria-pressed": "false" },
      element("span", { class: "number" }, String(k)),
      element("canvas", { "aria-hidden": "true" }),
      element("span", { class: "facts" }, facts),
    );
    const options = this.groups.stems.map((stem, j) => element("option", { value: String(j), selected: i === j }, stem.name));
    const move = (event) => this.move(k, Number(event.target.value));
    const select = element("select", { "aria-label": `Stem of component ${k}`, "data-focus": `stem-of-${k}`, title: "Move to another stem", onchange: move }, ...options);
    const card = element("li", { class: "card", "data-component": k }, play, element("span", { class: "grip", "aria-hidden": "true" }), select);
    play.addEventListener("click", () => this.mixer.audition(k));
    play.addEventListener("focus", () => this.choose(k));
    play.addEventListener("keydown", (event) => this.onKey(event, k, i));
    makeDraggable(card, ".stem, .new-stem", (column) => {
      if (!column.dataset.stem) this.groups.add();
      this.move(k, Number(column.dataset.stem ?? this.groups.stems.length - 1));
    });
    return card;
  }

  choose(k) {
    this.figure.choose(k);
    for (const card of document.querySelectorAll(".card")) card.classList.toggle("chosen", card.dataset.component === String(k));
  }

  move(k, target) {
    if (!this.groups.move(k, target)) return;
    announce(`Component ${k} moved to ${this.groups.stems[target].name}`);
  }

  // Arrows move a card to the stem beside it, and the focus to the card above or below.
  onKey(event, k, i) {
    const cards = [...document.querySelectorAll(".play-component")];
    const at = cards.indexOf(event.currentTarget);
    const actions = {
      ArrowLeft: () => this.move(k, i - 1),
      ArrowRight: () => this.move(k, i + 1),
      ArrowUp: () => cards[at - 1]?.focus(),
      ArrowDown: () => cards[at + 1]?.focus(),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  showMix() {
    this.groups.stems.forEach((stem, i) => {
      const column = find("stems").children[i];
      setPressed(column.querySelector(".solo"), stem.solo);
      setPressed(column.querySelector(".mute"), stem.mute);
      column.classList.toggle("silent", this.groups.level(i) === 0);
      const text = `${stem.gain > 0 ? "+" : ""}${stem.gain} dB`.replace("-", "−");
      column.querySelector("output").textContent = text;
      column.querySelector(".gain").setAttribute("aria-valuetext", text);
    });
  }

  showSoloed() {
    for (const button of document.querySelectorAll(".play-component")) {
      setPressed(button, button.dataset.focus === `card-${this.mixer.soloed}`);
    }
  }

  drawCanvases() {
    this.groups.stems.forEach((stem, i) => {
      const colour = colourValue(stem.colour);
      for (const canvas of find("stems").children[i]?.querySelectorAll("canvas") ?? []) {
        const { pen, width, height } = prepared(canvas);
        const k = Number(canvas.closest(".card").dataset.component);
        drawActivation(pen, activations.get(k), { width, bottom: height, height, colour });
      }
    });
  }

  showCommand() {
    find("command").textContent = this.groups.command();
    find("changed").hidden = !this.groups.anyRegrouped;
    find("keep").hidden = report.components.length === 0;
  }
}

async function copyCommand() {
  const range = document.createRange();
  range.selectNodeContents(find("command"));
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  try {
    await navigator.clipboard.writeText(find("command").textContent);
    announce("Command copied");
    find("copy-command").textContent = "Copied";
  } catch {
    announce("Command selected");
    find("copy-command").textContent = "Selected";
  }
  setTimeout(() => (find("copy-command").textContent = "Copy"), 1500);
}
