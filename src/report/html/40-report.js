// The report of one run, from top to bottom.

const state = {pattern: null, operation: null};

function headerOf(run, summary) {
  const started = run.started.slice(0, 16).replace("T", " ");
  const seconds = summary.run.seconds;
  return el("header", {}, el("div", {},
    el("div", {class: "eyebrow"}, "s3loadtest report"),
    el("h1", {id: "title"}, run.pattern),
    el("div", {class: "meta"}, `${started} UTC, ${duration(Math.round(seconds * 10) / 10)}, ${run.backend} to ${run.bucket} at ${run.endpoints.length > 2
      ? `${run.endpoints[0]} and ${run.endpoints.length - 1} more` : run.endpoints.join(", ")}`)), themeButton());
}

function themeButton() {
  return el("button", {id: "theme", type: "button", onclick: () => {
    setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    redraw();
  }}, "Dark / light");
}
function setTheme(theme) { document.documentElement.dataset.theme = theme; }

function bannerOf(data) {
  const {verdict} = data.summary;
  const limit = verdict.bottleneck, parts = [];
  if (limit.startsWith("client")) {
    const what = limit === "client-cpu" ? "its CPU" : "its network";
    parts.push(["bad", `Do not trust these figures as the storage's: this client was the bottleneck (${what})`, verdict.why]);
  } else if (limit === "storage") {
    parts.push(["good", "The storage was the limit, and this client was not", verdict.why]);
  } else {
    parts.push(["note", "Neither the storage nor this client was seen at its limit", verdict.why]);
  }
  if (data.goes_on) parts.unshift(["note", "The run is still going", "These are the figures up to now; sizes, steadiness and intervals are told at the end."]);
  else if (!data.ended) parts.unshift(["bad", "The run did not end", "These are the figures up to its last recorded second; sizes, steadiness and intervals are told at the end only and are missing."]);
  else if (!verdict.passed) {
    const missed = (verdict.slo || []).filter(s => !s.passed).map(s => s.expression);
    parts.unshift(["bad", "The run did not pass", missed.length ? `Missed: ${missed.join("; ")}` : "Bytes were wrong, or too many operations failed: see below."]);
  }
  if (verdict.ended_early) parts.push(["bad", "The run was ended early, as --slo-abort asks for", verdict.ended_early]);
  for (const note of data.summary.notes || []) parts.push(["note", sentenceCase(note), null]);
  if (data.summary.run.interrupted) parts.push(["note", "The run was ended before its time", null]);
  if (data.summary.run.time_scale !== 1)
    parts.push(["note", `Time scale ${data.summary.run.time_scale}`, "Phases, windows, gaps and cycles were that many times as short as written."]);
  return parts.map(([kind, head, text]) => el("div", {class: `banner ${kind}`}, el("b", {}, head), text ? sentenceCase(text) : null));
}
const sentenceCase = text => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

function sloCard(summary) {
  const slo = summary.verdict.slo || [];
  if (!slo.length) return null;
  const value = s => (s.measured ? s.measured : s.value == null ? s.why || "no value" : typeof s.value !== "number" ? String(s.value)
    : s.unit === "us" ? latency(s.value) : s.unit === "bytes/s" ? byteRate(s.value) : s.unit === "/s" ? rate(s.value)
      : s.unit === "ratio" ? digits(s.value * 100) + "%" : `${digits(s.value)} ${s.unit || ""}`.trim());
  return card("Service level objectives", null, table(["objective", "result", "measured"], slo.map(s => [
    s.expression, {node: el("span", {class: `badge ${s.passed ? "good" : "bad"}`}, s.passed ? "pass" : "fail")}, value(s)]), {text: [1], wrap: [0], id: "slo"}));
}

// What rates are made of: without what ended after the load was stopped.
const inTime = figures => figures.count - (figures.late || 0);
const bytesInTime = figures => figures.bytes_moved - (figures.late_bytes || 0);

