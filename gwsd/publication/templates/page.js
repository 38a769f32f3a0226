// The panel with the lineage of a number, artifact, claim or file; search; the filter of the claims.

const [PANEL, BODY, TITLE, QUERY, FOUND] = ["panel", "panel-body", "panel-title", "query", "found"].map((id) => document.getElementById(id));
const CLAIMS = [...document.querySelectorAll(".claim")];
const MAX_FOUND = 12;

const hash = (text) => make("span", { class: "hash" }, text);
const code = (text) => make("code", {}, text);
const lines = (items) => items.map((item) => make("div", {}, item));
const folded = (summary, content) => make("details", {}, make("summary", {}, summary), content);

/** A list of names and values; empty values are left out. */
function facts(pairs) {
  const given = pairs.filter(([, value]) => value !== null && value !== "" && value?.length !== 0);
  return make("dl", { class: "facts" }, ...given.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, ...[value].flat())]));
}

function fileLine(path) {
  const { sha256, bytes, origin, raw } = DATA.files[path];
  return make("li", { "data-step": path, tabindex: "-1", class: raw ? "raw" : "" },
    make("a", { href: `#file-${path}` }, path), make("br"), "SHA-256 ", hash(sha256), make("br"),
    make("span", { class: "quiet" }, `${bytes.toLocaleString("en")} bytes`),
    ...(origin ? [make("br"), make("strong", {}, "Origin: "), origin] : []));
}

function fileList(paths) {
  const list = make("ul", {}, ...paths.map(fileLine));
  return paths.length <= 4 ? list : folded(`${nameOf(paths[0])} and ${paths.length - 1} more, with their checksums`, list);
}

/** A job as text: outputs that are used, inputs, code, settings and times. */
function jobStep(box) {
  const job = DATA.jobs[box.job];
  const inputs = Object.entries(job.inputs).map(([name, paths]) => make("div", {}, `${name}: `, ...(paths.length > 8
    ? [code(paths[0]), ` and ${paths.length - 1} more`] : lines(paths.map(code)))));
  return make("li", { "data-step": box.job, tabindex: "-1" }, make("h4", {}, `Job ${titleOf(box)}`),
    facts([
      ["outputs", fileList([...box.files.keys()])],
      ["inputs", inputs.length ? inputs : "none: made from settings and seed"],
      ["job key", hash(job.key)],
      ["record", code(box.job)],
      ["seed", String(job.seed)],
      ["time", `${job.started} to ${job.ended}`],
      ["device", job.device],
      ["remarks", lines(job.remarks)],
      ["commit", job.commit && [hash(job.commit), job.dirty ? " with uncommitted changes" : ""]],
    ]),
    folded("Settings", make("pre", { tabindex: "0" }, JSON.stringify(job.settings, null, 1))),
    folded("Command", make("pre", { tabindex: "0" }, job.command)),
    folded(`Source files (${job.code.length})`, make("div", {}, ...lines(job.code.map((index) => make("span", {}, code(DATA.code[index][0]), " ", hash(DATA.code[index][1])))))));
}

/** Show the text on a job or file. */
function choose(section, key) {
  const steps = [...section.querySelectorAll(`[data-step="${CSS.escape(key)}"]`)];
  const step = steps.find((item) => item.closest(".steps")) ?? steps[0];
  section.querySelectorAll(".chosen").forEach((item) => item.classList.remove("chosen"));
  for (let parent = step.closest("details"); parent; parent = parent.parentElement.closest("details")) parent.open = true;
  step.classList.add("chosen");
  step.focus();
  step.scrollIntoView({ block: "start" });
}

