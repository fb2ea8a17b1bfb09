import { readFile, readdir } from "node:fs/promises";
import { monitorEventLoopDelay, PerformanceObserver, performance } from "node:perf_hooks";
import { getHeapSpaceStatistics } from "node:v8";

import type { Measure } from "./exposition.ts";
import { createGauge, createGauges, createHistogram, createInfo, createTotal } from "./exposition.ts";

/** How often the event loop is looked at, in milliseconds; the histogram's values hold that wait too. */
const LOOP_EVERY_MS = 10;
const LOOP_SAMPLES_MS = 5 * LOOP_EVERY_MS;
const GC_SECONDS = [0.001, 0.01, 0.1, 1, 2, 5];
/** Source: Node.js, `perf_hooks.constants`. */
const GC_KINDS: Readonly<Record<number, string>> = { 1: "minor", 4: "major", 8: "incremental", 16: "weakcb" };

/** Of the process, as the kernel has it: `undefined` where there is no /proc. */
interface OfKernel {
  readonly openFiles?: number;
  readonly maxFiles?: number;
  readonly virtualBytes?: number;
  readonly dataBytes?: number;
}

/**
 * What is measured of every process, under the names that Prometheus' client for Node gives it (prom-client 15).
 *
 * Ours, because the client counts CPU time from the first scrape on instead of from the start of the process, and tells of
 * an event loop that it has not looked at yet (a lag of 9.2e9 seconds). Made when somebody asks for the first time: the
 * watch over the event loop wakes an idle process.
 */
export async function createProcessMetrics(): Promise<() => Promise<string>> {
  const loop = await watchLoop();
  const gc = createHistogram(
    "nodejs_gc_duration_seconds",
    "Garbage collection duration by kind, one of major, minor, incremental or weakcb.",
    GC_SECONDS,
    ["kind"],
  );
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { detail } = entry as { readonly detail?: { readonly kind?: number } };
      gc.observe(entry.duration / 1_000, { kind: GC_KINDS[detail?.kind ?? 0] ?? "other" });
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  let kernel: OfKernel = {};
  const measures = [...ofCpu(), ...ofMemory(() => kernel), ...loop.measures, ...ofNode(), gc];
  return async () => {
    kernel = await ofKernel();
    loop.look();
    return measures.map((measure) => measure.text()).join("\n");
  };
}

function ofCpu(): Measure[] {
  const seconds = (read: (usage: NodeJS.CpuUsage) => number) => () => read(process.cpuUsage()) / 1e6;
  return [
    createTotal(
      "process_cpu_user_seconds_total",
      "Total user CPU time spent in seconds.",
      seconds(({ user }) => user),
    ),
    createTotal(
      "process_cpu_system_seconds_total",
      "Total system CPU time spent in seconds.",
      seconds(({ system }) => system),
    ),
    createTotal(
      "process_cpu_seconds_total",
      "Total user and system CPU time spent in seconds.",
      seconds(({ user, system }) => user + system),
    ),
    createGauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", () =>
      Math.round(performance.timeOrigin / 1_000),
    ),
  ];
}

function ofMemory(kernel: () => OfKernel): Measure[] {
  const spaces = (read: (space: ReturnType<typeof getHeapSpaceStatistics>[number]) => number) => () =>
    Object.fromEntries(getHeapSpaceStatistics().map((space) => [space.space_name.replace(/_space$/, ""), read(space)]));
  return [
    createGauge("process_resident_memory_bytes", "Resident memory size in bytes.", () => process.memoryUsage.rss()),
    createGauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", () => kernel().virtualBytes),
    createGauge("process_heap_bytes", "Process heap size in bytes.", () => kernel().dataBytes),
    createGauge("process_open_fds", "Number of open file descriptors.", () => kernel().openFiles),
    createGauge("process_max_fds", "Maximum number of open file descriptors.", () => kernel().maxFiles),
    createGauge("nodejs_heap_size_total_bytes", "Process heap size from Node.js in bytes.", () => {
      return process.memoryUsage().heapTotal;
    }),
    createGauge("nodejs_heap_size_used_bytes", "Process heap size used from Node.js in bytes.", () => {
      return process.memoryUsage().heapUsed;
    }),
    createGauge("nodejs_external_memory_bytes", "Node.js external memory size in bytes.", () => {
      return process.memoryUsage().external;
    }),
    createGauges(
      "nodejs_heap_space_size_total_bytes",
      "Process heap space size total from Node.js in bytes.",
      "space",
      spaces(({ space_size }) => space_size),
    ),
    createGauges(
      "nodejs_heap_space_size_used_bytes",
      "Process heap space size used from Node.js in bytes.",
      "space",
      spaces(({ space_used_size }) => space_used_size),
    ),
    createGauges(
      "nodejs_heap_space_size_available_bytes",
      "Process heap space size available from Node.js in bytes.",
      "space",
      spaces(({ space_available_size }) => space_available_size),
    ),
  ];
}