// What the operations of a pattern add up to; a PART counts with its PUT, a TRIM stands outside.
function totalsOf(summary, pattern) {
  const sum = {count: 0, in_time: 0, bytes: 0, errors: 0};
  for (const [name, figures] of Object.entries(summary.patterns[pattern]?.operations || {})) {
    if (name === "PART") continue;
    sum.errors += figures.errors;
    if (name === "TRIM") continue;
    sum.count += figures.count;
    sum.in_time += inTime(figures);
    sum.bytes += bytesInTime(figures);
  }
  return sum;
}
function tiles(data, patterns) {
  const {summary} = data, seconds = Math.max(1e-9, summary.run.seconds);
  const sum = patterns.map(p => totalsOf(summary, p)).reduce((a, b) => ({count: a.count + b.count, in_time: a.in_time + b.in_time, bytes: a.bytes + b.bytes, errors: a.errors + b.errors}), {count: 0, in_time: 0, bytes: 0, errors: 0});
  const entries = [[thousands(sum.count), "operations"], [rate(sum.in_time / seconds), "operations a second"], [byteRate(sum.bytes / seconds), "throughput"],
    [thousands(sum.errors), "errors"]];
  const worst = patterns.flatMap(p => Object.entries(summary.patterns[p]?.operations || {}).filter(([name]) => name !== "TRIM" && name !== "PART"))
    .filter(([, f]) => f.response_us.max > 0);
  if (patterns.length === 1) for (const [name, f] of worst.slice(0, 2)) entries.push([latency(f.response_us.p99), `${name} p99`]);
  return el("div", {class: "tiles", id: "tiles"}, entries.map(([value, name]) => el("div", {}, el("b", {}, value), el("span", {}, name))));
}

// Values a second of a bin; null where the run covers less than half of it, unless there is no other.
const perSecond = (data, values) => values.map((v, i) => (data.covered[i] > 0 && (data.covered[i] >= data.bin_seconds / 2 || values.length === 1) ? v / data.covered[i] : null));
const present = values => values.map(v => (v > 0 ? v : null));
const addUp = lists => lists[0].map((_, i) => lists.reduce((sum, list) => sum + list[i], 0));
const shownOperations = pattern => pattern.operations.filter(o => o.name !== "PART");

function throughputCards(data, lines, context) {
  const cards = [];
  const make = (title, hint, field, axis, format) => {
    const some = lines.filter(line => line[field].some(v => v > 0));
    if (!some.length) return;
    const holder = el("div", {class: "chart"});
    cards.push([card(title, hint, some.length > 1 ? keys(some.map(l => [l.name, l.colour])) : keys([[some[0].name, some[0].colour]]), holder),
      () => timeChart(holder, some.map(l => ({...l, values: perSecond(data, l[field])})), {...context, axis, format, label: title})]);
  };
  make("Operations", "a second", "count", linearAxis("", v => rate(v)), v => rate(v));
  make("Throughput", "bytes a second, as they moved", "bytes", byteAxis(""), v => byteRate(v));
  return cards;
}

function latencyCard(data, operation, context) {
  const {course} = operation, holder = el("div", {class: "chart tall"});
  const lines = [["p50", "p50"], ["p95", "p95"], ["p99", "p99"], ["max", "pmax"]].map(([name, colour]) =>
    ({name, colour: css(colour), values: present(course[name])}));
  return [card(`${operation.name} response time`, `percentiles of each ${duration(data.bin_seconds)}, merged from histograms; logarithmic`,
    keys(lines.map(l => [l.name, l.colour])), holder),
  () => timeChart(holder, lines, {...context, axis: logAxis("", latency, logRange(lines.flatMap(l => l.values))), format: latency,
    label: `${operation.name} response time over time`})];
}

function heatCard(data, operation, context) {
  const holder = el("div", {class: "chart tall"});
  return [card(`${operation.name} latency heat map`, "where the operations of each moment lie; a second mode shows as a band of its own",
    el("div", {class: "keys"}, el("span", {}, "one", el("i", {class: "ramp", style: "height:10px;width:90px;margin:0 6px;background:linear-gradient(90deg,var(--heat0),var(--heat1),var(--heat2),var(--heat3),var(--heat4))"}), "most")), holder),
  () => heatChart(holder, operation.course.heat, {...context, width: data.bin_seconds * data.bins_a_column, rows: data.rows_a_decade,
    label: `${operation.name} latency heat map`})];
}

