"use strict";
// Figures as people read them, the same as the text report writes them; and small helpers for the page.

const thousands = n => Math.round(n).toLocaleString("en-US");
// Three digits, without zeros that say nothing.
function digits(value) {
  if (value === 0) return "0";
  if (Math.abs(value) >= 999.5) return thousands(value);
  return String(Number(value.toPrecision(3)));
}
function latency(us) {
  if (us == null || !isFinite(us)) return "-";
  if (us < 999.5) return digits(us) + "µs";
  if (us < 999.5e3) return digits(us / 1e3) + "ms";
  return digits(us / 1e6) + "s";
}
function scaled(value, units, step) {
  let at = 0;
  while (value >= 999.5 && at + 1 < units.length) { value /= step; at += 1; }
  return digits(value) + " " + units[at];
}
const bytes = n => scaled(n, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"], 1024);
const byteRate = n => bytes(n) + "/s";
const rate = n => (n >= 999.5 ? thousands(n) : digits(n)) + "/s";
const percent = share => (share > 0 && share < .001 ? "<0.1%" : (share * 100).toFixed(1) + "%");
function duration(seconds) {
  if (seconds < 60) return digits(Math.round(seconds * 1000) / 1000) + "s";
  let rest = Math.round(seconds);
  let text = "";
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]]) {
    if (rest >= length) { text += Math.floor(rest / length) + unit; rest %= length; }
  }
  return text;
}
// "1KB" of keys is 1024 bytes: 1 KiB.
const sizeName = label => label.replace(/^([\d.]+)([KMGT])B$/, "$1 $2iB").replace(/^(\d+)B$/, "$1 B");
const sizeBytes = label => {
  const match = /^([\d.]+)([KMGT]?)B?$/.exec(label);
  return match ? Number(match[1]) * 1024 ** " KMGT".indexOf(match[2] || " ") : 0;
};
const bySize = (a, b) => sizeBytes(a) - sizeBytes(b) || (a < b ? -1 : 1);
const operationOrder = ["GET", "PUT", "HEAD", "DELETE", "DELETE-BATCH", "LIST", "PART", "TRIM"];

// An element: el("td", {class: "bad"}, "text", child…). Text never becomes HTML.
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value != null && value !== false) node.setAttribute(name, value);
  }
  for (const child of children.flat()) if (child != null) node.append(child);
  return node;
}
// rows: lists of cells, each text or {text, class}; `text` columns (by number) stand to the left.
function table(header, rows, options = {}) {
  const left = new Set(options.text || []);
  const cell = (tag, content, column) => {
    const value = content !== null && typeof content === "object" && !(content instanceof Node) ? content : {text: content};
    const classes = [value.class, left.has(column) && "text", (options.wrap || []).includes(column) && tag === "td" && "wrap"];
    return el(tag, {scope: tag === "th" ? "col" : null, class: classes.filter(Boolean).join(" ") || null, title: value.title}, value.node || value.text);
  };
  return el("div", {class: "scroll"}, el("table", {id: options.id},
    el("thead", {}, el("tr", {}, header.map((text, column) => cell("th", text, column)))),
    el("tbody", {}, rows.map(row => el("tr", {class: row.class}, (row.cells || row).map((content, column) => cell("td", content, column)))))));
}
const card = (title, hint, ...content) =>
  el("section", {}, el("h2", {}, title), hint ? el("p", {class: "hint"}, hint) : null, ...content);
const keys = entries => el("div", {class: "keys"}, entries.map(([name, colour, shape]) =>
  el("span", {}, el("i", {class: shape, style: `background:${colour};color:${colour}`}), name)));

const css = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const operationColours = {GET: 0, PUT: 1, HEAD: 2, DELETE: 3, LIST: 4, "DELETE-BATCH": 5, PART: 7, TRIM: 6};
const operationColour = name => css("c" + (operationColours[name] ?? 6));
const anyColour = index => css("c" + index % 8);
