// The heat map: time by latency, colour by how many operations; the darker (in the dark theme: the lighter) the more,
// on a logarithmic ramp, so that one slow operation is seen beside a million fast ones.

function heatColours() {
  const stops = [0, 1, 2, 3, 4].map(i => css("heat" + i)).map(hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16)));
  return share => {
    const at = Math.min(3.9999, Math.max(0, share * 4)), low = Math.floor(at), part = at - low;
    return `rgb(${stops[low].map((v, i) => Math.round(v + (stops[low + 1][i] - v) * part)).join(",")})`;
  };
}

// columns: lists of row, count, row, count…; width: seconds of a column; rows: rows a decade.
function heatChart(holder, columns, {width, rows, phases, warmup, stopped, label}) {
  const cells = [];
  let most = 1;
  columns.forEach((column, at) => {
    for (let i = 0; i < column.length; i += 2) {
      cells.push({at, row: column[i], n: column[i + 1]});
      most = Math.max(most, column[i + 1]);
    }
  });
  const edge = row => 10 ** (row / rows);
  const all = cells.map(c => c.row);
  const low = all.length ? Math.min(...all) : 0, high = all.length ? Math.max(...all) + 1 : rows;
  const colour = heatColours();
  const shade = n => colour(most === 1 ? .6 : .08 + .92 * Math.log(n) / Math.log(most));
  const tip = el("div", {class: "tip"});
  const paint = {id: "heat", beforeDatasetsDraw(chart) {
    const {ctx, chartArea: area, scales: {x, y}} = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(area.left, area.top, area.width, area.height);
    ctx.clip();
    for (const cell of cells) {
      const left = x.getPixelForValue(cell.at * width), right = x.getPixelForValue((cell.at + 1) * width);
      if (right < area.left || left > area.right) continue;
      const top = y.getPixelForValue(edge(cell.row + 1)), bottom = y.getPixelForValue(edge(cell.row));
      ctx.fillStyle = shade(cell.n);
      ctx.fillRect(left, top, Math.max(1, right - left + .4), Math.max(1, bottom - top + .4));
    }
    ctx.restore();
  }};
  const chart = draw(holder, {type: "scatter", data: {datasets: [{data: []}]},
    options: {scales: {x: timeAxis(), y: logAxis("", latency, [edge(low - 1), edge(high + 1)])}, plugins: {tooltip: {enabled: false}}}},
  {label, plugins: [paint], fields: {timed: true, phases, warmup, stopped}});
  holder.append(tip);
  chart.canvas.addEventListener("pointermove", event => {
    const box = chart.canvas.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
    const at = Math.floor(chart.scales.x.getValueForPixel(px) / width);
    const row = Math.floor(Math.log10(chart.scales.y.getValueForPixel(py)) * rows);
    const cell = cells.find(c => c.at === at && c.row === row);
    tip.style.display = cell ? "block" : "none";
    if (!cell) return;
    tip.textContent = `${duration(at * width) || "0s"} to ${duration((at + 1) * width)}: ${thousands(cell.n)} between ${latency(edge(row))} and ${latency(edge(row + 1))}`;
    const wide = tip.offsetWidth;
    tip.style.left = Math.max(0, Math.min(holder.clientWidth - wide, px + 14)) + "px";
    tip.style.top = Math.max(0, py - 34) + "px";
  });
  chart.canvas.addEventListener("pointerleave", () => { tip.style.display = "none"; });
  return chart;
}
