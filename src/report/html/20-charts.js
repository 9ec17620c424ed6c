// Charts. Those over time are drawn in step: they share the stretch that is shown (drag chooses one, a double click
// shows all; keys do the same) and the line under the pointer.

const charts = [];  // those on the page now
const time = {min: 0, max: 1, whole: [0, 1], hover: null, started: 0, onzoom: () => {}};

Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.plugins.legend.display = false;

function removeCharts() {
  for (const chart of charts.splice(0)) chart.destroy();
}

function showTime(min, max) {
  const least = time.step * 3;
  if (max - min < least) { const middle = (min + max) / 2; min = middle - least / 2; max = middle + least / 2; }
  time.min = Math.max(time.whole[0], min);
  time.max = Math.min(time.whole[1], max);
  for (const chart of charts.filter(c => c.timed)) {
    chart.options.scales.x.min = time.min;
    chart.options.scales.x.max = time.max;
    chart.update("none");
  }
  time.onzoom(time.min > time.whole[0] || time.max < time.whole[1]);
}

const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400,
  172800, 604800, 1209600];
function timeTicks(axis) {
  const most = Math.max(2, Math.floor(axis.width / 80));
  const step = timeSteps.find(s => (axis.max - axis.min) / s <= most) || 2419200;
  axis.ticks = [];
  for (let t = Math.ceil(axis.min / step) * step; t <= axis.max + 1e-6; t += step) axis.ticks.push({value: t});
}
// Decades; 2 and 5 between them where there are few.
function logTicks(axis) {
  const decades = Math.log10(axis.max / axis.min);
  const steps = decades <= 2.2 ? [1, 2, 5] : [1];
  axis.ticks = [];
  for (let power = Math.floor(Math.log10(axis.min)); power <= Math.ceil(Math.log10(axis.max)); power += 1) {
    for (const step of steps) {
      const value = step * 10 ** power;
      if (value >= axis.min * .999 && value <= axis.max * 1.001) axis.ticks.push({value});
    }
  }
}
const font = {size: 11.5, family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif"};
const axisTitle = text => ({display: !!text, text, color: css("soft"), font});

function timeAxis() {
  return {type: "linear", min: time.min, max: time.max, afterBuildTicks: timeTicks, title: {display: false},
    grid: {color: css("grid"), borderColor: css("line")},
    ticks: {color: css("soft"), font, maxRotation: 0, autoSkip: false, callback: value => (value === 0 ? "0" : duration(value))}};
}
// All vertical axes are as wide, so that the same moment stands at the same place in each chart.
const axisWidth = axis => { axis.width = Math.max(axis.width, window.innerWidth < 560 ? 64 : 80); };
function linearAxis(title, format) {
  return {type: "linear", beginAtZero: true, grace: "4%", title: axisTitle(title), afterFit: axisWidth,
    grid: {color: css("grid"), borderColor: css("line")},
    ticks: {color: css("soft"), font, maxTicksLimit: 6, callback: format}};
}
// Round numbers of the unit that they are shown in.
function byteTicks(axis) {
  const unit = 1024 ** Math.max(0, Math.floor(Math.log(Math.max(1, axis.max)) / Math.log(1024))), range = axis.max / unit;
  const step = [.1, .2, .25, .5, 1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500].find(s => range / s <= 5) * unit;
  axis.ticks = [];
  for (let v = 0; v <= axis.max * 1.0001; v += step) axis.ticks.push({value: v});
}
const byteAxis = title => ({...linearAxis(title, v => byteRate(v)), afterBuildTicks: byteTicks});
function logAxis(title, format, [min, max]) {
  return {type: "logarithmic", min, max, title: axisTitle(title), afterFit: axisWidth, afterBuildTicks: logTicks,
    grid: {color: css("grid"), borderColor: css("line")},
    ticks: {color: css("soft"), font, autoSkip: true, maxRotation: 0, callback: value => format(value)}};
}
// From a 1, 2 or 5 below to one above.
function logRange(values) {
  const present = values.filter(v => v > 0);
  if (!present.length) return [1, 10];
  let low = Math.min(...present), high = Math.max(...present);
  const nice = [1, 2, 5];
  const floor = v => { const p = 10 ** Math.floor(Math.log10(v)); return p * nice.findLast(n => n * p <= v * 1.0001); };
  const ceil = v => { const p = 10 ** Math.floor(Math.log10(v)); return p * ([...nice, 10].find(n => n * p >= v * .9999)); };
  low = floor(low); high = ceil(high);
  if (high / low < 4) { low = floor(low / 2); high = ceil(high * 1.5); }
  return [low, high];
}

// Behind the lines: bursts, the start of each cycle, the warm-up, the grace. Before them: the line under the pointer, and the
// stretch that is being chosen.
const backdrop = {
  id: "backdrop",
  beforeDatasetsDraw(chart) {
    const {ctx, chartArea: area, scales: {x}} = chart;
    if (!chart.timed || !area) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(area.left, area.top, area.width, area.height);
    ctx.clip();
    const stretch = (from, to, colour) => {
      const left = x.getPixelForValue(from), right = x.getPixelForValue(to);
      if (right < area.left || left > area.right) return;
      ctx.fillStyle = colour;
      ctx.fillRect(left, area.top, Math.max(1, right - left), area.height);
    };
    if (chart.warmup > 0) stretch(0, chart.warmup, css("warm"));
    if (chart.stopped > 0) stretch(chart.stopped, time.whole[1], css("warm"));
    for (const [from, to, kind] of chart.phases || []) {
      if (kind === "cycle") stretch(from, from, css("line"));
      else stretch(from, to, css("shade"));
    }
    ctx.restore();
  },
  afterDraw(chart) {
    const {ctx, chartArea: area, scales: {x}} = chart;
    if (!chart.timed || !area) return;
    ctx.save();
    if (chart.chosen) {
      const [from, to] = chart.chosen.map(p => Math.min(area.right, Math.max(area.left, p)));
      ctx.fillStyle = css("select");
      ctx.fillRect(from, area.top, to - from, area.height);
    }
    if (time.hover !== null) {
      const at = x.getPixelForValue(time.hover);
      if (at >= area.left && at <= area.right) {
        ctx.strokeStyle = css("faint");
        ctx.lineWidth = 1;
        ctx.beginPath();
        ctx.moveTo(Math.round(at) + .5, area.top);
        ctx.lineTo(Math.round(at) + .5, area.bottom);
        ctx.stroke();
      }
    }
    ctx.restore();
  },
};

function hoverAt(value) {
  if (time.hover === value) return;
  time.hover = value;
  for (const chart of charts.filter(c => c.timed)) chart.draw();
}

// Drag to zoom. A finger that moves up or down scrolls the page (touch-action), one that moves sideways chooses.
function watchPointer(chart, canvas) {
  let begun = null;
  const place = event => event.clientX - canvas.getBoundingClientRect().left;
  const inside = at => at >= chart.chartArea.left && at <= chart.chartArea.right;
  canvas.addEventListener("pointerdown", event => {
    if (event.button !== 0 || !inside(place(event))) return;
    begun = place(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", event => {
    const at = place(event);
    if (begun !== null && Math.abs(at - begun) > 4) { chart.chosen = [begun, at]; chart.draw(); }
    hoverAt(inside(at) ? chart.scales.x.getValueForPixel(at) : null);
  });
  canvas.addEventListener("pointerup", () => {
    const chosen = chart.chosen;
    begun = null;
    chart.chosen = null;
    if (!chosen) return;
    const [from, to] = chosen.map(p => chart.scales.x.getValueForPixel(p)).sort((a, b) => a - b);
    showTime(from, to);
  });
  const leave = () => { begun = null; chart.chosen = null; hoverAt(null); };
  canvas.addEventListener("pointercancel", leave);
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("dblclick", () => showTime(...time.whole));
}

// The same by keys.
function watchKeys(canvas) {
  const seen = () => time.max - time.min;
  const move = by => { // as far as there is something
    const step = by < 0 ? Math.max(by, time.whole[0] - time.min) : Math.min(by, time.whole[1] - time.max);
    showTime(time.min + step, time.max + step);
  };
  const zoom = by => showTime(time.min + seen() * (1 - by) / 2, time.max - seen() * (1 - by) / 2);
  const does = {ArrowLeft: () => move(-seen() / 4), ArrowRight: () => move(seen() / 4),
    "+": () => zoom(.5), "=": () => zoom(.5), "-": () => zoom(2), "0": () => showTime(...time.whole), Escape: () => showTime(...time.whole)};
  canvas.addEventListener("keydown", event => {
    if (!does[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    does[event.key]();
  });
}

function draw(holder, config, extra = {}) {
  const timed = (extra.fields || {}).timed;
  const canvas = el("canvas", {role: "img", "aria-label": extra.label || "chart", ...(timed ? {tabindex: "0", "aria-keyshortcuts": "+ - 0 ArrowLeft ArrowRight"} : {})});
  holder.append(canvas);
  config.plugins = [backdrop, ...(extra.plugins || [])];
  // The plugins look for these while the chart is being made.
  const before = {id: "before", beforeInit: chart => Object.assign(chart, extra.fields || {})};
  config.plugins.unshift(before);
  const chart = new Chart(canvas, config);
  charts.push(chart);
  if (chart.timed) { holder.classList.add("timed"); watchPointer(chart, canvas); watchKeys(canvas); }
  return chart;
}

function tooltip(title, label) {
  return {backgroundColor: css("ink"), titleColor: css("paper"), bodyColor: css("paper"), titleFont: {...font, weight: 600},
    bodyFont: font, padding: 8, cornerRadius: 4, boxWidth: 8, boxHeight: 8, boxPadding: 4, caretSize: 4,
    callbacks: {title, label}};
}
function clockText(seconds) {
  if (!time.started) return "";
  return new Date(time.started + seconds * 1000).toISOString().slice(11, 19) + " UTC, ";
}
const timeTitle = step => items => {
  if (!items.length) return "";
  const begin = Math.max(0, items[0].parsed.x - step / 2);
  return `${clockText(begin)}${duration(begin) || "0"} to ${duration(begin + step)}`;
};

// A line; lone points between gaps get a dot, since no line leads to them.
function series(label, colour, points, more = {}) {
  const lone = points.map((p, i) => (p.y !== null && (points[i - 1]?.y ?? null) === null && (points[i + 1]?.y ?? null) === null ? 1.6 : 0));
  return {label, data: points, parsing: false, normalized: true, borderColor: colour, backgroundColor: colour, borderWidth: 1.6,
    pointRadius: lone, pointHoverRadius: 3, pointHitRadius: 0, tension: 0, borderJoinStyle: "round", ...more};
}

// lines: [{name, colour, values, dash}] with a value a bin (null: none); options: step, axis, format, phases, warmup, stopped.
function timeChart(holder, lines, options) {
  const step = options.step;
  const datasets = lines.map(line => series(line.name, line.colour,
    line.values.map((y, i) => ({x: (i + .5) * (line.step || step), y})), {borderDash: line.dash || [], ...(options.dataset || {})}));
  return draw(holder, {type: options.type || "line", data: {datasets},
    options: {interaction: {mode: options.mode || "index", axis: "x", intersect: false},
      scales: {x: {...timeAxis(), ...(options.xAxis || {})}, y: options.axis},
      plugins: {tooltip: {...tooltip(timeTitle(step), item => ` ${item.dataset.label}  ${options.format(item.parsed.y)}`),
        filter: item => item.parsed.y !== null && !isNaN(item.parsed.y) && !(options.hideZero && item.parsed.y === 0)}}}},
  {label: options.label, fields: {timed: true, phases: options.phases, warmup: options.warmup, stopped: options.stopped}});
}

// A row for each name; bars: [{name, from, to, colour, text}].
function spanChart(holder, names, bars, options) {
  holder.style.height = `${names.length * 22 + 40}px`;
  return draw(holder, {type: "bar", data: {labels: names, datasets: [{data: bars.map(bar => ({x: [bar.from, bar.to], y: bar.name})),
    backgroundColor: bars.map(bar => bar.colour), borderSkipped: true, minBarLength: 2, grouped: false, barPercentage: .8, categoryPercentage: .9}]},
  options: {indexAxis: "y", interaction: {mode: "nearest", axis: "xy", intersect: true},
    scales: {x: timeAxis(), y: {type: "category", afterFit: axisWidth, grid: {display: false, borderColor: css("line")}, ticks: {color: css("soft"), font, autoSkip: false}}},
    plugins: {tooltip: tooltip(items => (items.length ? bars[items[0].dataIndex].name : ""), item => {
      const bar = bars[item.dataIndex];
      return ` ${bar.text}, ${duration(bar.from) || "0"} to ${duration(bar.to)}`;
    })}}},
  {label: options.label, fields: {timed: true, warmup: options.warmup, stopped: options.stopped}});
}

// The usual axis of percentiles: as far from one mark to the next as the rest above it shrinks tenfold.
function percentileChart(holder, lines, label) {
  const points = lines.flatMap(line => line.points);
  const last = Math.max(10, ...points.map(p => p[0]));
  const name = above => (above <= 1 ? "0%" : above === 2 ? "50%" : Number((100 * (1 - 1 / above)).toFixed(Math.max(0, Math.round(Math.log10(above)) - 2))) + "%");
  return draw(holder, {type: "line",
    data: {datasets: lines.map(line => ({...series(line.name, line.colour, line.points.map(([x, y]) => ({x, y}))),
      borderDash: line.dash || [], borderWidth: line.width || 1.6}))},
    options: {interaction: {mode: "nearest", axis: "x", intersect: false},
      scales: {
        x: {type: "logarithmic", min: 1, max: last, title: axisTitle("percentile"), grid: {color: css("grid"), borderColor: css("line")},
          afterBuildTicks: axis => {
            axis.ticks = axis.width * Math.log10(2) / Math.log10(last) < 36 ? [2] : [1, 2];
            for (let v = 10; v <= last * 1.001; v *= 10) axis.ticks.push(v);
            axis.ticks = axis.ticks.map(value => ({value}));
          },
          ticks: {color: css("soft"), font, autoSkip: true, maxRotation: 0, callback: name}},
        y: logAxis("", latency, logRange(points.map(p => p[1]))),
      },
      plugins: {tooltip: tooltip(items => {
        if (!items.length) return "";
        const above = items[0].parsed.x;
        return `p${Number((100 * (1 - 1 / above)).toPrecision(Math.min(9, 3 + Math.round(Math.log10(above)))))}`;
      }, item => ` ${item.dataset.label}  ${latency(item.parsed.y)}`)}}},
  {label});
}