function curveCard(operation) {
  const holder = el("div", {class: "chart tall"});
  const {curves} = operation, sizes = Object.keys(curves.sizes).sort(bySize);
  const lines = [{name: "response time", colour: css("ink"), points: curves.response, width: 2.2}];
  if (curves.service.length) lines.push({name: "service time", colour: css("faint"), points: curves.service, dash: [5, 3]});
  sizes.forEach((size, i) => lines.push({name: sizeName(size), colour: anyColour(i), points: curves.sizes[size], width: 1.3}));
  return [card(`${operation.name} by percentile`, "of the whole run; the axis gives each further nine the same room",
    keys(lines.map(l => [l.name, l.colour, l.dash ? "dash" : null])), holder),
  () => percentileChart(holder, lines.filter(l => l.points.length), `${operation.name} by percentile`)];
}

function sizesCard(data, pattern) {
  const bars = [];
  const figuresOf = data.summary.patterns[pattern.name]?.operations || {};
  for (const name of operationOrder.filter(o => figuresOf[o] && o !== "TRIM" && o !== "PART")) {
    const sizes = Object.keys(figuresOf[name].sizes || {}).sort(bySize).filter(s => figuresOf[name].sizes[s].response_us.max > 0);
    if (sizes.length > 1) for (const size of sizes) bars.push([`${name} ${sizeName(size)}`, figuresOf[name].sizes[size].response_us]);
    else if (figuresOf[name].response_us.max > 0) bars.push([name, figuresOf[name].response_us]);
  }
  if (bars.length < 2) return null;
  const holder = el("div", {class: "chart tall"});
  const names = ["p50", "p95", "p99"];
  return [card("Sizes and operations side by side", "response time of the whole run; logarithmic", keys(names.map(n => [n, css(n), "box"])), holder),
    () => draw(holder, {type: "bar", data: {labels: bars.map(b => b[0]), datasets: names.map(n => ({label: n, data: bars.map(b => b[1][n] || null),
      backgroundColor: css(n), categoryPercentage: .74, barPercentage: .92}))},
    options: {interaction: {mode: "index", intersect: false}, scales: {
      x: {grid: {display: false, borderColor: css("line")}, ticks: {color: css("soft"), font, maxRotation: 60, autoSkip: false}},
      y: logAxis("", latency, logRange(bars.flatMap(b => names.map(n => b[1][n])).concat(Math.min(...bars.map(b => b[1].p50).filter(v => v > 0)) / 2)))},
    plugins: {tooltip: tooltip(undefined, item => ` ${item.dataset.label}  ${latency(item.parsed.y)}`)}}}, {label: "Sizes and operations side by side"})];
}

function operationsTable(data, pattern) {
  const seconds = Math.max(1e-9, data.summary.run.seconds), rows = [];
  const row = (name, f, sub) => ({class: sub ? "sub" : null, cells: [name, thousands(f.count), rate(inTime(f) / seconds), f.bytes_moved ? byteRate(bytesInTime(f) / seconds) : "-",
    {text: thousands(f.errors), class: f.errors ? "bad" : null}, ...["p50", "p90", "p95", "p99", "p999", "max"].map(p => (f.response_us.max ? latency(f.response_us[p]) : "-"))]});
  const figuresOf = data.summary.patterns[pattern]?.operations || {};
  for (const name of operationOrder.filter(o => figuresOf[o])) {
    rows.push(row(name, figuresOf[name]));
    const sizes = Object.keys(figuresOf[name].sizes || {}).sort(bySize);
    if (sizes.length > 1) for (const size of sizes) rows.push(row(sizeName(size), figuresOf[name].sizes[size], true));
  }
  if (!rows.length) return card("Operations", null, el("p", {class: "hint"}, "None ended."));
  return card("Figures", "response time of ok operations: from the intended start to the end, with retries",
    table(["operation", "count", "rate", "throughput", "errors", "p50", "p90", "p95", "p99", "p99.9", "max"], rows, {id: "operations"}));
}

