// Tables: click on the head of a column to sort by it, again to turn the order around; a box keeps the rows that have
// its text; rows that are not shown yet come from the JSON below the table.
const NUMBER = /[−-]?[\d,]*\.?\d+(e[+-]?\d+)?/;
const asNumber = (text) => {
  const found = text.match(NUMBER);
  return found ? Number(found[0].replaceAll(",", "").replace("−", "-")) : -Infinity;
};
for (const box of document.querySelectorAll(".table")) {
  const table = box.querySelector("table");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows].map((row) => [...row.cells].map((cell) => cell.textContent));
  rows.push(...JSON.parse(box.querySelector("script")?.textContent ?? "[]"));
  const filter = box.querySelector("input");
  const more = box.querySelector(".more");
  const step = Math.max(body.rows.length, 1);
  let shown = step;

  const makeCell = (text, column) => {
    const cell = document.createElement("td");
    if (heads[column].classList.contains("number")) cell.className = "number";
    if ("class" in heads[column].dataset && classIds[text]) {
      const link = cell.appendChild(document.createElement("a"));
      link.href = "#" + classIds[text];
      link.textContent = text;
    } else cell.textContent = text;
    return cell;
  };
  const draw = () => {
    const wanted = filter.value.toLowerCase();
    const found = rows.filter((row) => row.some((text) => text.toLowerCase().includes(wanted)));
    body.replaceChildren(...found.slice(0, shown).map((row) => {
      const line = document.createElement("tr");
      line.append(...row.map(makeCell));
      return line;
    }));
    const number = (count) => count.toLocaleString("en");
    box.querySelector(".count").textContent = `${number(Math.min(shown, found.length))} of ${number(found.length)} rows`;
    more.hidden = found.length <= shown;
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const compare = head.classList.contains("number")
        ? (a, b) => asNumber(a[column]) - asNumber(b[column])
        : (a, b) => a[column].localeCompare(b[column], "en", {numeric: true});
      rows.sort((a, b) => sign * compare(a, b));
      draw();
    });
  });
  filter.addEventListener("input", () => { shown = step; draw(); });
  more.addEventListener("click", () => { shown += 10 * step; draw(); });
  box.querySelector(".tools").hidden = false;
  draw();
}