/** The lineage of some files: graph, raw files and each job as text; `only` are the inputs of one value. */
function lineageOf(paths, title, only = null) {
  const roots = paths.filter((path) => Object.hasOwn(DATA.files, path));
  if (!roots.length) return make("p", {}, "No record names this file.");
  const section = make("div");
  const input = make("input", { type: "checkbox", id: "narrow" });
  input.checked = Boolean(only);
  const redraw = () => {
    const boxes = trace(roots, input.checked ? only : null);
    const steps = [...boxes.values()].filter(({ job }) => job in DATA.jobs).sort((a, b) => a.depth - b.depth);
    const raw = [...boxes.values()].flatMap(({ files }) => [...files.keys()]).filter((path) => DATA.files[path].raw).sort();
    section.replaceChildren(
      make("p", { class: "quiet" }, "Boxes are jobs, buttons in them are the files that they made; raw files are on the left. Choose one to read its details below."),
      ...(only ? [make("p", {}, make("label", {}, input, " only the inputs of this value, not of its whole table"))] : []),
      draw(boxes, title, (key) => choose(section, key)),
      make("h3", {}, `Raw files (${raw.length})`),
      raw.length ? fileList(raw) : make("p", {}, "None: made from settings and code alone."),
      make("h3", {}, "Jobs, from the last to the first"),
      make("ol", { class: "steps" }, ...steps.map(jobStep)));
  };
  input.addEventListener("change", () => { redraw(); input.focus(); });
  redraw();
  return section;
}

const printed = ({ text, unit }) => (unit ? `${text} ${unit}` : text);

function numberPanel(id) {
  const number = DATA.numbers[id];
  const inputs = Object.values(DATA.jobs[DATA.files[number.file]?.job]?.inputs ?? {}).flat();
  const only = number.source.map(({ file }) => file).filter((file) => inputs.includes(file));
  const where = (source) => Object.entries(source.where ?? {}).map(([name, value]) => `${name} ${value}`);
  const detail = (source) => [source.key, ...where(source)].filter(Boolean).join(", ") + (source.factor === 1 ? "" : ` × ${source.factor}`);
  return [`${printed(number)}: ${number.label}`,
    facts([
      ["id", code(id)],
      ["exact value", String(number.value)],
      ["origin", number.origin],
      ["timing", number.measured ? "measures time or depends on such a value: differs between runs" : ""],
      ["file", [code(number.file), `, row ${number.row}, column ${number.column}`]],
      ["computed from", lines(number.source.map((source) => make("span", {}, code(source.file), `, ${detail(source)}`)))],
      ["command line", code(`gwsd trace "${id}"`)],
    ]),
    number.origin === "reported by the paper"
      ? make("p", {}, "This value was copied from the paper, not computed, so it has no lineage.")
      : lineageOf([number.file], printed(number), only.length ? new Set(only) : null)];
}

function claimPanel(item) {
  const ids = item.dataset.numbers.split(" ").filter((id) => Object.hasOwn(DATA.numbers, id));
  const text = make("div", {}, ...[...item.children].map((child) => child.cloneNode(true)));
  const title = `Claim ${item.id.slice("claim-".length)}`;
  if (!ids.length) return [title, text, make("p", {}, "The verdict needs no value of this run.")];
  return [title, text, make("h3", {}, "Compared with"),
    make("ul", {}, ...ids.map((id) => make("li", {}, make("a", { href: `#${id}` }, `${printed(DATA.numbers[id])}: ${DATA.numbers[id].label}`), " ", code(id)))),
    lineageOf([...new Set(ids.map((id) => DATA.numbers[id].file))], "claim")];
}

/** Title and content of the panel that an address asks for; null for a place on the page. */
function panelFor(target) {
  if (Object.hasOwn(DATA.numbers, target)) return numberPanel(target);
  const [, kind, name] = target.match(/^(lineage|claim|file)-(.+)$/) ?? [];
  if (kind === "lineage" && Object.hasOwn(DATA.artifacts, name)) {
    const { title, file } = DATA.artifacts[name];
    return [`Lineage of ${title}`, facts([["command line", code(`gwsd trace ${file}`)]]), lineageOf([file], name)];
  }
  if (kind === "file" && Object.hasOwn(DATA.files, name)) return [nameOf(name), make("ul", {}, fileLine(name)), lineageOf([name], nameOf(name))];
  return kind === "claim" && document.getElementById(target) ? claimPanel(document.getElementById(target)) : null;
}

