// Lineage as a graph: boxes are jobs, from the raw files on the left to the published value on the right.

const DATA = JSON.parse(document.getElementById("data").textContent);

/** Files of a job with the same readers become one button if there are more of them, such as years of one variable. */
const MAX_SINGLE_FILES = 3;
const MAX_DEPTH = 100;

/** Make an HTML element; texts among the children are never read as markup. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

const nameOf = (path) => path.split("/").pop();

/**
 * Find the jobs behind some files.
 * @param {string[]} roots  Paths.
 * @param {Set<string>|null} only  Inputs of the first job to follow; null for all.
 * @returns {Map} By job (path of its record, `given` for files without one, `end`): its depth and, for each of its
 *   files that is used, the jobs that read it.
 */
function trace(roots, only) {
  const boxes = new Map([["end", { job: "end", depth: 0, files: new Map() }]]);
  const follow = (path, reader, depth) => {
    const job = DATA.files[path].job ?? "given";
    if (!boxes.has(job)) boxes.set(job, { job, depth: 0, files: new Map() });
    const box = boxes.get(job);
    if (!box.files.has(path)) box.files.set(path, new Set());
    box.files.get(path).add(reader);
    if (depth <= box.depth || depth > MAX_DEPTH) return;
    box.depth = depth;
    for (const input of Object.values(DATA.jobs[job]?.inputs ?? {}).flat()) {
      if (!only || reader !== "end" || only.has(input)) follow(input, job, depth + 1);
    }
  };
  roots.forEach((path) => follow(path, "end", 1));
  return boxes;
}

/** Name of a job, with the method and seed in the path of its output. */
function titleOf({ job, files }) {
  if (job === "given") return "other inputs";
  const [, method, seed] = [...files.keys()][0].match(/([^/]+)\/seed(\d+)\//) ?? [];
  return [DATA.jobs[job].job, method, seed > 0 ? `seed ${seed}` : ""].filter(Boolean).join(" ");
}

/** Group the files of a job by their readers. */
function groupsOf({ files }) {
  const groups = new Map();
  for (const [path, readers] of files) {
    const key = [...readers].sort().join();
    if (!groups.has(key)) groups.set(key, { paths: [], readers: [...readers] });
    groups.get(key).paths.push(path);
  }
  return [...groups.values()].flatMap((group) => group.paths.length > MAX_SINGLE_FILES
    ? [group] : group.paths.map((path) => ({ paths: [path], readers: group.readers })));
}

/** Sort boxes into columns by depth, in each column close to their readers. */
function columnsOf(boxes) {
  const columns = Array.from({ length: 1 + Math.max(...[...boxes.values()].map((box) => box.depth)) }, () => []);
  boxes.forEach((box) => columns[box.depth].push(box));
  const height = new Map();
  for (const column of columns) {
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / (values.length || 1);
    const wish = (box) => mean([...box.files.values()].flatMap((readers) => [...readers].map((job) => height.get(job) ?? 0)));
    const wishes = new Map(column.map((box) => [box, wish(box)]));
    column.sort((a, b) => wishes.get(a) - wishes.get(b));
    column.forEach(({ job }, place) => height.set(job, (place + 0.5) / column.length));
  }
  return columns.reverse();
}

/**
 * Draw a graph.
 * @param {Map} boxes  From `trace`.
 * @param {string} title  Text of the box at the right end.
 * @param {(key: string) => void} choose  Called with the job or path that was chosen.
 */
function draw(boxes, title, choose) {
  const heads = new Map();
  const links = [];
  const button = (key, attributes, text) => {
    const element = make("button", { type: "button", ...attributes }, text);
    element.addEventListener("click", () => choose(key));
    return element;
  };
  const columns = columnsOf(boxes).map((column) => make("div", { class: "column" }, ...column.map((box) => {
    if (box.job === "end") {
      heads.set("end", make("div", { class: "box end" }, title));
      return heads.get("end");
    }
    const head = box.job === "given" ? make("span", { class: "head" }, titleOf(box))
      : button(box.job, { class: "head", title: titleOf(box), "aria-label": `Job ${titleOf(box)}` }, titleOf(box));
    heads.set(box.job, head);
    return make("div", { class: "box" }, head, ...groupsOf(box).map(({ paths, readers }) => {
      const raw = DATA.files[paths[0]].raw;
      const text = paths.length > 1 ? `${paths.length} files: ${nameOf(paths[0])} …` : nameOf(paths[0]);
      const chip = button(paths[0], { class: raw ? "chip raw" : "chip", title: paths.slice(0, 30).join("\n"), "aria-label": `${raw ? "Raw file" : "File"} ${text}` }, text);
      readers.forEach((reader) => links.push({ chip, reader }));
      return chip;
    }));
  })));
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const canvas = make("div", { class: "columns" }, svg, ...columns);
  const frame = make("div", { class: "graph", tabindex: "0", role: "region", "aria-label": `Lineage of ${title} as a graph` }, canvas);
  for (const link of links) {
    link.line = document.createElementNS(svg.namespaceURI, "path");
    svg.append(link.line);
  }
  const place = () => {
    for (const { chip, reader, line } of links) {
      const [x1, y1] = [chip.offsetLeft + chip.offsetWidth, chip.offsetTop + chip.offsetHeight / 2];
      const [x2, y2] = [heads.get(reader).offsetLeft, heads.get(reader).offsetTop + heads.get(reader).offsetHeight / 2];
      const bend = Math.max(16, (x2 - x1) / 2);
      line.setAttribute("d", `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`);
    }
    frame.scrollLeft = frame.scrollWidth;
  };
  const mark = (target) => {
    const head = target?.closest(".box")?.querySelector(".head");
    for (const { chip, reader, line } of links) {
      const strong = target?.closest(".chip") ? chip === target : head && (heads.get(reader) === head || chip.parentElement.contains(head));
      line.classList.toggle("strong", Boolean(strong));
    }
  };
  for (const kind of ["pointerover", "focusin"]) canvas.addEventListener(kind, (event) => mark(event.target));
  for (const kind of ["pointerleave", "focusout"]) canvas.addEventListener(kind, () => mark(null));
  new ResizeObserver(place).observe(canvas);
  return frame;
}
