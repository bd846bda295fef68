// V with the chosen template W at its left and the activations H below.

import { heightOf, hertzText, noteName, percentText } from "./data.js";
import { report, root } from "./host.js";
import { activations, drawActivation, drawTemplate, prepared, templates } from "./drawing.js";
import { frequencyTicks, timeAt, timeTicks } from "./drawing.js";
import { colourValue, element, find, themeValue } from "./elements.js";

const ROW_HEIGHT = 9; // px of an activation below the chosen one
const MOST_ROWS = 60;
const CHOSEN_HEIGHT = 72;

export class Figure {
  constructor(groups, mixer) {
    this.groups = groups;
    this.mixer = mixer;
    this.chosen = mostEnergetic();
    this.drawAxes();
    this.fillPictures();
    groups.addEventListener("change", (event) => {
      if (event.detail !== "mix") this.draw();
      if (event.detail === "names") this.fillPictures();
    });
    find("H").addEventListener("click", (event) => this.chooseRow(event));
    find("picture").addEventListener("change", () => this.showPicture());
    for (const part of root.querySelectorAll(".seekable")) {
      part.addEventListener("click", (event) => {
        if (part.classList.contains("painting")) return;
        mixer.player.seek(timeAt(event, part.getBoundingClientRect()));
      });
    }
    new ResizeObserver(() => this.draw()).observe(find("H"));
    this.showPicture();
  }

  choose(component) {
    if (this.chosen === component) return;
    this.chosen = component;
    this.draw();
  }

  // Rows of H and their title: components by stem, or the strongest of the chosen stem if there are many.
  get rows() {
    const rows = this.groups.stems.map((stem, i) => stem.components.map((k) => ({ k, stem: i }))).flat();
    if (rows.length <= MOST_ROWS) return { rows, title: "all below" };
    const chosen = this.groups.stemOf(this.chosen);
    const own = rows.filter((row) => row.stem === chosen);
    if (own.length <= MOST_ROWS) return { rows: own, title: "those of its stem below" };
    const strongest = new Set(report.components.toSorted((a, b) => b.share - a.share)
      .map((each) => each.index).filter((k) => this.groups.stemOf(k) === chosen).slice(0, MOST_ROWS));
    const title = `the ${MOST_ROWS} strongest of the ${own.length} of its stem below`;
    return { rows: own.filter((row) => strongest.has(row.k)), title };
  }

  draw() {
    if (this.chosen === undefined) return;
    const stem = this.groups.stemOf(this.chosen);
    const each = report.components.find((other) => other.index === this.chosen);
    const colour = colourValue(this.groups.stems[stem].colour);
    drawTemplate(find("W"), templates.get(this.chosen), colour);
    this.drawActivations(colour);
    find("chosen").textContent = `Component ${each.index} of ${this.groups.stems[stem].name}`;
    const around = hertzText(each.centre) + pitchText(each.centre);
    const share = `${percentText(each.share)} of the model`;
    find("component-saving").hidden = !this.mixer.isWhole(this.chosen);
    find("chosen-facts").textContent = `around ${around}, ${share}${lastsText(each.template)}`;
    find("W").setAttribute("aria-label", `Template of component ${each.index}, around ${around}`);
  }

  drawActivations(colour) {
    const canvas = find("H");
    const { rows, title } = this.rows;
    find("rows").textContent = title;
    canvas.style.height = `${CHOSEN_HEIGHT + 10 + ROW_HEIGHT * rows.length}px`;
    const { pen, width } = prepared(canvas);
    const area = { width, bottom: CHOSEN_HEIGHT, height: CHOSEN_HEIGHT - 6, colour };
    drawActivation(pen, activations.get(this.chosen), area);
    pen.fillStyle = themeValue("--line");
    pen.fillRect(0, CHOSEN_HEIGHT, width, 1);
    rows.forEach((row, i) => {
      pen.globalAlpha = row.k === this.chosen ? 1 : 0.55;
      drawActivation(pen, activations.get(row.k), {
        width,
        bottom: CHOSEN_HEIGHT + 9 + (i + 1) * ROW_HEIGHT,
        height: ROW_HEIGHT - 1,
        colour: colourValue(this.groups.stems[row.stem].colour),
      });
    });
    const label = `Activation of component ${this.chosen} over time, and those of ${rows.length} components below`;
    canvas.setAttribute("aria-label", label);
  }

  chooseRow(event) {
    const box = find("H").getBoundingClientRect();
    const row = this.rows.rows[Math.floor((event.clientY - box.top - CHOSEN_HEIGHT - 10) / ROW_HEIGHT)];
    if (row) this.choose(row.k);
  }

  fillPictures() {
    const names = ["the mixture", ...this.groups.stems.filter((stem) => stem.sound).map((stem) => stem.name)];
    const select = find("picture");
    const selected = Math.max(0, select.selectedIndex);
    select.replaceChildren(...names.map((name, i) => element("option", { value: String(i) }, name)));
    select.selectedIndex = selected;
  }

  showPicture() {
    const select = find("picture");
    find("V").src = `data:image/png;base64,${report.pictures[select.selectedIndex]}`;
    const range = `${hertzText(report.axis.low)} to ${hertzText(report.axis.high)}`;
    find("V").alt = `Spectrogram of ${select.selectedOptions[0].textContent}, ${range}`;
  }

  drawAxes() {
    find("frequencies").replaceChildren(
      ...frequencyTicks().map((hertz) => {
        const tick = element("span", {}, hertz < 1000 ? `${hertz}` : `${hertz / 1000} k`);
        tick.style.bottom = `${100 * heightOf(hertz)}%`;
        return tick;
      }),
    );
    for (const axis of root.querySelectorAll(".times")) {
      axis.replaceChildren(
        ...timeTicks(matchMedia("(max-width: 640px)").matches ? 5 : 10).map((time) => {
          const tick = element("span", {}, `${time}`);
          tick.style.left = `${(100 * time) / report.seconds}%`;
          return tick;
        }),
      );
    }
  }
}

// Move the line of the clock in all pictures over time.
export function showPlayheads(time, loop) {
  for (const line of root.querySelectorAll(".playhead")) {
    line.style.left = `${(100 * time) / report.seconds}%`;
  }
  for (const part of root.querySelectorAll(".loop-part")) {
    part.hidden = !loop;
    if (!loop) continue;
    part.style.left = `${(100 * loop.from) / report.seconds}%`;
    part.style.width = `${(100 * (loop.to - loop.from)) / report.seconds}%`;
  }
}

function mostEnergetic() {
  return report.components.toSorted((a, b) => b.share - a.share)[0]?.index;
}

function lastsText({ lags, seconds }) {
  return lags > 1 ? `; its template lasts ${Math.round(1000 * seconds)} ms` : "";
}

function pitchText(hertz) {
  if (hertz < 27 || hertz > 5000) return "";
  return ` (near ${noteName(69 + 12 * Math.log2(hertz / 440))})`;
}
