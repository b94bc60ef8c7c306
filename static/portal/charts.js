// [data-chart]: stacked bars by month, drawn from the JSON in that attribute:
//
// { months: ["Jan 2026", …], totals: ["2.00", …],
//   series: [{ label, values: [whole micro-credits, …], shown: ["2.00", …] }, …] }
//
// The picture is an addition: the table below it says the same, and is open where there is no script.
(() => {
  "use strict";

  const COLOURS = 7;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  // A colour of the design system as the browser resolves it now, for the canvas.
  function colour(figure, name) {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    figure.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  }

  const datasets = (figure, data) => data.series.map((one, number) => ({
    label: one.label,
    shown: one.shown,
    data: one.values.map((micro) => micro / 1e6),
    backgroundColor: colour(figure, `series-${(number % COLOURS) + 1}`),
    borderColor: colour(figure, "surface"),
    borderWidth: 1,
    maxBarThickness: 48,
  }));

  function options(figure, data) {
    const ink = colour(figure, "ink-soft");
    const line = colour(figure, "line");
    const font = { family: getComputedStyle(figure).fontFamily };
    return {
      animation: still.matches ? false : { duration: 250 },
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { stacked: true, grid: { display: false }, border: { color: line }, ticks: { color: ink, font } },
        y: {
          stacked: true, grid: { color: line }, border: { display: false }, ticks: { color: ink, font, maxTicksLimit: 6 },
          title: { display: true, text: "CRD", color: ink, font },
        },
      },
      plugins: {
        legend: { position: "bottom", align: "start", labels: { color: ink, font, boxWidth: 12, boxHeight: 12 } },
        tooltip: {
          filter: (part) => part.raw !== 0,
          callbacks: {
            label: (part) => `${part.dataset.label}: ${part.dataset.shown[part.dataIndex]}`,
            footer: (parts) => parts.length ? `Σ ${data.totals[parts[0].dataIndex]} CRD` : "",
          },
        },
      },
    };
  }

  function draw(figure) {
    const data = JSON.parse(figure.dataset.chart);
    const canvas = figure.querySelector("canvas");
    const chart = new Chart(canvas, {
      type: "bar",
      data: { labels: data.months, datasets: datasets(figure, data) },
      options: options(figure, data),
    });
    canvas.parentElement.hidden = false;
    figure.querySelector("details").open = false;
    return () => {
      datasets(figure, data).forEach((fresh, n) => Object.assign(chart.data.datasets[n], fresh));
      chart.options = options(figure, data);
      chart.update(); // the mode "none" keeps the colours of what is drawn
    };
  }

  // The page itself, and later what htmx puts into it.
  const redraws = [];
  document.addEventListener("htmx:load", (event) => {
    const figures = window.Chart ? event.detail.elt.querySelectorAll("[data-chart]") : [];
    redraws.push(...[...figures].map(draw));
  });
  const redrawAll = () => redraws.forEach((redraw) => redraw());
  document.addEventListener("themechange", redrawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
})();