// How sure the figures of a pattern are, and what its kind of loop shows.
function certaintyCard(data, pattern) {
  const {arrivals, steady, operations} = data.summary.patterns[pattern] || {};
  const words = [arrivals
    ? `Open loop: ${thousands(arrivals.intended)} intended starts, ${thousands(arrivals.not_sent)} not sent`
    : "Closed loop: a client that waits begins nothing, so a stall of the storage hits few operations and hardly shows in the percentiles; --rate shows it"];
  if (steady) words.push(`${steady.steady === true ? "Steady" : steady.steady === false ? "Not steady" : "Steadiness unknown"}: ${steady.why}`);
  const between = (pair, text) => (pair ? `${text(pair[0])} – ${text(pair[1])}` : "-");
  const percentiles = ["p50", "p95", "p99", "p999"];
  const rows = operationOrder.filter(o => operations?.[o]?.intervals).map(o => {
    const {intervals} = operations[o], few = new Set(intervals.few_samples);
    return [o, between(intervals.rate, rate), ...percentiles.map(p => (few.has(p) ? {text: "too few samples", class: "soft"} : between(intervals[p], latency)))];
  });
  return card("How sure", "where rates and response times lie, for 95% sure, by the course of this run",
    rows.length ? table(["operation", "rate", "p50", "p95", "p99", "p99.9"], rows, {id: "certainty"}) : null,
    words.map(text => el("p", {class: steady?.steady === false && text.startsWith("Not steady") ? "hint bad" : "hint"}, sentenceCase(text))));
}

function patternsTable(data) {
  const seconds = Math.max(1e-9, data.summary.run.seconds);
  const closed = data.patterns.some(p => !data.summary.patterns[p.name]?.arrivals);
  return card("Patterns", closed ? "in a closed loop a stall of the storage hits few operations and hardly shows in percentiles; --rate shows it" : null,
    table(["pattern", "loop", "operations", "rate", "throughput", "errors", "steady"], data.patterns.map(p => {
      const sum = totalsOf(data.summary, p.name), {arrivals, steady} = data.summary.patterns[p.name] || {};
      return [p.name, arrivals ? "open" : "closed", thousands(sum.count), rate(sum.in_time / seconds), byteRate(sum.bytes / seconds),
        {text: thousands(sum.errors), class: sum.errors ? "bad" : null},
        {text: steady?.steady === true ? "yes" : steady?.steady === false ? "no" : "not known", title: steady?.why, class: steady?.steady === false ? "bad" : null}];
    }), {id: "patterns", text: [1, 6]}));
}

function failuresCard(data, operations, context) {
  const byOutcome = {};
  for (const {course} of operations) {
    for (const [outcome, counts] of Object.entries(course.failures)) byOutcome[outcome] = byOutcome[outcome] ? addUp([byOutcome[outcome], counts]) : counts;
  }
  const outcomes = Object.keys(byOutcome);
  if (!outcomes.length) return [card("Errors over time", null, el("p", {class: "hint"}, "No attempt failed.")), () => {}];
  const holder = el("div", {class: "chart"});
  return [card("Errors over time", "failed attempts a second, by outcome, stacked; an operation that is tried again may fail several times",
    keys(outcomes.map((o, i) => [o, anyColour(i + 1), "box"])), holder),
  () => timeChart(holder, outcomes.map((name, i) => ({name, colour: anyColour(i + 1), values: perSecond(data, byOutcome[name])})),
    {...context, type: "bar", hideZero: true, format: v => rate(v), label: "Errors over time", dataset: {barPercentage: 1, categoryPercentage: 1, stack: "all", borderWidth: 0},
      axis: {...linearAxis("", v => rate(v)), stacked: true}, xAxis: {stacked: true, offset: false}})];
}

