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

export interface Histogram<Label extends string> extends Measure {
  observe(value: number, ...labels: [Label] extends [never] ? [] : [Readonly<Record<Label, string>>]): void;
  /** How many values of all series were at most as large as each bound, the last one being Infinity. */
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

/** A value that is asked for when somebody reads it; no line for it while it is not known. */
export function createGauge(name: string, help: string, read: () => number | undefined): Measure {
  return {
    text: () => {
      const value = read();
      return `${head(name, help, "gauge")}${value === undefined ? "" : `${name} ${inText(value)}\n`}`;
    },
  };
}

/** A total that grows and is kept elsewhere. */
export function createTotal(name: string, help: string, read: () => number): Measure {
  return { text: () => `${head(name, help, "counter")}${name} ${inText(read())}\n` };
}

/** What does not change: its labels say it, and its value is 1. */
export function createInfo(name: string, help: string, labels: Readonly<Record<string, string>>): Measure {
  return { text: () => head(name, help, "gauge") + line(name, Object.keys(labels), labels, 1) };
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

interface Buckets {
  /** What is larger than every bound is in `count` only. */
  readonly counts: number[];
  count: number;
  sum: number;
}

/** How often a value was at most as large as each of `bounds`, which ascend, for each set of labels. */
export function createHistogram<Label extends string = never>(
  name: string,
  help: string,
  bounds: readonly number[],
  labelNames: readonly Label[] = [],
): Histogram<Label> {
  const series = new Map<string, { readonly labels: Readonly<Record<Label, string>>; readonly buckets: Buckets }>();
  const bucketsOf = (labels: Readonly<Record<Label, string>>): Buckets => {
    const key = labelNames.map((label) => labels[label]).join("\0");
    const known = series.get(key);
    if (known !== undefined) return known.buckets;
    const buckets = { counts: bounds.map(() => 0), count: 0, sum: 0 };
    series.set(key, { labels, buckets });
    return buckets;
  };
  // It has no label to give.
  if (labelNames.length === 0) bucketsOf({} as Record<Label, string>);
  const cumulativeOf = ({ counts, count }: Buckets): [bound: number, upTo: number][] => {
    let below = 0;
    return [
      ...bounds.map((bound, index): [number, number] => [bound, (below += counts[index] ?? 0)]),
      [Infinity, count],
    ];
  };
  return {
    observe: (value, ...[labels]) => {
      const buckets = bucketsOf(labels ?? ({} as Readonly<Record<Label, string>>));
      const index = bounds.findIndex((bound) => value <= bound);
      if (index >= 0) buckets.counts[index] = (buckets.counts[index] ?? 0) + 1;
      buckets.count += 1;
      buckets.sum += value;
    },
    cumulative: () => {
      const all = new Map([...bounds, Infinity].map((bound) => [bound, 0]));
      for (const { buckets } of series.values())
        for (const [bound, upTo] of cumulativeOf(buckets)) all.set(bound, (all.get(bound) ?? 0) + upTo);
      return all;
    },
    text: () =>
      head(name, help, "histogram") +
      [...series.values()]
        .map(
          ({ labels, buckets }) =>
            cumulativeOf(buckets)
              .map(([bound, upTo]) =>
                line(`${name}_bucket`, ["le", ...labelNames], { le: inText(bound), ...labels }, upTo),
              )
              .join("") +
            line(`${name}_sum`, labelNames, labels, buckets.sum) +
            line(`${name}_count`, labelNames, labels, buckets.count),
        )
        .join(""),
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
  return written === "" ? `${name} ${inText(value)}\n` : `${name}{${written}} ${inText(value)}\n`;
}

/** Infinity as the format writes it. */
function inText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

/** As the format asks for in values of labels. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
