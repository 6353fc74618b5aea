"use strict";

// Sort a table by the column whose heading is clicked; a second click turns the order around.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    heading.firstElementChild.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const number = heading.classList.contains("number");
      const order = (row) => row.cells[column].dataset.order;
      const rows = [...table.tBodies[0].rows].sort((a, b) =>
        number ? Number(order(a)) - Number(order(b)) : order(a).localeCompare(order(b)));
      table.tBodies[0].append(...(down ? rows.reverse() : rows));
    });
  });
}

// Draw each chart into the element in front of its data.
for (const data of document.querySelectorAll("script[type='application/json']")) {
  const figure = JSON.parse(data.textContent);
  const buttons = [["zoom2d", "pan2d", "resetScale2d", "toImage"]];
  const options = { responsive: true, displaylogo: false, modeBarButtons: buttons };
  Plotly.newPlot(data.dataset.chart, figure.data, figure.layout, options);
}