// Of each node the kind of operation that it did most; those that stand out first.
function endpointsCard(data) {
  const endpoints = data.summary.endpoints || [];
  if (endpoints.length < 2) return null;
  const attemptsOf = (e, name) => e.operations[name]?.attempts || 0;
  const names = operationOrder.filter(o => endpoints.some(e => attemptsOf(e, o)));
  const most = names.reduce((a, b) => (endpoints.reduce((n, e) => n + attemptsOf(e, b) - attemptsOf(e, a), 0) > 0 ? b : a), names[0]);
  const times = e => e.operations[most]?.service_us || {};
  const longest = Math.max(1, ...endpoints.map(e => times(e).p50 || 0));
  const sorted = endpoints.map((e, i) => [e, i]).sort(([a, i], [b, j]) => (b.outlier ? 1 : 0) - (a.outlier ? 1 : 0) || i - j).map(([e]) => e);
  const bar = e => el("i", {class: e.outlier ? "bar bad" : "bar", style: `width:${Math.round(100 * (times(e).p50 || 0) / longest)}%`});
  const row = e => ({class: e.outlier ? "outlier" : null, cells: [e.url, {node: el("div", {class: "bars"}, bar(e))}, latency(times(e).p50), latency(times(e).p99), thousands(e.attempts),
    {text: e.errors ? `${thousands(e.errors)} (${percent(e.errors / Math.max(1, e.attempts))})` : "0", class: e.errors ? "bad" : null}]});
  const list = (rows, id) => table(["endpoint", `${most} p50`, "p50", "p99", "attempts", "failed"], rows.map(row), {id, text: [1]});
  const shown = Math.max(40, sorted.filter(e => e.outlier).length), notes = sorted.filter(e => e.outlier);
  return card("Endpoints", `service time of ok ${most} attempts by node; ${notes.length ? "what stands out comes first" : "none stands out"}`,
    notes.map(e => el("p", {class: "hint bad-text"}, sentenceCase(e.outlier))), list(sorted.slice(0, shown), "endpoints"),
    sorted.length > shown ? el("details", {}, el("summary", {}, `${sorted.length - shown} more`), list(sorted.slice(shown), "more-endpoints")) : null);
}

// Lines of errors.jsonl: of one pattern, or of all the slowest of each and the errors.
function samplesCards(data, pattern) {
  const lines = pattern ? data.errors.filter(e => e.pattern === pattern.name) : data.errors;
  const failed = lines.filter(e => !e.slowest), all = lines.filter(e => e.slowest);
  const slow = pattern ? all : all.filter((e, i) => all.findIndex(other => other.pattern === e.pattern) === i);
  const cards = [];
  const length = e => latency((e.seconds || 0) * 1e6);
  const phases = e => Object.entries(e.phases_us || {}).map(([name, us]) => `${name} ${latency(us)}`).join(", ");
  const connection = e => (e.connection ? `${e.connection.local}, request ${e.connection.request}` : "-");
  if (slow.length) {
    cards.push(card("Slowest operations", `${pattern ? "" : "of each pattern the slowest; "}with what it takes to find them in the server's log`, table(["operation", "took", "where the time went", "ended at", "key", "endpoint", "connection", "request id"],
      slow.map(e => [`${e.pattern} ${e.operation} ${sizeName(e.size || "")}`, length(e), phases(e), (e.at || "").slice(11, 23), e.key, e.endpoint, connection(e), e.request_id || "-"]), {text: [2, 3, 4, 5, 6, 7], id: "slowest"})));
  }
  if (failed.length) {
    const rows = failed.map(e => [`${e.pattern} ${e.operation} ${sizeName(e.size || "")}`, e.outcome, `${e.status || "none"} ${e.code || ""}`, (e.at || "").slice(11, 23), e.key, e.endpoint, e.request_id || "-",
        {text: (e.message || "") + (e.offset != null ? ` (${e.kind} at byte ${e.offset}: expected ${e.expected || "-"}, found ${e.found || "-"})` : "")}]);
    const samples = (list, id) => table(["operation", "outcome", "answer", "at", "key", "endpoint", "request id", "message"], list, {text: [1, 2, 3, 4, 5, 6, 7], id});
    cards.push(card("First errors of each kind", `${thousands(rows.length)}; errors.jsonl has them with all of their fields`, samples(rows.slice(0, 10), "errors"),
      rows.length > 10 ? el("details", {}, el("summary", {}, `${rows.length - 10} more`), samples(rows.slice(10), "more-errors")) : null));
  }
  return cards;
}

const shares = new Set(["busy", "run_queue_wait", "saturated", "steal", "waiting"]);
const clientWords = {busy: "busiest thread busy", run_queue_wait: "waiting for a CPU", saturated: "saturated seconds", steal: "taken by hypervisor",
  run_queue_seconds: "seconds without CPU", waiting: "clients waiting for storage", loop_lag_us: "timers late by"};
