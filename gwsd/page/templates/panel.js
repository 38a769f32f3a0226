// The panel: what a number, artifact, claim or file is, and its lineage as picture and text.

const LINEAGE = JSON.parse(document.getElementById("lineage").textContent);
const PANEL = document.getElementById("panel");
const BODY = document.getElementById("panel-body");
const TITLE = document.getElementById("panel-title");

/** An HTML element with attributes, text and children; nothing is read as markup. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function facts(pairs) {
  const list = make("dl", { class: "facts" });
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "" || value.length === 0) continue;
    list.append(make("dt", {}, name), make("dd", {}, ...[value].flat()));
  }
  return list;
}

const hash = (text) => make("span", { class: "hash" }, text);
const thousands = (count) => count.toLocaleString("en");
const countOf = (count, name) => `${thousands(count)} ${name}${count === 1 ? "" : "s"}`;

/** One file as text: path, checksum, size, and for a raw one its origin. */
function fileLine(index) {
  const file = LINEAGE.files[index];
  const line = make("li", { "data-step": `file-${index}`, tabindex: "-1" },
    make("a", { href: `#${file.anchor}` }, file.path), " ", make("br"),
    "SHA-256 ", hash(file.sha256), make("br"),
    make("span", { class: "quiet" }, [`${thousands(file.bytes)} bytes`, file.status].filter(Boolean).join(", ")));
  if (file.raw) line.classList.add("raw");
  if (file.origin) line.append(make("br"), make("strong", {}, "Origin: "), file.origin);
  return line;
}

/** Some files as a list; many are folded. */
function fileList(indices) {
  const list = make("ul", {}, ...indices.map(fileLine));
  if (indices.length <= 4) return list;
  return make("details", {}, make("summary", {}, `${nameOf(LINEAGE.files[indices[0]].path)} and ${indices.length - 1} more, with their checksums`), list);
}

/** One job as text: what it made of what, by which code and settings, and when. */
function jobStep(index, used) {
  const job = LINEAGE.jobs[index];
  const step = make("li", { "data-step": `job-${index}`, tabindex: "-1" }, make("h4", {}, `Job ${job.job}`));
  step.append(facts([
    ["made", fileList(used)],
    ["of", job.inputs.length
      ? make("ul", {}, ...job.inputs.map(([name, files]) => make("li", {}, `${name}: `, summarised(files))))
      : "no file: of settings and seed alone"],
    ["job key", hash(job.key)],
    ["record", make("code", {}, job.record)],
    ["seed", String(job.seed)],
    ["when", [job.started, job.ended].filter(Boolean).join(" to ")],
    ["ran on", job.device],
    ["remarks", job.remarks.map((one) => make("div", {}, one))],
    ["commit", job.commit ? make("span", {}, hash(job.commit), job.dirty ? " with changes not committed" : "") : ""],
  ]));
  step.append(
    folded("Settings", make("pre", { tabindex: "0" }, JSON.stringify(job.settings, null, 1))),
    folded("Command", make("pre", { tabindex: "0" }, job.command)),
    folded(`Code (${countOf(job.code.length, "source file")})`, make("ul", {}, ...job.code.map((one) => {
      const [path, sha256] = LINEAGE.code[one];
      return make("li", {}, make("code", {}, path), " ", hash(sha256));
    }))));
  return step;
}

const folded = (name, content) => make("details", {}, make("summary", {}, name), content);

/** The paths of some files; of many the first, and how many more. */
function summarised(files) {
  const shown = files.length > 8 ? files.slice(0, 1) : files;
  const paths = shown.map((index) => make("div", {}, make("code", {}, LINEAGE.files[index].path)));
  return make("span", {}, ...paths, files.length > shown.length ? `and ${files.length - shown.length} more` : "");
}

