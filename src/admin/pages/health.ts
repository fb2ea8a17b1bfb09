import type { Html } from "../html.ts";
import { html } from "../html.ts";
import type { Activity, AdminCheck, StreamFill, Subscriber } from "../services.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";
import { moment } from "./parts.ts";

export interface HealthView {
  readonly checks: readonly AdminCheck[];
  readonly streams: readonly StreamFill[];
  readonly subscribers: readonly Subscriber[];
  readonly activity: Activity;
}

/** Whether all is well, and what is not. */
export function healthPage(frame: Omit<Frame, "title">, view: HealthView): Html {
  const { checks, streams, subscribers, activity } = view;
  const isWell = checks.every(({ ok }) => ok);
  return layout(
    { ...frame, title: "Health" },
    html`<h1>Health</h1>
      <p class="notice${!isWell && " bad"}" role="status">
        ${isWell ? "Mail and calls are taken." : "Something is wrong: senders hear 4xx and keep what they send."}
      </p>
      <section aria-labelledby="checks">
        <h2 id="checks">Findings</h2>
        <ul class="findings">
          ${checks.map(
            ({ name, ok, warning, detail }) =>
              html`<li class="card">
                <span class="tag ${ok ? (warning ? "warn" : "good") : "bad"}"
                  >${ok ? (warning ? "look" : "ok") : "wrong"}</span
                >
                <div><strong>${name}</strong><br />${detail}</div>
              </li>`,
          )}
        </ul>
      </section>
      ${recent(activity)} ${streams.length > 0 && fillTable(streams)} ${behind(subscribers)}`,
  );
}

const OUTCOME_IN_WORDS: Readonly<Record<string, string>> = {
  stored: "became events",
  deadLettered: "kept as dead letters",
  tryLater: "asked to come back",
  refused: "refused",
};

const recent = ({ sinceMs, outcomes, ackP50Ms, ackP95Ms }: Activity): Html => {
  const minutes = Math.round(sinceMs / 60_000);
  const total = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
  return html`<section aria-labelledby="recent">
    <h2 id="recent">
      ${minutes < 2 ? "Since the start, a moment ago" : `The last ${minutes} minutes`}, on this replica
    </h2>
    <p class="tags">
      ${total === 0 && html`<span class="hint">Nothing came.</span>`}
      ${[...outcomes].map(([outcome, count]) => html`<span class="tag">${count} ${OUTCOME_IN_WORDS[outcome] ?? outcome}</span>`)}
      ${total > 0 && minutes >= 2 && html`<span class="tag">${(total / minutes).toFixed(1)} a minute</span>`}
    </p>
    ${ackP50Ms !== null && html`<p class="hint">JetStream acknowledged half within ${inMs(ackP50Ms)}, 95 % within ${inMs(ackP95Ms ?? ackP50Ms)}.</p>`}
  </section>`;
};

const inMs = (ms: number): string => (Number.isFinite(ms) ? `${ms} ms` : "more than 30 s");

const fillTable = (streams: readonly StreamFill[]): Html =>
  html`<section aria-labelledby="streams">
    <h2 id="streams">Streams</h2>
    <div class="scroll">
      <table class="list">
        <caption class="visually-hidden">
          Streams and how full they are
        </caption>
        <thead>
          <tr>
            <th scope="col">Stream</th>
            <th scope="col">Messages</th>
            <th scope="col">Fill</th>
            <th scope="col">Oldest</th>
            <th scope="col">Kept for</th>
          </tr>
        </thead>
        <tbody>
          ${streams.map(
            ({ name, messages, bytes, maxBytes, oldest, maxAgeMs, dedupeWindowMs }) =>
              html`<tr>
                <th scope="row"><code>${name}</code></th>
                <td data-label="Messages">${messages.toLocaleString("en")}</td>
                <td>
                  ${
                    maxBytes === null
                      ? inBytes(bytes)
                      : html`<meter
                            min="0"
                            max="${maxBytes}"
                            value="${bytes}"
                            high="${Math.round(maxBytes * 0.9)}"
                            aria-label="Fill of ${name}"
                          ></meter>
                          ${inBytes(bytes)} of ${inBytes(maxBytes)}`
                  }
                </td>
                <td data-label="Oldest">${oldest === null ? "–" : moment(oldest)}</td>
                <td data-label="Kept for">
                  ${maxAgeMs === null ? "ever" : inTime(maxAgeMs)}${
                    dedupeWindowMs !== undefined && `; repeats are recognised for ${inTime(dedupeWindowMs)}`
                  }
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;

const behind = (subscribers: readonly Subscriber[]): Html =>
  html`<section aria-labelledby="subscribers">
    <h2 id="subscribers">Subscribers</h2>
    ${
      subscribers.length === 0
        ? html`<p class="hint">
            No durable consumer reads the event stream. Who subscribes without one misses what comes while it is away.
          </p>`
        : html`<div class="scroll">
            <table class="list">
              <caption class="visually-hidden">
                Durable consumers of the event stream
              </caption>
              <thead>
                <tr>
                  <th scope="col">Consumer</th>
                  <th scope="col">Waiting</th>
                  <th scope="col">Not acknowledged</th>
                  <th scope="col">Reads</th>
                </tr>
              </thead>
              <tbody>
                ${subscribers.map(
                  ({ name, waiting, unacknowledged, filter }) =>
                    html`<tr>
                      <th scope="row">${name}</th>
                      <td data-label="Waiting">${waiting.toLocaleString("en")}</td>
                      <td data-label="Not acknowledged">${unacknowledged.toLocaleString("en")}</td>
                      <td data-label="Reads"><code>${filter}</code></td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
  </section>`;

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];
const inBytes = (bytes: number): string => {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`;
};

const inTime = (ms: number): string => {
  const hours = ms / 3_600_000;
  return hours >= 48
    ? `${Math.round(hours / 24)} days`
    : hours >= 1
      ? `${Math.round(hours)} hours`
      : `${Math.round(ms / 60_000)} minutes`;
};
