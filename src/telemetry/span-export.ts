import type { EndedSpan, SpanAttributes } from "./otlp-json.ts";
import { otlpJson } from "./otlp-json.ts";

export interface SpanExportSettings {
  /** OTEL_EXPORTER_OTLP_ENDPOINT: `/v1/traces` is put behind it. */
  readonly endpoint: string;
  /** OTEL_EXPORTER_OTLP_HEADERS. */
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: SpanAttributes;
  readonly onFate: (fate: "sent" | "dropped", spans: number) => void;
  /** Told once when the collector cannot be reached, and once when it can again. */
  readonly onTrouble: (trouble: unknown) => void;
  readonly onRecovery: () => void;
}

const MAX_QUEUED_SPANS = 4_096;
const MAX_BATCH_SPANS = 512;
const BATCH_MS = 1_000;
const POST_TIMEOUT_MS = 5_000;
const LONGEST_PAUSE_MS = 30_000;
const LAST_POST_MS = 1_000;
/** Source: OTLP specification 1.x, "OTLP/HTTP Response, Retryable Response Codes". */
const WORTH_ANOTHER_TRY: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Sends spans to an OTLP/HTTP collector, in batches and behind everybody's back.
 *
 * The queue is bounded: while the collector is away, spans beyond it are dropped and counted. Nothing here throws into,
 * or is awaited by, the work that is traced.
 */
export class SpanExport {
  readonly #settings: SpanExportSettings;
  readonly #url: string;
  readonly #queue: EndedSpan[] = [];
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = BATCH_MS;
  #inTrouble = false;
  #posting: Promise<void> | undefined;
  #closed = false;

  constructor(settings: SpanExportSettings) {
    this.#settings = settings;
    this.#url = `${settings.endpoint.replace(/\/+$/, "")}/v1/traces`;
  }

  /** Takes one span along with the next batch, or drops it. */
  add(span: EndedSpan): void {
    if (this.#closed || this.#queue.length >= MAX_QUEUED_SPANS) return this.#settings.onFate("dropped", 1);
    this.#queue.push(span);
    this.#arm();
  }

  /** One last try for what is left, for a second at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#posting;
    const deadline = AbortSignal.timeout(LAST_POST_MS);
    while (this.#queue.length > 0 && !this.#inTrouble) await this.#post(deadline);
    if (this.#queue.length > 0) this.#settings.onFate("dropped", this.#queue.splice(0).length);
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#posting !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#posting = this.#post(AbortSignal.timeout(POST_TIMEOUT_MS)).finally(() => {
        this.#posting = undefined;
        if (this.#queue.length > 0) this.#arm();
      });
    }, this.#pauseMs).unref();
  }

  /** Never rejects: a batch that the collector may take later stays at the head of the queue. */
  async #post(signal: AbortSignal): Promise<void> {
    const batch = this.#queue.slice(0, MAX_BATCH_SPANS);
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: { ...this.#settings.headers, "content-type": "application/json" },
        body: otlpJson(batch, this.#settings.resource),
        signal,
      });
      await response.body?.cancel();
      if (WORTH_ANOTHER_TRY.has(response.status)) return this.#fail(`the collector answered ${response.status}`);
      this.#queue.splice(0, batch.length);
      this.#settings.onFate(response.ok ? "sent" : "dropped", batch.length);
      if (!response.ok) return this.#fail(`the collector answered ${response.status}`);
      this.#recover();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(trouble: unknown): void {
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    if (!this.#inTrouble) this.#settings.onTrouble(trouble);
    this.#inTrouble = true;
  }

  #recover(): void {
    this.#pauseMs = BATCH_MS;
    if (this.#inTrouble) this.#settings.onRecovery();
    this.#inTrouble = false;
  }
}
