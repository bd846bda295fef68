// A column for each stem with its mixer, and a card for each of its components.

import { counted, hertzText, percentText } from "./data.js";
import { report, root } from "./host.js";
import { activations, drawActivation, prepared } from "./drawing.js";
import { makeDraggable } from "./dragging.js";
import { announce, colourName, colourValue, downloadJson, element, find, setPressed } from "./elements.js";

export class Cards {
  constructor(groups, mixer, figure, saving) {
    Object.assign(this, { groups, mixer, figure, saving });
    this.components = new Map(report.components.map((each) => [each.index, each]));
    groups.addEventListener("change", (event) => {
      if (event.detail === "mix") this.showMix();
      else this.draw();
    });
    mixer.addEventListener("change", () => this.showSoloed());
    find("save-groups").addEventListener("click", () => downloadJson("groups.json", groups.json()));
    find("copy-command").addEventListener("click", () => copyCommand());
    new ResizeObserver(() => this.drawCanvases()).observe(find("stems"));
    this.draw();
  }

  draw() {
    const focused = root.activeElement?.dataset.focus;
    const add = element(
      "button",
      { type: "button", id: "add-stem", class: "new-stem", onclick: () => this.addStem() },
      "New stem",
    );
    find("stems").replaceChildren(...this.groups.stems.map((_, i) => this.column(i)), add);
    this.showMix();
    this.showSoloed();
    this.drawCanvases();
    this.showCommand();
    if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  addStem() {
    this.groups.add();
    find("stems").children[this.groups.stems.length - 1].querySelector("input").select();
  }

  column(i) {
    const stem = this.groups.stems[i];
    const share = (k) => this.components.get(k).share;
    const strongestFirst = stem.components.toSorted((a, b) => share(b) - share(a));
    const cards = strongestFirst.map((k) => this.card(k, i));
    const text = stem.sound && !stem.original ? "No components of its own." : "Drop components here.";
    const list = cards.length
      ? element("ul", { class: "cards" }, ...cards)
      : element("p", { class: "empty" }, text);
    const column = element(
      "section",
      { class: "stem", "data-stem": i, "aria-label": stem.name },
      this.header(i),
      this.controls(i),
      list,
    );
    column.style.setProperty("--stem", colourName(stem.colour));
    return column;
  }

  header(i) {
    const { name, components } = this.groups.stems[i];
    const input = element("input", {
      class: "name",
      value: name,
      spellcheck: "false",
      "aria-label": `Name of stem ${i + 1}`,
      "data-focus": `name-${i}`,
      onchange: (event) => this.groups.rename(i, event.target.value),
    });
    const share = components.reduce((sum, k) => sum + this.components.get(k).share, 0);
    const count = counted(components.length, "component");
    const text = components.length ? `${count}, ${percentText(share)}` : "";
    const facts = element("span", { class: "facts" }, text);
    const save = this.saveButton(i);
    if (!this.groups.isRegrouped(i)) return element("header", {}, input, save, facts);
    const badge = element("span", { class: "badge" }, this.mixer.soundsOf(i) ? "preview" : "not heard");
    return element("header", {}, input, badge, save, facts);
  }

  controls(i) {
    const slider = element("input", {
      type: "range",
      class: "gain",
      min: -24,
      max: 6,
      step: 1,
      value: String(this.groups.stems[i].gain),
      "aria-label": `Gain of ${this.groups.stems[i].name}`,
      "data-focus": `gain-${i}`,
      oninput: (event) => this.groups.set(i, { gain: Number(event.target.value) }),
    });
    return element(
      "div",
      { class: "controls" },
      this.switch(i, "solo", "Solo"),
      this.switch(i, "mute", "Mute"),
      slider,
      element("output"),
    );
  }

  saveButton(i) {
    const sounds = this.mixer.soundsOf(i);
    const moved = "A component was moved that has no whole sound; the command computes the stem";
    return element(
      "button",
      {
        type: "button",
        class: "save-stem",
        title: sounds ? "Save as WAV" : moved,
        "aria-label": `Save ${this.groups.stems[i].name} as WAV`,
        "data-focus": `save-${i}`,
        disabled: !sounds?.length,
        onclick: () => this.saving.stem(i),
      },
      "Save",
    );
  }

  switch(i, kind, text) {
    const stem = this.groups.stems[i];
    return element(
      "button",
      {
        type: "button",
        class: kind,
        "aria-label": `${text} ${stem.name}`,
        "aria-pressed": "false",
        "data-focus": `${kind}-${i}`,
        onclick: () => this.groups.set(i, { [kind]: !stem[kind] }),
      },
      text,
    );
  }

  card(k, i) {
    const play = this.playButton(k);
    const options = this.groups.stems.map((stem, j) =>
      element("option", { value: String(j), selected: i === j }, stem.name),
    );
    const select = element(
      "select",
      {
        title: "Move to another stem",
        "aria-label": `Stem of component ${k}`,
        "data-focus": `stem-of-${k}`,
        onchange: (event) => this.move(k, Number(event.target.value)),
      },
      ...options,
    );
    const grip = element("span", { class: "grip", "aria-hidden": "true" });
    const card = element("li", { class: "card", "data-component": k }, play, grip, select);
    play.addEventListener("click", () => this.mixer.audition(k));
    play.addEventListener("focus", () => this.choose(k));
    play.addEventListener("keydown", (event) => this.onKey(event, k, i));
    makeDraggable(card, ".stem, .new-stem", (column) => {
      if (!column.dataset.stem) this.groups.add();
      this.move(k, Number(column.dataset.stem ?? this.groups.stems.length - 1));
    });
    return card;
  }

  playButton(k) {
    const each = this.components.get(k);
    const [centre, share] = [hertzText(each.centre), percentText(each.share)];
    const action = each.seconds ? "Play it alone." : "It has no sound of its own.";
    return element(
      "button",
      {
        type: "button",
        class: "play-component",
        "aria-label": `Component ${k}, around ${centre}, ${share} of the model. ${action}`,
        "aria-describedby": "card-help",
        "aria-pressed": "false",
        title: each.seconds ? null : action,
        "data-focus": `card-${k}`,
      },
      element("span", { class: "number" }, String(k)),
      element("canvas", { "aria-hidden": "true" }),
      element("span", { class: "facts" }, `${centre} · ${share}${each.seconds ? "" : " · silent"}`),
    );
  }

  choose(k) {
    this.figure.choose(k);
    for (const card of root.querySelectorAll(".card")) {
      card.classList.toggle("chosen", card.dataset.component === String(k));
    }
  }

  move(k, target) {
    if (!this.groups.move(k, target)) return;
    announce(`Component ${k} moved to ${this.groups.stems[target].name}`);
  }

  // Arrows move a card to the stem beside it, and the focus to the card above or below; S saves it.
  onKey(event, k, i) {
    const cards = [...root.querySelectorAll(".play-component")];
    const at = cards.indexOf(event.currentTarget);
    const actions = {
      ArrowLeft: () => this.move(k, i - 1),
      ArrowRight: () => this.move(k, i + 1),
      ArrowUp: () => cards[at - 1]?.focus(),
      ArrowDown: () => cards[at + 1]?.focus(),
      s: () => this.mixer.isWhole(k) && this.saving.component(k),
    };
    if (!actions[event.key] || event.ctrlKey || event.metaKey) return;
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
    for (const button of root.querySelectorAll(".play-component")) {
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
    find("preview").hidden = !this.mixer.canPreview;
    find("no-preview").hidden = this.mixer.canPreview;
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
