// Elements of the report. All text is set as text, never as markup.

import { frame, root } from "./host.js";

const SVG = "http://www.w3.org/2000/svg";

export function find(id) {
  return root.getElementById(id);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function drawn(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// Show a message for some seconds, and say it to screen readers.
let fading = null;

export function announce(text) {
  find("announcements").textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => (find("announcements").textContent = ""), 4000);
}

export function setPressed(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}

export function downloadJson(name, value) {
  download(name, new Blob([JSON.stringify(value, null, 1)], { type: "application/json" }));
}

export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

const COLOURS = 8;

export function colourName(stem) {
  return `var(--stem-${stem % COLOURS})`;
}

export function colourValue(stem) {
  return getComputedStyle(frame).getPropertyValue(`--stem-${stem % COLOURS}`).trim();
}

export function themeValue(name) {
  return getComputedStyle(frame).getPropertyValue(name).trim();
}