function clientFacts(client) {
  const facts = [["threads", client.threads], ["CPU", `${digits(client.cpu_seconds)} s, ${thousands(client.operations_per_cpu_second)} operations per CPU second`],
    ...("busiest_thread" in client ? [["busiest thread", percent(client.busiest_thread) + " of a core"]] : []),  // a run that did not end told neither
    ...("max_rss_bytes" in client ? [["memory", bytes(client.max_rss_bytes)]] : []), ["connections", thousands(client.connections)], ["reconnects", thousands(client.reconnects)]];
  const known = new Set(["threads", "cpu_seconds", "operations_per_cpu_second", "busiest_thread", "max_rss_bytes", "connections", "reconnects"]);
  if (client.tls?.handshakes) facts.push(["TLS handshakes", `${thousands(client.tls.handshakes)}, ${thousands(client.tls.resumed)} resumed; p50 ${latency(client.tls.handshake_us.p50)}, p99 ${latency(client.tls.handshake_us.p99)}`]);
  for (const [field, value] of Object.entries(client)) {
    const name = clientWords[field] || field.replace(/_us$/, "").replace(/_/g, " ");
    if (known.has(field) || value === null) continue;
    if (typeof value === "object") { if (value.p99 != null) facts.push([name, `p50 ${latency(value.p50)}, p99 ${latency(value.p99)}, max ${latency(value.max)}`]); }
    else facts.push([name, typeof value !== "number" ? String(value) : shares.has(field) ? percent(value) : field.endsWith("_us") ? latency(value) : digits(value)]);
  }
  return facts;
}
function proxyCard(proxy) {
  const facts = [["address", proxy.address + (proxy.ours ? proxy.shared ? ", shared with other runs" : "" : ", not started by us")],
    ["CPU", proxy.cpu_seconds === null ? "cannot be seen from here" : digits(proxy.cpu_seconds) + " s"],
    ["memory", proxy.max_rss_bytes === null ? "cannot be seen from here" : bytes(proxy.max_rss_bytes)],
    ["its own answers", thousands(proxy.own_answers)], ["died", thousands(proxy.deaths)], ["started again", thousands(proxy.restarts)]];
  if (proxy.down_seconds > 0) facts.push(["away", digits(proxy.down_seconds) + " s"]);
  if (proxy.stopped_seconds > 0) facts.push(["stopped", digits(proxy.stopped_seconds) + " s"]);
  if (proxy.gave_up.length) facts.push(["endpoints that it gave up", proxy.gave_up.join(", ")]);
  return card("s3pool", "the proxy that all requests went through: its own retries and waits are in these times", factList(facts));
}
function clientCards(data, context) {
  const {client} = data.summary, course = data.client, bare = {...context, phases: []};
  const cpu = el("div", {class: "chart"}), lag = el("div", {class: "chart"});
  const lines = [{name: "all threads", colour: css("c0"), values: perSecond(data, course.cpu)}];
  if (course.busy.some(v => v > 0)) lines.push({name: "busiest thread, with waits for a CPU", colour: css("c1"), values: perSecond(data, course.busy)});
  if (course.stolen.some(v => v > 0)) lines.push({name: "taken by the hypervisor", colour: css("c3"), values: perSecond(data, course.stolen)});
  const lags = present(course.loop_lag), late = lags.some(v => v > 0);
  const draws = [() => timeChart(cpu, lines, {...bare, axis: {...linearAxis("", v => digits(v)), suggestedMax: client.threads}, format: v => digits(v) + " cores", label: "Cores that this client used"})];
  const cpuCard = card("This client: CPU", `cores, of ${client.threads} load ${client.threads === 1 ? "thread" : "threads"}`, keys(lines.map(l => [l.name, l.colour])), cpu);
  if (late) draws.push(() => timeChart(lag, [{name: "longest delay", colour: css("c1"), values: lags}],
    {...bare, axis: logAxis("", latency, logRange(lags)), format: latency, label: "Loop lag"}));
  const charts = late ? el("div", {class: "pair"}, cpuCard, card("This client: loop lag", "by how much its timers came late at most; logarithmic",
    keys([["longest delay", css("c1")]]), lag)) : cpuCard;
  const cards = [charts, card("This client", "what it spent, and whether it was at its limit", factList(clientFacts(client)))];
  if (data.summary.proxy) cards.push(proxyCard(data.summary.proxy));
  return [cards, () => draws.forEach(draw => draw())];
}
const factList = facts => el("dl", {}, facts.map(([name, value]) => el("div", {class: String(value).length > 90 ? "wide" : null}, el("dt", {}, name), el("dd", {}, String(value)))));

