// The lineage as a picture: columns from raw files on the left to what was published on the right.

const SVG = "http://www.w3.org/2000/svg";
const SIZE = { width: 170, gap: 38, row: 22, head: 26, pad: 8, between: 16 };

/** The picture is made smaller to fit its box, but never below this share: then the box scrolls. */
const SMALLEST = 0.78;

function shape(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const RULER = document.createElement("canvas").getContext("2d");

/** A line of text, cut where the box ends. */
function words(text, x, y, room, kind = "") {
  RULER.font = `${kind === "title" ? 600 : 400} 12px system-ui, sans-serif`;
  let short = text;
  while (short.length > 1 && RULER.measureText(short).width > room) short = `${short.slice(0, -2)}…`;
  return shape("text", { x, y, class: kind }, short);
}

const nameOf = (path) => path.split("/").pop();

/** What a chip says: the file's name with the folder that tells it from its sisters, or how many files. */
function chipText(lineage, files) {
  if (files.length > 1) return `${files.length} files: ${nameOf(lineage.files[files[0]].path)} …`;
  return nameOf(lineage.files[files[0]].path);
}

const SEED = /^seed\d+$/;

/** A job's name with what tells it from its sisters: the method or variant in the path of its output. */
function boxTitle(lineage, box) {
  if (typeof box.job !== "number") return box.title;
  const parts = lineage.files[box.chips[0].files[0]].path.split("/");
  const at = parts.findIndex((part) => SEED.test(part));
  if (at < 1) return box.title;
  return `${box.title} ${parts[at - 1]}${parts[at] === "seed0" ? "" : ` ${parts[at]}`}`;
}

/** Place the boxes: one column a depth, within it near to their users. */
function place(boxes, end) {
  const deepest = Math.max(...boxes.map((box) => box.depth), 1);
  const columns = Array.from({ length: deepest + 1 }, () => []);
  boxes.forEach((box) => columns[box.depth].push(box));
  columns[0].push(end);
  const heightOf = (box) => SIZE.head + box.chips.length * SIZE.row + SIZE.pad;
  const tallest = Math.max(
    ...columns.map((column) => column.reduce((sum, box) => sum + heightOf(box) + SIZE.between, 0)),
  );
  const middle = new Map();
  columns.forEach((column, depth) => {
    const wish = (box) => {
      const users = box.chips.flatMap((chip) => [...chip.users]).filter((user) => middle.has(user));
      return users.length ? users.reduce((sum, user) => sum + middle.get(user), 0) / users.length : 0;
    };
    if (depth) column.sort((a, b) => wish(a) - wish(b));
    const total = column.reduce((sum, box) => sum + heightOf(box) + SIZE.between, 0);
    let y = (tallest - total) / 2 + SIZE.between;
    for (const box of column) {
      Object.assign(box, { x: SIZE.pad + (deepest - depth) * (SIZE.width + SIZE.gap), y, height: heightOf(box) });
      middle.set(box.job ?? box.title, y + box.height / 2);
      y += box.height + SIZE.between;
    }
  });
  return { width: (deepest + 1) * (SIZE.width + SIZE.gap) - SIZE.gap + 2 * SIZE.pad, height: tallest + SIZE.between };
}

function edge(from, chipY, to) {
  const [x1, x2, y2] = [from.x + SIZE.width, to.x, to.y + SIZE.head / 2];
  const bend = Math.max(24, (x2 - x1) / 2);
  const far = x2 - x1 > SIZE.gap + 1;
  return shape("path", {
    class: far ? "edge far" : "edge",
    d: `M${x1},${chipY} C${x1 + bend},${chipY} ${x2 - bend},${y2} ${x2},${y2}`,
  });
}

/**
 * Draw a lineage.
 * @param {object} lineage  The page's data.
 * @param {object} found  What `walk` found.
 * @param {string} title  What stands at the right end.
 * @param {(key: string) => void} choose  Called with the step that a click or Enter means.
 * @returns {SVGElement}
 */
function draw(lineage, found, title, choose) {
  const boxes = boxesOf(lineage, found);
  const end = { job: "end", title, chips: [], depth: 0 };
  const size = place(boxes, end);
  const at = new Map([...boxes.filter((box) => box.job !== null).map((box) => [box.job, box]), ["end", end]]);
  const picture = shape("svg", {
    width: size.width, height: size.height, viewBox: `0 0 ${size.width} ${size.height}`,
    role: "group", "aria-label": `Lineage of ${title}: ${boxes.length} boxes from raw files to the right end`,
  });
  const edges = [];
  const nodes = [];
  for (const box of [...boxes, end].sort((a, b) => a.x - b.x || a.y - b.y)) {
    const kind = box.job === "end" ? "box box-end" : box.job === null ? "box box-raw" : "box";
    const heading = boxTitle(lineage, box);
    const frame = shape("g", { class: "node" },
      shape("title", {}, heading),
      shape("rect", { class: kind, x: box.x, y: box.y, width: SIZE.width, height: box.height, rx: 5 }),
      words(heading, box.x + SIZE.pad, box.y + 17, SIZE.width - 2 * SIZE.pad, "title"));
    if (typeof box.job === "number") act(frame, `Job ${heading}`, `job-${box.job}`, choose, edges, box);
    nodes.push(frame);
    box.chips.forEach((chip, row) => {
      const y = box.y + SIZE.head + row * SIZE.row;
      chip.users.forEach((user) => {
        const line = edge(box, y + SIZE.row / 2 - 2, at.get(user));
        edges.push({ line, from: box, to: at.get(user), chip });
      });
      const raw = lineage.files[chip.files[0]].raw;
      const text = chipText(lineage, chip.files);
      const node = shape("g", { class: "node" },
        shape("title", {}, chip.files.map((index) => lineage.files[index].path).slice(0, 30).join("\n")),
        shape("rect", { class: raw ? "chip box-raw" : "chip", x: box.x + 5, y, width: SIZE.width - 10, height: SIZE.row - 4, rx: 3 }),
        words(text, box.x + 10, y + 13, SIZE.width - 20));
      act(node, `${raw ? "Raw file" : "File"} ${text}`, `file-${chip.files[0]}`, choose, edges, box, chip);
      nodes.push(node);
    });
  }
  picture.append(...edges.map(({ line }) => line), ...nodes);
  return picture;
}

/** Fit a drawn picture into its box, and show its right end first where the box must scroll. */
function fit(scroller) {
  const picture = scroller.firstElementChild;
  const [, , width, height] = picture.getAttribute("viewBox").split(" ").map(Number);
  const share = Math.max(SMALLEST, Math.min(1, (scroller.clientWidth - 2) / width));
  picture.setAttribute("width", Math.floor(width * share));
  picture.setAttribute("height", Math.ceil(height * share));
  scroller.scrollLeft = scroller.scrollWidth;
}

/** Make a box or chip act on click and Enter, and show its edges while it is pointed at or focused. */
function act(node, label, key, choose, edges, box, chip = null) {
  node.setAttribute("tabindex", "0");
  node.setAttribute("role", "button");
  node.setAttribute("aria-label", label);
  const mark = (strong) => () => edges.forEach((one) => {
    const mine = chip ? one.chip === chip : one.from === box || one.to === box;
    if (mine) one.line.classList.toggle("strong", strong);
  });
  node.addEventListener("click", () => choose(key));
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      choose(key);
    }
  });
  for (const kind of ["focus", "pointerenter"]) node.addEventListener(kind, mark(true));
  for (const kind of ["blur", "pointerleave"]) node.addEventListener(kind, mark(false));
}
