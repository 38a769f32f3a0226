// Search over numbers, files and claims; the filter of the claims by verdict.

const QUERY = document.getElementById("query");
const FOUND = document.getElementById("found");
const LIMIT = 12;

/** Everything that can be found: where it leads, what is shown, what is searched. */
const ENTRIES = [
  ...Object.entries(LINEAGE.numbers).filter(([, one]) => one.value !== null).map(([id, one]) => ({
    kind: "Numbers", href: `#${id}`, name: `${one.text}${one.unit ? ` ${one.unit}` : ""}`, more: `${one.label} · ${id}`,
  })),
  ...LINEAGE.files.map((file) => ({
    kind: "Files", href: `#${file.anchor}`, name: nameOf(file.path), more: `${file.path} · ${file.sha256.slice(0, 16)}…`, also: file.sha256,
  })),
  ...[...document.querySelectorAll(".claim")].map((item) => ({
    kind: "Claims", href: `#${item.id}`, name: item.querySelector(".says").textContent,
    more: `${item.id.slice("claim-".length)} · ${item.querySelector(".verdict").textContent}`, also: item.textContent,
  })),
].map((entry) => ({ ...entry, text: `${entry.name} ${entry.more} ${entry.also ?? ""}`.toLowerCase().replaceAll("−", "-") }));

function search() {
  const wanted = QUERY.value.toLowerCase().replaceAll("−", "-").split(/\s+/).filter(Boolean);
  FOUND.hidden = !wanted.length;
  if (!wanted.length) return;
  const hits = ENTRIES.filter((entry) => wanted.every((word) => entry.text.includes(word)));
  const groups = ["Numbers", "Files", "Claims"].map((kind) => hits.filter((hit) => hit.kind === kind));
  FOUND.replaceChildren(...groups.filter((group) => group.length).flatMap((group) => [
    make("h3", {}, `${group[0].kind} (${group.length})`),
    make("ul", {}, ...group.slice(0, LIMIT).map((hit) =>
      make("li", {}, make("a", { href: hit.href }, hit.name), make("small", {}, hit.more)))),
    ...(group.length > LIMIT ? [make("p", { class: "quiet" }, `and ${group.length - LIMIT} more: add a word`)] : []),
  ]));
  if (!hits.length) FOUND.append(make("p", {}, "Nothing found."));
  document.getElementById("search-status").textContent = `${hits.length} found`;
}

function closeSearch() {
  FOUND.hidden = true;
}

QUERY.addEventListener("input", search);
QUERY.addEventListener("focus", search);
document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  FOUND.querySelector("a")?.focus();
});
document.getElementById("search").addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !FOUND.hidden) {
    event.preventDefault();
    closeSearch();
    QUERY.focus();
    closeSearch();
  }
});
document.addEventListener("pointerdown", (event) => { if (!event.target.closest("#search")) closeSearch(); });
document.getElementById("search").addEventListener("focusout", (event) => {
  if (event.relatedTarget && !event.relatedTarget.closest("#search, #panel")) closeSearch();
});

function filterClaims() {
  const verdict = document.querySelector('input[name="verdict"]:checked').value;
  let shown = 0;
  const items = [...document.querySelectorAll(".claim")];
  for (const item of items) {
    item.hidden = Boolean(verdict) && item.dataset.verdict !== verdict;
    shown += item.hidden ? 0 : 1;
  }
  document.getElementById("claims-status").textContent = `${shown} of ${countOf(items.length, "claim")} shown`;
}

document.getElementById("verdicts").addEventListener("change", filterClaims);
window.addEventListener("beforeprint", () => document.querySelectorAll(".findings").forEach((one) => { one.open = true; }));
document.documentElement.classList.add("scripted");
filterClaims();
follow();