// "mix.GET 70; sizes 1KB, 1MB": what a pattern's file says.
const placesOf = (value, at = "") => (value === null || typeof value !== "object" || Array.isArray(value)
  ? `${at} ${Array.isArray(value) ? value.map(v => (typeof v === "object" ? JSON.stringify(v) : v)).join(", ") : value}`
  : Object.entries(value).map(([name, inner]) => placesOf(inner, at ? `${at}.${name}` : name)).join("; "));
function settingsCard(data) {
  const {run} = data, facts = [["run", run.id], ["version", run.version], ["started", run.started], ["pattern", run.pattern], ["worker", run.worker],
    ["backend", run.backend], ["endpoints", run.endpoints.join(", ")], ["bucket", run.bucket], ["prefix", run.prefix], ["region", run.region],
    ["TLS verified", run.tls_verify ? "yes" : "no"], ["seed", run.seed], ["time scale", run.time_scale], ["threads", run.threads], ["clients", thousands(run.clients)],
    ["duration", run.duration_seconds ? duration(run.duration_seconds) : "until stopped"], ...Object.entries(run.settings).filter(([name]) => !(name in run)).map(([name, text]) => [name.replace(/_/g, " "), text]),
    ...Object.entries(run.definitions || {}).map(([name, of]) => [`pattern ${name}`, placesOf(of)]),
    ["host", `${run.host.name}, ${run.host.cpus} CPUs, ${run.host.machine}, Linux ${run.host.kernel}`]];
  return card("Settings", null, factList(facts));
}

const contextOf = (data, phases) => ({step: data.bin_seconds, phases, warmup: data.warmup_seconds, stopped: data.stopped_seconds});
function phaseNote(data, phases) {
  const kinds = new Set(phases.map(p => p[2])), notes = [];
  if (kinds.has("burst")) notes.push(["burst of the pattern", css("shade"), "box"]);
  if (kinds.has("cycle")) notes.push(["start of a cycle", css("line"), "box"]);
  if (data.warmup_seconds > 0) notes.push(["warm-up, not in the figures", css("warm"), "box"]);
  // A moment of it is nothing to speak of.
  if (data.stopped_seconds > 0 && time.whole[1] - data.stopped_seconds > time.whole[1] / 50)
    notes.push(["grace: the load is stopped, what was under way ends", css("warm"), "box"]);
  return notes.length ? keys(notes) : null;
}

function patternView(data, pattern) {
  const operations = shownOperations(pattern), context = contextOf(data, pattern.phases);
  if (!operations.some(o => o.name === state.operation)) state.operation = (operations.find(o => o.course.p50.some(v => v > 0)) || operations[0])?.name;
  const chosen = operations.find(o => o.name === state.operation);
  const parts = throughputCards(data, operations.map(o => ({name: o.name, colour: operationColour(o.name), ...o.course})), context);
  const nodes = [phaseNote(data, pattern.phases), el("div", {class: "pair"}, parts.map(p => p[0]))];
  if (chosen) {
    if (operations.length > 1) {
      nodes.push(el("p", {class: "choice", id: "operation"}, operations.map(o => el("button", {type: "button", "aria-pressed": String(o === chosen), "data-operation": o.name,
        onclick: () => { state.operation = o.name; redraw(); }}, o.name))));
    }
    const latencies = [latencyCard(data, chosen, context), heatCard(data, chosen, context)];
    parts.push(...latencies);
    nodes.push(...latencies.map(p => p[0]));
    const curve = curveCard(chosen), sizes = sizesCard(data, pattern);
    const pair = [curve, sizes].filter(Boolean);
    parts.push(...pair);
    nodes.push(pair.length > 1 ? el("div", {class: "pair"}, pair.map(p => p[0])) : pair[0][0]);
  }
  nodes.push(operationsTable(data, pattern.name), certaintyCard(data, pattern.name));
  const failures = failuresCard(data, operations, context);
  nodes.push(failures[0]);
  parts.push(failures);
  return {nodes, draws: parts.map(p => p[1])};
}

