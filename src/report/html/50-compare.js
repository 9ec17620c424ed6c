// Two runs side by side: what differs, and both courses in one chart.

const runColours = () => [css("c0"), css("c1")];

function figureText(name, value) {
  if (name === "rate") return rate(value);
  if (name === "throughput") return byteRate(value);
  if (name === "errors") return (value * 100).toFixed(2) + "%";
  return latency(value);
}
const signed = share => (share === null ? "new" : (share >= 0 ? "+" : "") + (share * 100).toFixed(1) + "%");

const tooFew = figure => (figure.too_few === "samples" ? "too few samples" : "too few independent seconds");

function comparedTable(comparison, pattern) {
  const rows = comparison.figures.filter(f => f.pattern === pattern).map(f => [`${f.operation} ${f.figure}`, figureText(f.figure, f.a), figureText(f.figure, f.b),
    {text: signed(f.change), class: f.different ? "bad" : null}, f.threshold === null ? tooFew(f) : (f.threshold * 100).toFixed(1) + "%",
    {node: f.different ? el("span", {class: "badge bad"}, "different") : el("span", {}, "")}]);
  const sizes = comparison.sizes.filter(s => s.pattern === pattern).flatMap(s => [["p50", s.p50_us], ["p99", s.p99_us]].map(([name, [a, b]]) =>
    [`${s.operation} ${sizeName(s.size)} ${name}`, latency(a), latency(b), signed(b / a - 1), "", ""]));
  return [card("Figures", `a change is a difference beyond 3% and beyond chance: intervals of ${(comparison.confidence * 100)}% for all ${comparison.intervals} together (${comparison.correction})`,
    table(["figure", "A", "B", "change", "says something from", ""], rows, {id: "compared"})),
  sizes.length ? card("Sizes", "side by side; whether they differ is not told, since a second's figures are kept for all sizes together", table(["size", "A", "B", "change", "", ""], sizes)) : null];
}

// The bins of the runs may be of different width: each keeps its own.
function overlay(title, hint, runs, courses, valuesOf, axis, format) {
  const holder = el("div", {class: "chart"});
  const lines = runs.map((run, i) => ({name: "AB"[i], colour: runColours()[i], step: run.bin_seconds, values: courses[i] ? valuesOf(run, courses[i]) : []}));
  return [card(title, hint, keys(lines.map(l => [l.name, l.colour])), holder),
    () => timeChart(holder, lines, {step: runs[0].bin_seconds, mode: "nearest", axis: axis(lines.flatMap(l => l.values)), format, label: title})];
}

function comparePage({comparison, runs}) {
  const page = document.getElementById("page");
  const names = runs[0].patterns.map(p => p.name).filter(name => runs[1].patterns.some(p => p.name === name));
  if (!names.includes(state.pattern)) state.pattern = names[0];
  const both = runs.map(run => run.patterns.find(p => p.name === state.pattern));
  const operations = both[0] ? shownOperations(both[0]).map(o => o.name).filter(name => both[1].operations.some(o => o.name === name)) : [];
  if (!operations.includes(state.operation)) state.operation = operations[0];
  const chosen = both.map(p => p?.operations.find(o => o.name === state.operation));
  time.step = Math.min(...runs.map(r => r.bin_seconds));
  const length = Math.max(...runs.map(r => r.covered.length * r.bin_seconds), 1);
  if (time.whole[1] !== length) { time.whole = [0, length]; [time.min, time.max] = time.whole; }

  const parts = [];
  if (chosen[0] && chosen[1]) {
    const courses = chosen.map(o => o.course);
    parts.push(overlay("Operations", "a second", runs, courses, (run, c) => perSecond(run, c.count), () => linearAxis("", v => rate(v)), v => rate(v)));
    if (courses.some(c => c.bytes.some(v => v > 0)))
      parts.push(overlay("Throughput", "bytes a second", runs, courses, (run, c) => perSecond(run, c.bytes), () => byteAxis(""), v => byteRate(v)));
    for (const p of ["p50", "p99"])
      parts.push(overlay(`${state.operation} ${p}`, "response time; logarithmic", runs, courses, (_, c) => present(c[p]), values => logAxis("", latency, logRange(values)), latency));
    const holder = el("div", {class: "chart tall"}), curves = chosen.map((o, i) => ({name: "AB"[i], colour: runColours()[i], points: o.curves.response, width: 2}));
    parts.push([card(`${state.operation} by percentile`, "response time of the whole runs", keys(curves.map(c => [c.name, c.colour])), holder),
      () => percentileChart(holder, curves.filter(c => c.points.length), `${state.operation} by percentile`)]);
  }
  const describe = (label, run, colour) => el("div", {}, el("i", {style: `display:inline-block;width:12px;height:12px;border-radius:3px;background:${colour};margin-right:8px`}),
    el("strong", {}, label + "  "), `${run.run.id}: ${run.run.started.slice(0, 16).replace("T", " ")} UTC, ${duration(Math.round(run.summary.run.seconds * 10) / 10)}${run.ended ? "" : ", did not end"}`);
  const failed = comparison.fail_if.filter(rule => !rule.passed);
  const kind = failed.length ? "bad" : comparison.different || comparison.verdict.startsWith("Nothing") ? "note" : "good";
  const reset = el("button", {type: "button", id: "reset", hidden: "", onclick: () => showTime(...time.whole)}, "Show all of the time");
  time.onzoom = zoomed => { reset.hidden = !zoomed; };
  const choice = (list, key) => list.map(name => el("button", {type: "button", "aria-pressed": String(state[key] === name), [`data-${key}`]: name,
    onclick: () => { state[key] = name; redraw(); }}, name));
  page.replaceChildren(...[
    el("header", {}, el("div", {}, el("div", {class: "eyebrow"}, "s3loadtest comparison"), el("h1", {id: "title"}, runs[0].run.pattern)), themeButton()),
    describe("A", runs[0], runColours()[0]), describe("B", runs[1], runColours()[1]), el("p", {}),
    ...comparison.warnings.map(text => el("div", {class: "banner bad warning"}, text)),
    el("div", {class: `banner ${kind}`}, el("b", {id: "sentence"}, comparison.verdict)),
    comparison.forced_past.length ? el("div", {class: "banner note"}, el("b", {}, "These runs did not do the same"), comparison.forced_past.join("; ")) : null,
    comparison.fail_if.length ? card("Failures asked for", null, table(["change", "result", "measured"], comparison.fail_if.map(rule => [rule.expression,
      {node: el("span", {class: `badge ${rule.passed ? "good" : "bad"}`}, rule.passed ? "pass" : "fail")}, signed(rule.change) + (rule.told ? "" : "; too little to tell: a longer run would")]), {text: [1]})) : null,
    el("nav", {}, names.length > 1 ? choice(names, "pattern") : null, operations.length > 1 ? choice(operations, "operation") : null, el("span", {class: "gap"}), reset),
    ...parts.map(p => p[0]), ...comparedTable(comparison, state.pattern),
    el("footer", {}, "Percentiles are merged from histograms, never averaged; 1 KiB is 1024 bytes.")].filter(Boolean));
  for (const [, make] of parts) make();
  time.onzoom(time.min > time.whole[0] || time.max < time.whole[1]);
}