const target = () => decodeURIComponent(location.hash.slice(1));

/** Open or close the panel as the address asks. */
function followAddress() {
  const panel = panelFor(target());
  if (!panel) return PANEL.close();
  if (!PANEL.open) { // the browser gives the focus back to the link when the panel closes
    const link = document.querySelector(`main a[href="#${CSS.escape(target())}"]`);
    const details = link?.closest("details");
    if (details) details.open = true;
    if (link && !link.contains(document.activeElement)) link.focus();
    PANEL.showModal();
  }
  TITLE.textContent = panel[0];
  BODY.replaceChildren(...panel.slice(1));
  PANEL.scrollTop = 0;
  return TITLE.focus();
}

PANEL.addEventListener("close", () => { if (panelFor(target())) history.pushState(null, "", location.pathname + location.search); });
PANEL.addEventListener("click", (event) => { if (event.target === PANEL) PANEL.close(); });
document.getElementById("panel-close").addEventListener("click", () => PANEL.close());
for (const kind of ["hashchange", "popstate"]) window.addEventListener(kind, followAddress);

const plain = (text) => text.toLowerCase().replaceAll("−", "-");
const ENTRIES = [
  ...Object.entries(DATA.numbers).filter(([, { value }]) => value !== null).map(([id, number]) => ["Numbers", `#${id}`, printed(number), `${number.label} · ${id}`, ""]),
  ...Object.entries(DATA.files).map(([path, { sha256 }]) => ["Files", `#file-${path}`, nameOf(path), path, sha256]),
  ...CLAIMS.map((item) => ["Claims", `#${item.id}`, item.querySelector(".statement").textContent, `${item.id.slice(6)} · ${item.querySelector(".verdict").textContent}`, item.textContent]),
].map(([kind, href, name, more, hidden]) => ({ kind, href, name, more, text: plain(`${name} ${more} ${hidden}`) }));

QUERY.addEventListener("input", () => {
  const words = plain(QUERY.value).split(/\s+/).filter(Boolean);
  FOUND.hidden = !words.length;
  const hits = ENTRIES.filter(({ text }) => words.every((word) => text.includes(word)));
  const groups = ["Numbers", "Files", "Claims"].map((kind) => hits.filter((hit) => hit.kind === kind)).filter((group) => group.length);
  FOUND.replaceChildren(...(hits.length ? [] : ["Nothing found."]), ...groups.flatMap((group) => [
    make("h3", {}, `${group[0].kind} (${group.length}${group.length > MAX_FOUND ? `, first ${MAX_FOUND}` : ""})`),
    make("ul", {}, ...group.slice(0, MAX_FOUND).map(({ href, name, more }) => make("li", {}, make("a", { href }, name), make("small", {}, more)))),
  ]));
});
const SEARCH = document.getElementById("search");
SEARCH.addEventListener("submit", (event) => { event.preventDefault(); FOUND.querySelector("a")?.focus(); });
SEARCH.addEventListener("keydown", (event) => { if (event.key === "Escape") { FOUND.hidden = true; QUERY.focus(); } });
SEARCH.addEventListener("focusout", (event) => { if (event.relatedTarget && !event.relatedTarget.closest("#search, #panel")) FOUND.hidden = true; });
document.addEventListener("pointerdown", (event) => { if (!event.target.closest("#search")) FOUND.hidden = true; });

function filterClaims() {
  const verdict = document.querySelector('input[name="verdict"]:checked').value;
  CLAIMS.forEach((item) => { item.hidden = verdict !== "" && item.dataset.verdict !== verdict; });
  document.getElementById("claims-status").textContent = `${CLAIMS.filter((item) => !item.hidden).length} of ${CLAIMS.length} claims shown`;
}

document.getElementById("verdicts").addEventListener("change", filterClaims);
window.addEventListener("beforeprint", () => document.querySelectorAll(".findings").forEach((item) => { item.open = true; }));
document.documentElement.classList.add("with-script");
filterClaims();
followAddress();
