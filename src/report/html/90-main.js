// Begins: reads the data, draws the page, and draws it anew where what it depends on changes.

const data = JSON.parse(document.getElementById("data").textContent);

function redraw() {
  const at = window.scrollY;
  removeCharts();
  if (data.comparison) comparePage(data);
  else reportPage(data);
  window.scrollTo(0, at);
}

const darkWanted = window.matchMedia("(prefers-color-scheme: dark)");
setTheme(darkWanted.matches ? "dark" : "light");
darkWanted.addEventListener("change", () => { setTheme(darkWanted.matches ? "dark" : "light"); redraw(); });

// Paper is light, and as wide as paper.
let themeBefore = null;
window.addEventListener("beforeprint", () => {
  themeBefore = document.documentElement.dataset.theme;
  setTheme("light");
  redraw();
  for (const chart of charts) chart.resize(680, chart.height);
});
window.addEventListener("afterprint", () => { setTheme(themeBefore || "light"); redraw(); });

redraw();
