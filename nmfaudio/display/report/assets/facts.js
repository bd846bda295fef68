// Numbers of the separation: facts, measures, losses, settings, versions.

import { report } from "./host.js";
import { drawn, element, find } from "./elements.js";

export function setUpFacts() {
  find("facts").replaceChildren(...pairs(report.facts));
  find("settings").replaceChildren(...pairs(report.settings));
  find("versions").replaceChildren(...pairs(report.versions));
  find("remarks").replaceChildren(...report.remarks.map((text) => element("p", { class: "notice" }, text)));
  showScores();
  showLosses();
}

function pairs(rows) {
  return rows.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)));
}

function showScores() {
  const names = Object.keys(report.scores);
  find("scores").hidden = names.length === 0;
  if (names.length === 0) return;
  const measures = Object.keys(report.scores[names[0]]);
  const references = names.some((name) => report.references[name] && report.references[name] !== name);
  const titles = ["stem", ...(references ? ["compared with"] : []), ...measures].map((text) =>
    element("th", { scope: "col" }, text),
  );
  const rows = names.map((name) => {
    const values = measures.map((measure) => report.scores[name][measure].replace("-", "−"));
    if (references) values.unshift(report.references[name] ?? "");
    const cells = values.map((value) => element("td", {}, value));
    return element("tr", {}, element("th", { scope: "row" }, name), ...cells);
  });
  find("score-table").replaceChildren(element("thead", {}, element("tr", {}, ...titles)), element("tbody", {}, ...rows));
}

const MOST_MARKERS = 12;
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [520, 230, 76, 30, 10];

// Losses over iterations, on a logarithmic axis unless one is zero or negative.
function showLosses() {
  const { iterations, values } = report.losses;
  find("losses").parentElement.hidden = values.length < 2;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const scale = least > 0 ? Math.log10 : Number;
  const short = formatOf([least, most]);
  const span = scale(most) - scale(least) || 1;
  const lastIteration = iterations.at(-1) || 1;
  const x = (iteration) => LEFT + ((WIDTH - LEFT - 10) * iteration) / lastIteration;
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (scale(value) - scale(least)) / span);
  const points = values.map((value, i) => `${x(iterations[i]).toFixed(1)},${y(value).toFixed(1)}`);
  const horizontal = [least, most].map((value) => [
    drawn("line", { class: "grid", x1: LEFT, x2: WIDTH - 10, y1: y(value), y2: y(value) }),
    drawn("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, short(value)),
  ]);
  const vertical = [0, lastIteration].map((value) =>
    drawn("text", { x: x(value), y: HEIGHT - 8, "text-anchor": value ? "end" : "start" }, `${value}`),
  );
  const middle = drawn("text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, "iterations");
  find("losses").setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  const curve = drawn("polyline", { points: points.join(" ") });
  const few = points.length <= MOST_MARKERS ? points.map((point) => point.split(",")) : [];
  const markers = few.map(([cx, cy]) => drawn("circle", { cx, cy, r: 4 }));
  if (least > 0) find("loss-scale").textContent = ", on a logarithmic scale";
  const ends = `${short(values[0])} to ${short(values.at(-1))}`;
  find("losses").setAttribute("aria-label", `Loss from ${ends} in ${lastIteration} iterations`);
  find("losses").replaceChildren(...horizontal.flat(), ...vertical, middle, curve, ...markers);
}

// Formatter of all the values of an axis.
function formatOf(values) {
  const extreme = values.some((value) => Math.abs(value) >= 1e6 || (value && Math.abs(value) < 1e-3));
  const notation = extreme ? "scientific" : "standard";
  return (value) => value.toLocaleString("en", { maximumSignificantDigits: 4, notation });
}
