"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const button = (label, action) => {
    const element = make("button", { type: "button", textContent: label });
    element.addEventListener("click", () => action(element));
    return element;
  };

  // ---- What is said to those who do not see the change.
  const said = make("div", { className: "unseen" });
  said.setAttribute("role", "status");
  document.body.append(said);
  const say = (element, text) => {
    const label = element.textContent;
    element.textContent = text;
    said.textContent = text;
    setTimeout(() => { element.textContent = label; said.textContent = ""; }, 1600);
  };

  // ---- Downloads and copies.
  const save = (blob, name) => {
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  // As text with tabs, and as a table for Word and spreadsheets; groups keep their headings.
  const copyTable = async (table) => {
    const rows = all("tr", table).filter((row) => !row.hidden);
    const text = rows
      .map((row) => [...row.cells].map((cell) => cell.textContent.trim()).join("\t"))
      .join("\n");
    const plain = make("table");
    const caption = table.caption?.textContent.trim();
    if (caption) plain.createCaption().textContent = caption;
    for (const row of rows) {
      const line = plain.insertRow();
      for (const cell of row.cells) {
        const copied = make(cell.tagName, { textContent: cell.textContent.trim() });
        if (cell.colSpan > 1) copied.colSpan = cell.colSpan;
        line.append(copied);
      }
    }
    try {
      const kinds = { "text/html": plain.outerHTML, "text/plain": text };
      const blobs = Object.entries(kinds).map(([type, words]) => [type, new Blob([words], { type })]);
      await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(blobs))]);
    } catch {
      await copy(text);
    }
  };
  const drawing = (svg) =>
    new XMLSerializer()
      .serializeToString(svg)
      .replaceAll("currentColor", "#222222")
      .replaceAll("var(--ground,#fff)", "#ffffff");

  // A PNG says how large it is meant to be: 11811 dots a metre are 300 an inch.
  const crc = (bytes) => {
    let value = ~0;
    for (const byte of bytes) {
      value ^= byte;
      for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
    }
    return ~value >>> 0;
  };
  const withDensity = async (blob, density) => {
    const chunk = new Uint8Array(21);
    const view = new DataView(chunk.buffer);
    view.setUint32(0, 9);
    chunk.set([112, 72, 89, 115], 4);
    view.setUint32(8, density);
    view.setUint32(12, density);
    chunk[16] = 1;
    view.setUint32(17, crc(chunk.subarray(4, 17)));
    return new Blob([blob.slice(0, 33), chunk, blob.slice(33)], { type: "image/png" });
  };
  const png = async (svg) => {
    const image = new Image();
    const url = URL.createObjectURL(new Blob([drawing(svg)], { type: "image/svg+xml" }));
    image.src = url;
    await image.decode();
    const [width, height] = ["width", "height"].map((side) => Number(svg.getAttribute(side)));
    // No browser draws more than 32767 dots a side.
    const scale = Math.min(300 / 96, 32000 / Math.max(width, height));
    const canvas = make("canvas", { width: width * scale, height: height * scale });
    const context = canvas.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(url);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    return withDensity(blob, Math.round((scale * 96) / 0.0254));
  };
  for (const figure of all("figure.figure")) {
    const svg = figure.querySelector("svg");
    const name = figure.id.replace(/^figure-/, "");
    figure.querySelector(".actions").prepend(
      button("SVG", () => save(new Blob([drawing(svg)], { type: "image/svg+xml" }), `${name}.svg`)),
      button("PNG", async () => save(await png(svg), `${name}.png`)),
    );
  }
  for (const text of all(".copy")) {
    const words = text.innerText.trim();
    text.append(make("p", { className: "actions" }, button("Copy text", async (self) => {
      await copy(words);
      say(self, "Copied");
    })));
  }

  // ---- Tables: sort, filter, copy.
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim().replaceAll("−", "-");
    const number = /^[<>≤≥]?\s*([+-]?[\d,]*\.?\d+(?:e[+-]?\d+)?)/i.exec(text);
    if (number) return Number(number[1].replaceAll(",", "")) - (text[0] === "<" ? 1e-12 : 0);
    return text === "–" || text === "" ? null : text;
  };
  const compare = (a, b, direction) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === "number" && typeof b === "number") return direction * (a - b);
    return direction * String(a).localeCompare(String(b), "en", { numeric: true });
  };
  const sortable = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    const bodies = [...table.tBodies].map((body) => [body, all("tr:not(.group)", body)]);
    heads.forEach((head, column) => {
      const toggle = button(head.textContent, () => {
        const now = head.getAttribute("aria-sort");
        const next = now === null ? "ascending" : now === "ascending" ? "descending" : null;
        for (const other of heads) other.removeAttribute("aria-sort");
        if (next) head.setAttribute("aria-sort", next);
        for (const [body, rows] of bodies) {
          const direction = next === "descending" ? -1 : 1;
          const key = new Map(rows.map((row) => [row, value(row, column)]));
          body.append(...(next ? [...rows].sort((a, b) => compare(key.get(a), key.get(b), direction)) : rows));
        }
      });
      head.replaceChildren(toggle);
    });
  };
  const filterable = (rows, label, redraw) => {
    const count = make("span", { className: "count" });
    count.setAttribute("role", "status");
    const field = make("input", { type: "search", placeholder: label });
    field.setAttribute("aria-label", label);
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += !row.hidden;
      }
      redraw();
      count.textContent = words.length ? `${shown} of ${rows.length}` : "";
    });
    return [field, count];
  };
  for (const box of all("div.table")) {
    const table = box.querySelector("table");
    const rows = all("tbody tr:not(.group)", table);
    const actions = box.querySelector(".actions");
    if (rows.length > 1) sortable(table);
    if (rows.length > 15) {
      const fields = filterable(rows, "Filter rows", () => {
        for (const head of all("tr.group", table)) {
          head.hidden = all("tr:not(.group)", head.parentNode).every((row) => row.hidden);
        }
      });
      box.prepend(make("p", { className: "actions filter" }, ...fields));
    }
    actions.prepend(button("Copy table", async (self) => {
      await copyTable(table);
      say(self, "Copied");
    }));
  }
  const families = all("section.family");
  const search = document.querySelector("p#search");
  if (search) {
    search.append(...filterable(all(".family tbody tr"), "Search outcomes", () => {
      for (const family of families) {
        const rows = all("tbody tr", family);
        family.hidden = rows.length > 0 && rows.every((row) => row.hidden);
      }
    }));
  }

  // ---- Specification curves: draws those that are picked, from the data of the figure's download.
  const shape = (parent, tag, attributes, text) => {
    const element = document.createElementNS(parent.namespaceURI, tag);
    for (const [key, set] of Object.entries(attributes)) element.setAttribute(key, set);
    if (text) element.textContent = text;
    parent.append(element);
    return element;
  };
  const specifications = (link) => {
    const text = decodeURIComponent(link.getAttribute("href").replace(/^[^,]*,/, ""));
    const [head, ...rows] = text.trim().split("\n").map((line) => line.split(","));
    return rows.map((cells) => {
      const row = Object.fromEntries(head.map((name, at) => [name, cells[at]]));
      for (const name of ["estimate", "ci_low", "ci_high"]) row[name] = Number(row[name] || NaN);
      return row;
    });
  };
  const roundTicks = (low, high) => {
    const rough = (high - low) / 5 || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((one) => one * power >= rough);
    const ticks = [];
    for (let at = Math.ceil(low / step); at * step <= high; at++) ticks.push(at * step);
    return ticks;
  };
  const drawCurve = (like, rows, measure, lines, title) => {
    const [wide, left, tall, line] = [460, 150, 170, 16];
    const n = rows.length;
    const svg = document.createElementNS(like.namespaceURI, "svg");
    const box = { viewBox: `0 0 ${wide} ${tall + 20 + line * lines.length}`, role: "img", "aria-label": title };
    for (const [key, set] of Object.entries({ ...box, fill: "currentColor", "font-size": 12 })) svg.setAttribute(key, set);
    const low = Math.min(0, ...rows.map((row) => row.ci_low));
    const high = Math.max(0, ...rows.map((row) => row.ci_high));
    const x = (at) => left + ((at + 0.5) * (wide - left - 6)) / n;
    const y = (value) => 6 + ((high - value) * (tall - 12)) / (high - low || 1);
    const half = (wide - left - 6) / n / 2;
    for (const tick of roundTicks(low, high)) {
      const value = measure.log ? Math.exp(tick) : tick;
      const label = String(Number(value.toPrecision(3))).replace("-", "\u2212");
      shape(svg, "text", { x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, label);
      shape(svg, "path", { d: `M${left - 5} ${y(tick)}h5`, stroke: "currentColor" });
    }
    shape(svg, "path", { d: `M${left} ${y(0)}H${wide}`, stroke: "currentColor" });
    const path = (chosen, each) => rows.map((row, at) => (chosen(row) ? each(row, at) : "")).join("");
    for (const [chosen, color] of [[(row) => !row.principled, "#808080"], [(row) => row.principled, "#0072B2"]]) {
      shape(svg, "path", { d: path(chosen, (row, at) => `M${x(at)} ${y(row.ci_low)}V${y(row.ci_high)}`) || "M0 0", stroke: color });
    }
    shape(svg, "path", { d: path(() => true, (row, at) => `M${x(at) - half} ${y(row.estimate)}h${2 * half}`), stroke: "currentColor", "stroke-width": 2.5 });
    shape(svg, "path", { d: path((row) => row.leading, (row, at) => `M${x(at)} 0V${tall}`) || "M0 0", stroke: "#D55E00", "stroke-width": 1.5, "stroke-dasharray": "5 4" });
    lines.forEach(([label, made], place) => {
      const at = tall + 20 + line * place;
      shape(svg, "text", { x: made ? 12 : 0, y: at + 4, ...(made ? {} : { "font-weight": "bold" }) }, label);
      if (made) shape(svg, "path", { d: path(made, (row, rank) => `M${x(rank) - half} ${at}h${2 * half}`) || "M0 0", stroke: "currentColor", "stroke-width": 5 });
    });
    return svg;
  };
  for (const picker of all("details.picker")) {
    const figure = document.getElementById(picker.dataset.figure);
    const [form, status, drawn] = ["form", "[role=status]", ".drawn"].map((one) => picker.querySelector(one));
    let rows = null;
    const redraw = () => {
      rows ||= specifications(figure.querySelector("a[download]"));
      const measure = form.querySelector("[name=measure]:checked");
      const { log, sides, null: zero } = measure.dataset;
      const boxes = all("[type=checkbox]", form).filter((box) => box.name !== "principled");
      const off = boxes.filter((box) => !box.checked);
      const equals = form.elements.principled.checked;
      const shown = rows
        .filter((row) => row.measure === measure.value && Number.isFinite(row.estimate))
        .filter((row) => !off.some((box) => row[box.name] === box.value) && (!equals || row.principled))
        .sort((a, b) => a.estimate - b.estimate);
      const words = [false, true].map((only) => {
        const some = shown.filter((row) => Boolean(row.principled) === !only);
        const [above, below] = sides.split("|").map((side, at) => [side, some.filter((row) => (at ? row.ci_high < 0 : row.ci_low > 0)).length]);
        const told = [above, below, [`includes ${zero}`, some.length - above[1] - below[1]]].filter(([, count]) => count);
        const list = told.map(([side, count]) => `${side} in ${count}`).join(", ");
        return some.length ? `${only ? "Only shown" : "Equally principled"} ${some.length}: the ${picker.dataset.level} ${list}.` : "";
      });
      const of = rows.filter((row) => row.measure === measure.value).length;
      status.textContent = `${shown.length} of ${of} are drawn. ${words.join(" ")}`;
      const lines = [["equally principled", (row) => row.principled]];
      for (const set of all("fieldset", form)) {
        const picked = all("[type=checkbox]:checked", set).filter((box) => box.name !== "principled");
        const made = picked.filter((box) => shown.some((row) => row[box.name] === box.value));
        if (made.length > 1) lines.push([set.querySelector("legend").textContent, null]);
        if (made.length > 1) lines.push(...made.map((box) => [box.parentNode.textContent.trim(), (row) => row[box.name] === box.value]));
      }
      const like = figure.querySelector("svg");
      drawn.replaceChildren(...(shown.length ? [drawCurve(like, shown, { log }, lines, status.textContent)] : []));
    };
    picker.hidden = false;
    picker.addEventListener("toggle", () => { if (picker.open && !rows) redraw(); });
    form.addEventListener("change", redraw);
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  // ---- Contents follow the reader; they are folded on a narrow screen.
  const contents = document.querySelector("nav details");
  const narrow = matchMedia("(max-width: 62rem)");
  if (contents) {
    const fold = () => { contents.open = !narrow.matches; };
    fold();
    narrow.addEventListener("change", fold);
    const links = new Map(all("a", contents).map((link) => [link.hash.slice(1), link]));
    const heads = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    let current = null;
    const follow = () => {
      const past = heads.filter((head) => head.getBoundingClientRect().top < 48);
      const head = past.at(-1) || heads[0];
      if (!head || head === current) return;
      current = head;
      for (const link of links.values()) link.removeAttribute("aria-current");
      const link = links.get(head.id);
      link.setAttribute("aria-current", "true");
      const nav = link.closest("nav");
      const [box, place] = [nav.getBoundingClientRect(), link.getBoundingClientRect()];
      if (!narrow.matches && (place.top < box.top || place.bottom > box.bottom)) {
        nav.scrollTop += place.top - box.top - box.height / 3;
      }
    };
    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; follow(); });
    }, { passive: true });
    follow();
    contents.addEventListener("click", (event) => {
      if (narrow.matches && event.target.closest("li a")) contents.open = false;
    });
  }

  // ---- Switches.
  const folds = all("main details:not(.picker)");
  const tools = document.querySelector(".tools") || make("div", { className: "tools" });
  if (folds.length) {
    tools.append(button("Unfold all, also for printing", (self) => {
      const open = folds.some((fold) => !fold.open);
      for (const fold of folds) fold.open = open;
      self.textContent = open ? "Fold all" : "Unfold all, also for printing";
    }));
  }
  tools.append(button("Light or dark", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  }));
  (document.querySelector("nav") || document.querySelector("main")).append(tools);

  // ---- A link into what is folded opens it.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = [];
    for (let one = target?.closest("details:not([open])"); one; one = one.parentElement.closest("details:not([open])")) {
      folded.push(one);
    }
    for (const one of folded) one.open = true;
    if (folded.length) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash) reveal();
  });
  reveal();

  // ---- A box that does not scroll is no stop on the way through the page.
  const boxes = all(".scroll");
  const stops = () => {
    for (const box of boxes) {
      const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
      if (scrolls) box.tabIndex = 0; else box.removeAttribute("tabindex");
    }
  };
  stops();
  addEventListener("resize", stops);
})();