function ofNode(): Measure[] {
  const [major = "", minor = "", patch = ""] = process.versions.node.split(".");
  const resources = () => {
    const byType: Record<string, number> = {};
    for (const type of process.getActiveResourcesInfo()) byType[type] = (byType[type] ?? 0) + 1;
    return byType;
  };
  return [
    createGauges("nodejs_active_resources", "Resources that keep the event loop alive, by type.", "type", resources),
    createGauge("nodejs_active_resources_total", "Total number of active resources.", () => {
      return process.getActiveResourcesInfo().length;
    }),
    createInfo("nodejs_version_info", "Node.js version info.", { version: process.version, major, minor, patch }),
  ];
}

/** The lag of the event loop since the last look; of the look before where nothing was seen since. */
async function watchLoop(): Promise<{ readonly measures: readonly Measure[]; readonly look: () => void }> {
  const histogram = monitorEventLoopDelay({ resolution: LOOP_EVERY_MS });
  histogram.enable();
  // The first answer waits for something to tell.
  await new Promise((resolve) => setTimeout(resolve, LOOP_SAMPLES_MS));
  const names = ["min", "max", "mean", "stddev", "p50", "p90", "p99"] as const;
  let seen: Readonly<Record<(typeof names)[number], number>> | undefined;
  const look = () => {
    if (histogram.count === 0) return;
    seen = lagOf(histogram);
    histogram.reset();
  };
  const gauge = (name: string, help: string, read: () => number | undefined) => createGauge(name, help, read);
  return {
    look,
    measures: [
      gauge("nodejs_eventloop_lag_seconds", "Lag of event loop in seconds.", () => seen?.mean),
      ...names.map((name) =>
        gauge(
          `nodejs_eventloop_lag_${name}_seconds`,
          `The ${name} of the recorded event loop delays.`,
          () => seen?.[name],
        ),
      ),
    ],
  };
}

/** In seconds, without the wait that was asked for. */
function lagOf(histogram: ReturnType<typeof monitorEventLoopDelay>) {
  const lag = (nanos: number) => Math.max(0, nanos / 1e9 - LOOP_EVERY_MS / 1_000);
  return {
    min: lag(histogram.min),
    max: lag(histogram.max),
    mean: lag(histogram.mean),
    stddev: histogram.stddev / 1e9,
    p50: lag(histogram.percentile(50)),
    p90: lag(histogram.percentile(90)),
    p99: lag(histogram.percentile(99)),
  };
}

async function ofKernel(): Promise<OfKernel> {
  try {
    const [status, limits, files] = await Promise.all([
      readFile("/proc/self/status", "utf8"),
      readFile("/proc/self/limits", "utf8"),
      readdir("/proc/self/fd"),
    ]);
    const kilobytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0) * 1_024;
    const max = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return {
      // Less the folder that is being read.
      openFiles: files.length - 1,
      ...(max !== undefined && { maxFiles: Number(max) }),
      virtualBytes: kilobytes("VmSize"),
      dataBytes: kilobytes("VmData"),
    };
  } catch {
    // Not Linux, or /proc is hidden: what only the kernel knows is left out.
    return {};
  }
}
