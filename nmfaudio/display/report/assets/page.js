// What only a page has: its heading, printing, and a name for the console and for tests.

import { counted, timeText } from "./data.js";
import { report, root } from "./host.js";
import { find } from "./elements.js";
import { parts } from "./main.js";

find("title").textContent = report.title;
find("subtitle").textContent = [
  counted(report.stems.length, "stem"),
  report.components.length && counted(report.components.length, "component"),
  report.notes.length && counted(report.notes.length, "note"),
  timeText(report.seconds),
  `${report.sr / 1000} kHz`,
].filter(Boolean).join(" · ");

addEventListener("beforeprint", () => {
  for (const details of root.querySelectorAll("details")) details.open = true;
});

globalThis.nmfaudioReport = parts;
