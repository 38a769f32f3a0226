// From published files back to raw ones: which jobs and files stand behind them, and in which column each is drawn.

/** Which files of a job another job used, grouped where many go the same way. */
const MANY = 3;

/**
 * Walk from some files to everything behind them.
 * @param {object} lineage  The page's data: files, jobs, code.
 * @param {number[]} roots  Indices of files.
 * @param {Set<number>|null} only  Where given, the inputs that the first job is followed along.
 * @returns {{jobs: Map, given: Map}} Jobs by index with the files used of each; files that no record makes.
 */
function walk(lineage, roots, only) {
  const jobs = new Map();
  const given = new Map();
  const first = new Set(roots.map((index) => lineage.files[index].job).filter((job) => job !== null));
  const follow = (index, user) => {
    const job = lineage.files[index].job;
    if (job === null) {
      if (!given.has(index)) given.set(index, new Set());
      given.get(index).add(user);
      return;
    }
    const fresh = !jobs.has(job);
    if (fresh) jobs.set(job, { used: new Map(), depth: 0 });
    const used = jobs.get(job).used;
    if (!used.has(index)) used.set(index, new Set());
    used.get(index).add(user);
    if (!fresh) return;
    for (const [, inputs] of lineage.jobs[job].inputs) {
      for (const input of inputs) {
        if (!(only && first.has(job) && !only.has(input))) follow(input, job);
      }
    }
  };
  roots.forEach((index) => follow(index, "end"));
  return { jobs, given };
}

/** Columns: a job stands left of everything that uses it. */
function columnsOf(found) {
  const depths = new Map([["end", 0]]);
  const depthOf = (job, path = new Set()) => {
    if (depths.has(job)) return depths.get(job);
    if (path.has(job)) return 0;
    path.add(job);
    let depth = 1;
    for (const users of found.jobs.get(job).used.values()) {
      for (const user of users) depth = Math.max(depth, depthOf(user, path) + 1);
    }
    path.delete(job);
    depths.set(job, depth);
    return depth;
  };
  for (const job of found.jobs.keys()) depthOf(job);
  return depths;
}

/** Files with the same users become one chip where they are many, such as 23 years of one variable. */
function chipsOf(used) {
  const groups = new Map();
  for (const [index, users] of used) {
    const key = [...users].sort().join();
    if (!groups.has(key)) groups.set(key, { files: [], users });
    groups.get(key).files.push(index);
  }
  const chips = [];
  for (const { files, users } of groups.values()) {
    if (files.length > MANY) chips.push({ files, users });
    else files.forEach((index) => chips.push({ files: [index], users }));
  }
  return chips;
}

/** The boxes of a graph: jobs with the files used of each, and files that were given. */
function boxesOf(lineage, found) {
  const depths = columnsOf(found);
  const boxes = [...found.jobs].map(([job, { used }]) => ({
    job,
    title: lineage.jobs[job].job,
    chips: chipsOf(used),
    depth: depths.get(job),
  }));
  const byUsers = new Map();
  for (const [index, users] of found.given) {
    const key = [...users].sort().join();
    if (!byUsers.has(key)) byUsers.set(key, { users, used: new Map() });
    byUsers.get(key).used.set(index, users);
  }
  for (const { users, used } of byUsers.values()) {
    const depth = 1 + Math.max(...[...users].map((user) => depths.get(user)));
    boxes.push({ job: null, title: "given", chips: chipsOf(used), depth });
  }
  return boxes;
}
