// The forest plot of the explorer and what is said of it. Python sends rows, numbers and words; here
// they are only drawn, and a click on a row is sent back.
const SVG = "http://www.w3.org/2000/svg";
const ROW = 20, GAP = 10, FOOT = 22;
const OUT = { hand: "left out", level: "left out", listed: "excluded", undefined: "no effect" };
const FIXED = new Set(["level", "listed", "undefined"]);
const DRAWN = ["rows", "intervals", "texts", "weights", "shares", "fates", "why", "scale", "results", "told", "written"];

function make(tag, parent, attributes = {}, text = "") {
  const one = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  if (text) one.textContent = text;
  parent.append(one);
  return one;
}

function html(tag, parent, className, text = "") {
  const one = document.createElement(tag);
  one.className = className;
  one.textContent = text;
  parent.append(one);
  return one;
}

const pen = document.createElement("canvas").getContext("2d"), widths = new Map();
let inFont = "";
function widthOf(text, font) {
  if (inFont !== font) {
    pen.font = inFont = font;
    widths.clear();
  }
  if (!widths.has(text)) widths.set(text, pen.measureText(text).width);
  return widths.get(text);
}

// Most of a plot stays as it is from one choice to the next: only what differs is written.
function set(one, values) {
  one.has ??= {};
  for (const [name, value] of Object.entries(values)) {
    if (one.has[name] === value) continue;
    one.has[name] = value;
    if (name === "text") one.textContent = value;
    else one.setAttribute(name, value);
  }
}

function cut(text, room, font) {
  if (widthOf(text, font) <= room) return text;
  let most = text.length;
  while (most > 1 && widthOf(text.slice(0, most) + "…", font) > room) most -= 1;
  return text.slice(0, most) + "…";
}

const estimate = (text) => text.split("[")[0].trim(); // where there is no room for its interval

// A figure of the width that there is: where labels, plot and numbers begin.
function across(model, width, font) {
  const widest = (texts) => Math.ceil(1.06 * Math.max(0, ...texts.map((text) => widthOf(text, font))));
  const results = model.get("results"), narrow = width < 520;
  const numbers = [...model.get("texts"), ...results.map((one) => one.text)];
  const values = widest(narrow ? numbers.map(estimate) : numbers);
  const weights = narrow ? 0 : widest([...Object.values(OUT), "Weight"]) + GAP;
  const named = [...model.get("rows").map((row) => row.label), ...results.map((one) => one.name), "Experiment"];
  const room = Math.max(70, Math.min(0.32 * width, width - values - weights - 150));
  const labels = Math.min(widest(named), room);
  const left = labels + 2 * GAP;
  return { width, labels, left, plot: width - left - values - weights - 2 * GAP, weights, narrow,
           right: width - weights - GAP };
}

