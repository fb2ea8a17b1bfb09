/** Something measured, which writes itself down in Prometheus' text format, version 0.0.4. */
export interface Measure {
  /** Its lines, with help and type before them; each ends in a line feed. */
  text(): string;
}

export interface Counter<Label extends string> extends Measure {
  add(labels: Readonly<Record<Label, string>>, count?: number): void;
  /** What was counted so far: labels and value of each series. */
  series(): IterableIterator<readonly [Readonly<Record<Label, string>>, number]>;
}

export interface Histogram extends Measure {
  observe(value: number): void;
  /** How many values were at most as large as each bound, the last one being Infinity. */
  cumulative(): ReadonlyMap<number, number>;
}

/** A number that only grows, for each set of labels. One without labels is there from the start, as 0. */
export function createCounter<Label extends string>(
  name: string,
  help: string,
  labelNames: readonly Label[],
): Counter<Label> {
  const counts = new Map<string, { readonly labels: Readonly<Record<Label, string>>; count: number }>();
  const add = (labels: Readonly<Record<Label, string>>, count = 1) => {
    const key = labelNames.map((label) => labels[label]).join("\0");
    const series = counts.get(key);
    if (series === undefined) counts.set(key, { labels, count });
    else series.count += count;
  };
  // It has no label to give.
  if (labelNames.length === 0) add({} as Record<Label, string>, 0);
  return {
    add,
    series: function* () {
      for (const { labels, count } of counts.values()) yield [labels, count] as const;
    },
    text: () =>
      head(name, help, "counter") +
      [...counts.values()].map(({ labels, count }) => line(name, labelNames, labels, count)).join(""),
  };
}

/** A value that is asked for when somebody reads it. */
export function createGauge(name: string, help: string, read: () => number): Measure {
  return { text: () => `${head(name, help, "gauge")}${name} ${read()}\n` };
}

/** Values that are asked for together, told apart by one label. */
export function createGauges<Label extends string, Key extends string>(
  name: string,
  help: string,
  label: Label,
  read: () => Readonly<Record<Key, number>>,
): Measure {
  return {
    text: () =>
      head(name, help, "gauge") +
      Object.entries<number>(read())
        .map(([key, value]) => line(name, [label], { [label]: key } as Record<Label, string>, value))
        .join(""),
  };
}

/** How often a value was at most as large as each of `bounds`, which ascend. */
export function createHistogram(name: string, help: string, bounds: readonly number[]): Histogram {
  // What is larger than every bound is in `count` only.
  const counts = bounds.map(() => 0);
  let count = 0;
  let sum = 0;
  const cumulative = () => {
    let below = 0;
    const all = new Map(bounds.map((bound, index) => [bound, (below += counts[index] ?? 0)]));
    return all.set(Infinity, count);
  };
  return {
    observe: (value) => {
      const index = bounds.findIndex((bound) => value <= bound);
      if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
      count += 1;
      sum += value;
    },
    cumulative,
    text: () =>
      head(name, help, "histogram") +
      [...cumulative()]
        .map(([bound, upTo]) => `${name}_bucket{le="${bound === Infinity ? "+Inf" : bound}"} ${upTo}\n`)
        .join("") +
      `${name}_sum ${sum}\n${name}_count ${count}\n`,
  };
}

function head(name: string, help: string, type: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function line<Label extends string>(
  name: string,
  labelNames: readonly Label[],
  labels: Readonly<Record<Label, string>>,
  value: number,
): string {
  const written = labelNames.map((label) => `${label}="${escaped(labels[label])}"`).join(",");
  return written === "" ? `${name} ${value}\n` : `${name}{${written}} ${value}\n`;
}

/** As the format asks for in values of labels. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
