// Long tables: a field filters the rows, a head sorts them. Nothing is loaded, stored or sent.
for (const table of document.querySelectorAll("table.data")) {
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const texts = rows.map(row => row.textContent.toLowerCase());
  const value = cell => {
    const text = cell.dataset.v ?? cell.textContent.replace(/[,\[%]/g, " ").replace(/−/g, "-").replace(/(\d) (?=\d{3}\b)/g, "$1");
    const number = parseFloat(text);
    return cell.classList.contains("n") && !Number.isNaN(number) ? number : cell.textContent;
  };
  const order = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  const said = document.createElement("output"), field = document.createElement("input");
  field.type = "search"; field.placeholder = "filter"; field.setAttribute("aria-label", "filter the rows");
  const filter = () => {
    const wanted = field.value.toLowerCase().split(/\s+/);
    const hidden = rows.filter((row, place) => row.hidden = !wanted.every(part => texts[place].includes(part)));
    said.textContent = ` ${(rows.length - hidden.length).toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
  };
  field.addEventListener("input", filter);
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.textContent = head.textContent;
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyed = [...body.rows].map(row => [value(row.cells[column]), row]).sort((a, b) => down ? order(b[0], a[0]) : order(a[0], b[0]));
      body.append(...keyed.map(pair => pair[1]));
    });
    head.replaceChildren(button);
  });
  table.before(field, said);
  filter();
}