/** The lineage of some files: picture, raw files, and each job from the end to the raw files. */
function lineageOf(roots, title, only) {
  const box = make("div");
  const redraw = (narrow) => {
    const found = walk(LINEAGE, roots, narrow ? only : null);
    const choose = (key) => show(box, key);
    const scroller = make("div", { class: "graph", tabindex: "0", role: "region", "aria-label": "Lineage as a graph" },
      draw(LINEAGE, found, title, choose));
    const depths = columnsOf(found);
    const jobs = [...found.jobs].sort(([a], [b]) => depths.get(a) - depths.get(b));
    const files = [...found.given.keys(), ...jobs.flatMap(([, { used }]) => [...used.keys()])];
    const raw = files.filter((index) => LINEAGE.files[index].raw).sort((a, b) => a - b);
    box.replaceChildren(
      make("p", { class: "quiet" }, "From raw files on the left to the published value on the right. A box is a job, the lines in it are files that it made. Choose one to read about it below."),
      ...(only ? [choice(narrow, redraw)] : []),
      scroller,
      make("h3", {}, `Raw files (${raw.length})`),
      raw.length ? fileList(raw) : make("p", {}, "None: this comes from settings and code alone."),
      make("h3", {}, "As text, from the end to the raw files"),
      make("ol", { class: "steps" }, ...jobs.map(([job, { used }]) => jobStep(job, [...used.keys()]))));
    if (PANEL.open) fit(scroller);
  };
  redraw(Boolean(only));
  return box;
}

function choice(narrow, redraw) {
  const input = make("input", { type: "checkbox", id: "narrow" });
  input.checked = narrow;
  input.addEventListener("change", () => {
    redraw(input.checked);
    document.getElementById("narrow").focus();
  });
  return make("p", {}, make("label", {}, input, " only what this value is computed from, not all that its table needs"));
}

/** Go to what the text says of a job or file. */
function show(box, key) {
  const steps = [...box.querySelectorAll(`[data-step="${key}"]`)];
  const step = steps.find((one) => one.closest(".steps")) ?? steps[0];
  if (!step) return;
  box.querySelectorAll(".chosen").forEach((one) => one.classList.remove("chosen"));
  for (let parent = step.parentElement; parent !== box; parent = parent.parentElement) {
    if (parent.tagName === "DETAILS") parent.open = true;
  }
  step.classList.add("chosen");
  step.focus();
  step.scrollIntoView({ block: "start" });
}

/** A value as it is printed, with its unit. */
function shownText(id) {
  const { text, unit } = LINEAGE.numbers[id];
  return unit ? `${text} ${unit}` : text;
}

function numberPanel(id) {
  const number = LINEAGE.numbers[id];
  const shown = shownText(id);
  const only = number.source.length ? new Set(number.source.map(({ file }) => file).filter((file) => file !== null)) : null;
  const paper = number.origin === "reported by the paper";
  return {
    title: `${shown}: ${number.label}`,
    body: [
      facts([
        ["number", make("code", {}, id)],
        ["exact value", String(number.value)],
        ["origin", paper ? "reported by the paper: it was not computed here; the lineage is that of the table that prints it" : number.origin],
        ["measured", number.measured ? "by a clock: two runs differ" : ""],
        ["stands in", number.path ? make("span", {}, make("code", {}, number.path), `, row ${number.row}, column ${number.column}`) : ""],
        ["computed from", number.source.map((one) => make("div", {}, make("code", {}, one.path), `, ${[one.key, one.where].filter(Boolean).join(", ")}${one.factor === 1 ? "" : ` × ${one.factor}`}`))],
        ["on the command line", make("code", {}, `gwsd trace "${id}"`)],
      ]),
      number.file === null ? make("p", {}, "No record names the file of this number.") : lineageOf([number.file], shown, only && only.size ? only : null),
    ],
  };
}