function render({ model, el }) {
  const root = html("div", el, "explorer");
  root.dataset.lmSuppressShortcuts = "true"; // keys are the explorer's own, not the notebook's
  const told = html("div", root, "told");
  const change = html("p", told, "change");
  change.setAttribute("aria-live", "polite");
  const was = html("span", change, "was"), now = html("strong", change, "now");
  const flipped = html("p", told, "flipped"), error = html("p", told, "error");
  flipped.setAttribute("role", "status");
  error.setAttribute("role", "alert");
  const sentence = html("p", told, "sentence"), settings = html("p", told, "settings");
  const figure = html("div", root, "figure");
  const head = make("svg", figure, { class: "head", "aria-hidden": "true" });
  const frame = html("div", figure, "frame");
  const body = make("svg", frame, { class: "rows", role: "group" });
  body.setAttribute("aria-label", "Experiments: Enter leaves one out, or takes it back; the arrow keys go up and down");
  const foot = make("svg", figure, { class: "foot", role: "img" });
  const under = html("p", root, "left-out");
  const table = html("table", root, "facts");
  const taken = html("details", root, "written");
  html("summary", taken, "", "Take this choice along: parameters, command, Python");
  const copies = html("div", taken, "copies");
  let lines = [], here = 0;

  function buildRows() {
    body.replaceChildren();
    make("line", body, { class: "zero" });
    make("line", body, { class: "middle" });
    lines = model.get("rows").map((row, place) => {
      const g = make("g", body, { class: "row", role: "checkbox", transform: `translate(0 ${place * ROW})` });
      g.dataset.place = place;
      const line = { g, title: make("title", g), hit: make("rect", g, { class: "hit", height: ROW }) };
      line.label = make("text", g, { x: GAP, y: ROW / 2, class: "label" });
      line.interval = make("path", g, { class: "interval" });
      line.square = make("rect", g, { class: "square" });
      line.value = make("text", g, { y: ROW / 2, class: "value" });
      line.weight = make("text", g, { y: ROW / 2, class: "weight" });
      return line;
    });
    here = 0;
  }

  function stand(place, focus) {
    if (!lines.length) return;
    lines[here]?.g.setAttribute("tabindex", -1);
    here = Math.max(0, Math.min(lines.length - 1, place));
    lines[here].g.setAttribute("tabindex", 0);
    if (focus) lines[here].g.focus();
  }

  // An interval with its ends, or with arrows where it leaves the plot.
  function reach(low, high, x, scale, y, size) {
    const a = x(Math.max(low, scale.low)), b = x(Math.min(high, scale.high));
    const end = (at, out, side) => out
      ? `M${at + side * -5} ${y - size}L${at} ${y}L${at + side * -5} ${y + size}`
      : `M${at} ${y - size / 2}V${y + size / 2}`;
    if (low > scale.high) return end(b, true, 1);
    if (high < scale.low) return end(a, true, -1);
    return `M${a} ${y}H${b}${end(a, low < scale.low, -1)}${end(b, high > scale.high, 1)}`;
  }

  function draw() {
    const style = getComputedStyle(root);
    const font = `${style.fontSize} ${style.fontFamily}`;
    const width = frame.clientWidth;
    if (!width) return;
    const at = across(model, width, font);
    const scale = model.get("scale"), results = model.get("results"), fates = model.get("fates");
    const weights = model.get("weights"), shares = model.get("shares");
    const texts = model.get("texts"), why = model.get("why");
    const most = Math.max(0, ...weights.filter((one) => one !== null));
    const x = (value) => at.left + at.plot * (value - scale.low) / (scale.high - scale.low);
    const height = lines.length * ROW;
    body.setAttribute("viewBox", `0 0 ${width} ${height}`);
    body.style.height = `${height}px`;
    model.get("rows").forEach((row, place) => {
      const { g, title, hit, label, interval, square, value, weight } = lines[place];
      const fate = fates[place], ends = model.get("intervals")[place], used = fate === "used";
      const said = used ? shares[place] : OUT[fate];
      const all = [row.name, texts[place], used ? `weight ${said}` : why[place]].join("; ");
      set(g, { class: `row ${fate}`, "aria-checked": used, "aria-disabled": FIXED.has(fate), "aria-label": all });
      set(title, { text: all });
      set(hit, { width });
      set(label, { text: cut(row.label, at.labels, font) });
      set(value, { x: at.right, text: at.narrow ? estimate(texts[place]) : texts[place] });
      set(weight, { x: width - GAP, text: at.narrow ? "" : said });
      if (!ends || !scale) {
        set(interval, { d: "" });
        set(square, { width: 0 });
        return;
      }
      const side = used ? Math.max(4, 13 * Math.sqrt(weights[place] > 0 && most ? weights[place] / most : 0)) : 7;
      const seen = ends[0] >= scale.low && ends[0] <= scale.high;
      set(interval, { d: reach(ends[1], ends[2], x, scale, ROW / 2, 5) });
      set(square, { x: x(ends[0]) - side / 2, y: (ROW - side) / 2, width: seen ? side : 0, height: side });
    });
    const pooled = results.find((one) => one.kind === "pooled");
    upright(body.querySelector(".zero"), scale ? x(0) : null, height);
    upright(body.querySelector(".middle"), pooled ? x(pooled.at[0]) : null, height);
    drawHead(at, font);
    drawFoot(at, x, scale, results, font);
  }

  function upright(line, at, height) {
    line.setAttribute("visibility", at === null ? "hidden" : "visible");
    if (at === null) return;
    for (const [name, value] of Object.entries({ x1: at, x2: at, y1: 0, y2: height })) line.setAttribute(name, value);
  }

  function drawHead(at, font) {
    head.replaceChildren();
    head.setAttribute("viewBox", `0 0 ${at.width} ${ROW}`);
    head.style.width = `${at.width}px`;
    make("text", head, { x: GAP, y: ROW / 2 }, cut("Experiment", at.labels, font));
    make("text", head, { x: at.right, y: ROW / 2, class: "value" }, (at.narrow ? model.get("scale")?.title : model.get("scale")?.heading) ?? "");
    if (!at.narrow) make("text", head, { x: at.width - GAP, y: ROW / 2, class: "weight" }, "Weight");
  }

  function drawFoot(at, x, scale, results, font) {
    foot.replaceChildren();
    foot.style.width = `${at.width}px`;
    if (!scale) return foot.setAttribute("viewBox", `0 0 ${at.width} 1`);
    let y = 4;
    const lowest = y + results.length * FOOT;
    upright(make("line", foot, { class: "zero" }), x(0), lowest);
    results.forEach((one) => {
      const g = make("g", foot, { class: one.kind }), middle = y + FOOT / 2, [mid, low, high] = one.at;
      make("text", g, { x: GAP, y: middle, class: "label" }, cut(one.name, at.labels, font));
      make("text", g, { x: at.right, y: middle, class: "value" }, at.narrow ? estimate(one.text) : one.text);
      if (mid === null) make("path", g, { class: "bar", d: reach(low, high, x, scale, middle, 5) });
      else make("path", g, { class: "diamond", d: `M${x(low)} ${middle}L${x(mid)} ${middle - 7}L${x(high)} ${middle}L${x(mid)} ${middle + 7}Z` });
      y += FOOT;
    });
    make("line", foot, { class: "axis", x1: at.left, x2: at.left + at.plot, y1: y, y2: y });
    for (const [value, text] of scale.ticks) {
      make("line", foot, { class: "axis", x1: x(value), x2: x(value), y1: y, y2: y + 5 });
      make("text", foot, { x: x(value), y: y + 14, class: "tick" }, text);
    }
    y += 32;
    if (scale.sides) {
      const zero = x(0), [left, right] = scale.sides;
      const rooms = [zero - at.left, at.left + at.plot - zero];
      const fits = (text, room) => room > Math.min(90, widthOf(text, font));
      if (fits(left, rooms[0])) make("text", foot, { x: zero - 6, y, class: "value side" }, cut("← " + left, rooms[0], font));
      if (fits(right, rooms[1])) make("text", foot, { x: zero + 6, y, class: "side" }, cut(right + " →", rooms[1], font));
      y += 18;
    }
    make("text", foot, { x: at.left + at.plot / 2, y, class: "tick" }, scale.title);
    foot.setAttribute("viewBox", `0 0 ${at.width} ${y + 10}`);
    foot.setAttribute("aria-label", results.map((one) => `${one.name}: ${one.text}`).join("; "));
  }

  function say() {
    const words = model.get("told"), same = words.was === words.now;
    was.textContent = !words.was || same ? "" : `was ${words.was}`;
    now.textContent = words.now && (same || !words.was ? words.now : `now ${words.now}`);
    root.classList.toggle("changed", Boolean(words.now) && !same);
    flipped.textContent = words.flipped;
    error.textContent = words.error;
    sentence.textContent = words.sentence;
    settings.replaceChildren();
    words.settings?.forEach(([text, differs], place) => {
      if (place) settings.append("; ");
      html(differs ? "mark" : "span", settings, "", text);
    });
    words.warnings?.forEach((text) => html("span", settings, "warning", ` ${text}`));
    under.textContent = `${words.left_out} ${model.get("naming")}`;
    table.replaceChildren();
    if (!words.table?.length) return;
    const top = table.createTHead().insertRow();
    for (const text of ["", ...words.heads]) html("th", top, "", text).setAttribute("scope", "col");
    const rows = table.createTBody();
    for (const [name, before, after] of words.table) {
      const row = rows.insertRow();
      row.className = before === after ? "" : "differs";
      html("th", row, "", name).setAttribute("scope", "row");
      html("td", row, "", before);
      html("td", row, "", after);
    }
  }

  function takeAlong() {
    copies.replaceChildren();
    for (const [title, text] of model.get("written")) {
      const line = html("p", copies, "copy", title), button = html("button", line, "", "Copy");
      const pre = html("pre", copies, "", text);
      button.addEventListener("click", () => copy(pre, button));
    }
  }

  async function copy(pre, button) {
    getSelection().selectAllChildren(pre);
    try {
      await navigator.clipboard.writeText(pre.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected: press Ctrl-C";
    }
  }

  let rows = null;
  function update() {
    due = false;
    if (rows !== model.get("rows")) buildRows();
    rows = model.get("rows");
    say();
    draw();
    takeAlong();
    stand(here, false);
    root.dataset.drawn = Number(root.dataset.drawn || 0) + 1;
  }
  // One message of Python changes several of them at once: what they say together is drawn once.
  let due = false;
  function schedule() {
    if (!due) queueMicrotask(update);
    due = true;
  }

  const placeOf = (event) => event.target.closest(".row")?.dataset.place;
  function toggle(place) {
    const { id } = model.get("rows")[place];
    stand(Number(place), true);
    model.send({ toggle: id });
  }
  body.addEventListener("click", (event) => {
    const place = placeOf(event);
    if (place !== undefined) toggle(place);
  });
  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -lines.length, End: lines.length }[event.key];
    if (event.key === "Enter" || event.key === " ") toggle(here);
    else if (step) stand(here + step, true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  for (const name of DRAWN) model.on(`change:${name}`, schedule);
  const sized = new ResizeObserver(() => draw());
  sized.observe(frame);
  update();
  return () => {
    sized.disconnect();
    for (const name of DRAWN) model.off(`change:${name}`, schedule);
  };
}

export default { render };