function overallView(data) {
  const context = contextOf(data, []);
  const lines = data.patterns.map((p, i) => {
    const courses = p.operations.filter(o => o.name !== "PART" && o.name !== "TRIM").map(o => o.course);
    const none = data.covered.map(() => 0);
    return {name: p.name, colour: anyColour(i), count: courses.length ? addUp(courses.map(c => c.count)) : none, bytes: courses.length ? addUp(courses.map(c => c.bytes)) : none};
  });
  const parts = throughputCards(data, lines, context);
  const failures = failuresCard(data, data.patterns.flatMap(shownOperations), context);
  const schedules = schedulesCard(data, context);
  return {nodes: [phaseNote(data, []), ...parts.map(p => p[0]), schedules && schedules[0], patternsTable(data), failures[0]],
    draws: [...parts.map(p => p[1]), ...(schedules ? [schedules[1]] : []), failures[1]]};
}

// Whose turn it was: the bursts and cycles of each pattern, above each other.
function schedulesCard(data, context) {
  if (!data.patterns.some(p => p.phases.length)) return null;
  const end = data.stopped_seconds || time.whole[1], bars = [];
  data.patterns.forEach((pattern, i) => {
    const add = (from, to, text, colour) => bars.push({name: pattern.name, from, to, text, colour});
    const always = (data.run.schedules?.[pattern.name]?.kind || "always") === "always";
    if (!pattern.phases.length) add(0, end, always ? "around the clock" : "too many bursts to tell apart", css("line"));
    for (const [from, to, kind] of pattern.phases) {
      if (from >= end) continue;
      // A cycle goes on until it has nothing left to do; when that was, the operations show.
      if (kind === "cycle") add(from, Math.min(end, from + (to - from) / 10), "a cycle begins", anyColour(i));
      else add(from, Math.min(to, end), "burst", anyColour(i));
    }
  });
  const holder = el("div", {class: "chart"});
  return [card("Schedules", "when each pattern had its bursts, or began its cycles; grey: around the clock, or too many to tell apart", holder),
    () => spanChart(holder, data.patterns.map(p => p.name), bars, {...context, label: "Schedules"})];
}

function tabs(data) {
  const several = data.patterns.length > 1;
  const choose = name => el("button", {type: "button", "aria-pressed": String(state.pattern === name), "data-pattern": name ?? "",
    onclick: () => { state.pattern = name; redraw(); }}, name ?? "All patterns");
  const reset = el("button", {type: "button", id: "reset", hidden: "", onclick: () => showTime(...time.whole)}, "Show all of the time");
  time.onzoom = zoomed => { reset.hidden = !zoomed; };
  return el("nav", {}, several ? [choose(null), ...data.patterns.map(p => choose(p.name))] : el("span", {class: "meta"}, "Drag over a chart to zoom in, double click to see all; plus, minus, arrows and 0 do the same."),
    el("span", {class: "gap"}), reset);
}

function reportPage(data) {
  const page = document.getElementById("page");
  if (data.patterns.length === 1) state.pattern = data.patterns[0].name;
  time.step = data.bin_seconds;
  time.started = Date.parse(data.run.started);
  const length = data.covered.length * data.bin_seconds;
  if (time.whole[1] !== length) { time.whole = [0, Math.max(1, length)]; [time.min, time.max] = time.whole; }
  const pattern = data.patterns.find(p => p.name === state.pattern);
  const view = pattern ? patternView(data, pattern) : overallView(data);
  const client = clientCards(data, contextOf(data, []));
  const shown = pattern ? [pattern.name] : data.patterns.map(p => p.name);
  page.replaceChildren(...[headerOf(data.run, data.summary), ...bannerOf(data), el("p", {class: "sentence", id: "sentence"}, data.sentence), sloCard(data.summary),
    tabs(data), tiles(data, shown), ...view.nodes, endpointsCard(data), ...samplesCards(data, pattern), ...client[0], settingsCard(data),
    el("footer", {}, `s3loadtest ${data.run.version}. Percentiles are merged from histograms, never averaged; 1 KiB is 1024 bytes.`)].filter(Boolean));
  for (const make of [...view.draws, client[1]]) make();
  time.onzoom(time.min > time.whole[0] || time.max < time.whole[1]);
}