function artifactPanel(name) {
  const artifact = LINEAGE.artifacts[name];
  return {
    title: `Lineage of ${artifact.title}`,
    body: [
      facts([["on the command line", artifact.files.length ? make("code", {}, `gwsd trace ${LINEAGE.files[artifact.files[0]].path}`) : ""]]),
      artifact.files.length ? lineageOf(artifact.files, name, null) : make("p", {}, "No record names its files."),
    ],
  };
}

function claimPanel(item) {
  const parts = [make("div", {}, ...[...item.children].map((child) => child.cloneNode(true)))];
  const ids = (item.dataset.numbers ?? "").split(" ").filter((id) => Object.hasOwn(LINEAGE.numbers, id));
  const files = [...new Set(ids.map((id) => LINEAGE.numbers[id].file).filter((file) => file !== null))];
  if (ids.length) {
    parts.push(make("h3", {}, "Weighed against"), make("ul", {}, ...ids.map((id) => make("li", {},
      make("a", { href: `#${id}` }, `${shownText(id)}: ${LINEAGE.numbers[id].label}`), " ", make("code", {}, id)))));
  }
  if (files.length) {
    const sources = ids.length === 1 ? LINEAGE.numbers[ids[0]].source.map(({ file }) => file).filter((file) => file !== null) : [];
    parts.push(lineageOf(files, ids.length === 1 ? shownText(ids[0]) : "claim", sources.length ? new Set(sources) : null));
  } else {
    parts.push(make("p", {}, "No value of this run was needed: the paper, or facts from outside, decide. The lineage is that of the audit itself."));
    if (LINEAGE.claims.length) parts.push(lineageOf(LINEAGE.claims, "verdicts", null));
  }
  return { title: `Claim ${item.id.slice("claim-".length)}`, body: parts };
}

function filePanel(index) {
  const file = LINEAGE.files[index];
  return { title: nameOf(file.path), body: [make("ul", {}, fileLine(index)), lineageOf([index], nameOf(file.path), null)] };
}

/** What the address after # asks for, or null where it is only a place of the page. */
function panelFor(target) {
  if (Object.hasOwn(LINEAGE.numbers, target)) return numberPanel(target);
  const [kind] = target.split("-", 1);
  const rest = target.slice(kind.length + 1);
  if (kind === "lineage" && Object.hasOwn(LINEAGE.artifacts, rest)) return artifactPanel(rest);
  if (kind === "claim" && document.getElementById(target)?.classList.contains("claim")) return claimPanel(document.getElementById(target));
  const file = LINEAGE.files.findIndex((one) => one.anchor === target);
  return file >= 0 ? filePanel(file) : null;
}

/** Open or close the panel as the address says. */
function follow() {
  const target = decodeURIComponent(location.hash.slice(1));
  const panel = panelFor(target);
  if (!panel) {
    if (PANEL.open) PANEL.close();
    return;
  }
  if (!PANEL.open) {
    const place = document.querySelector(`a[href="#${CSS.escape(target)}"]`);
    const folded = place?.closest("details");
    if (folded) folded.open = true;
    if (place && !place.contains(document.activeElement)) place.focus();
    PANEL.showModal();
  }
  TITLE.textContent = panel.title;
  BODY.replaceChildren(...panel.body);
  PANEL.scrollTop = 0;
  TITLE.focus();
  BODY.querySelectorAll(".graph").forEach(fit);
}

/** Leave the panel: the address no longer names it, the focus goes back to where it was. */
function leave() {
  if (panelFor(decodeURIComponent(location.hash.slice(1)))) {
    history.pushState(null, "", location.pathname + location.search);
  }
}

PANEL.addEventListener("close", leave);
PANEL.addEventListener("click", (event) => { if (event.target === PANEL) PANEL.close(); });
document.getElementById("panel-close").addEventListener("click", () => PANEL.close());
window.addEventListener("hashchange", follow);
window.addEventListener("popstate", follow);
window.addEventListener("resize", () => BODY.querySelectorAll(".graph").forEach(fit));
