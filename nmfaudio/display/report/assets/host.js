// Surroundings of the report: on a page the whole document. In a widget these are arguments.

export const root = document;
export const frame = document.body; // has the colours
export const report = JSON.parse(document.getElementById("report-data").textContent);
export const { signal } = new AbortController(); // ends what listens and repeats
