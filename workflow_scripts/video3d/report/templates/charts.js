// Charts: each takes the place of its picture. A click on a class leads to the section of that class.
const drawn = Object.entries(charts).map(async ([name, specification]) => {
  const {view} = await vegaEmbed("#chart-" + name, specification, {
    renderer: "svg", downloadFileName: name, formatLocale: numbers,
    actions: {export: true, source: false, compiled: false, editor: false},
  });
  document.querySelector(`#chart-${name} summary`).setAttribute("aria-label", "Save this chart");
  view.addEventListener("click", (event, item) => {
    const id = classIds[item?.datum?.class ?? item?.datum?.value];
    if (id) location.hash = id;
  });
});

// A class is folded up until it is asked for.
const unfold = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.tagName === "DETAILS") target.open = true;
  target?.scrollIntoView();
};
addEventListener("hashchange", unfold);

// Paper shows what is folded up, too.
const folded = () => document.querySelectorAll("main details:not([open], .vega-embed *)");
let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...folded()];
  for (const each of unfolded) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of unfolded) each.open = false;
});

// Zoom of the chart above the buttons: the drawing is of vectors, so it only needs more room.
for (const buttons of document.querySelectorAll(".zoom")) {
  let scale = 1;
  buttons.hidden = false;
  buttons.addEventListener("click", (event) => {
    if (!event.target.dataset.by) return;
    scale = Math.min(4, Math.max(1, scale * Number(event.target.dataset.by)));
    document.getElementById(buttons.dataset.chart).style.setProperty("--zoom", scale);
  });
}

// Tests wait for this, and a fragment in the address is looked up again once the charts have their height.
Promise.all(drawn).then(() => {
  document.body.dataset.drawn = "true";
  unfold();
});
