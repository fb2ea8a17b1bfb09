import type { StreamInfo } from "@nats-io/jetstream";
import { StorageType } from "@nats-io/jetstream";

/** What an ack of this stream is worth, in words (contract §6). Never a bare "durable". */
interface Durability {
  readonly words: string;
  /** What would make it better, when something obvious would. */
  readonly advice?: string;
  /** Worse than what the settings of the stream promise, or lost at the next restart: somebody should look. */
  readonly isPoor: boolean;
}

const MAJORITY = 3;

/**
 * Says what an acknowledged event survives, and what can take it.
 *
 * A server tells its `sync_interval` to nobody but its system account, so `serverSyncsAlways` is known of servers that we
 * started only.
 *
 * Source: NATS documentation, "JetStream: persistent and consistent distributed storage"; nats-server 2.10, `sync_interval`.
 */
export function durabilityOf({ config, cluster }: StreamInfo, serverSyncsAlways: boolean): Durability {
  const copies = config.num_replicas;
  if (config.storage === StorageType.Memory && copies === 1)
    return {
      words: "kept in memory only: every event is gone when nats-server ends, in whatever way",
      advice: "make the stream anew with file storage",
      isPoor: true,
    };
  if (copies >= MAJORITY) return replicated(copies, cluster, config.storage === StorageType.Memory);
  if (serverSyncsAlways)
    return {
      words:
        "sync_interval: always: an acknowledged event survives a power loss of this machine, not the loss of its disk",
      isPoor: false,
    };
  const name = copies === 1 ? "one copy" : `R${copies}: ${copies} copies, and both servers are needed for an ack`;
  return {
    words: `${name}: it survives a crash of nats-server. The server's sync_interval cannot be known from here: unless it is "always", a power loss can take what the server had not synced, up to 2 minutes of events by default`,
    advice:
      "set sync_interval: always in the jetstream block of nats-server, if it is not, or run three servers and POSTHORN_REPLICAS=3",
    isPoor: false,
  };
}

function replicated(copies: number, cluster: StreamInfo["cluster"], inMemory: boolean): Durability {
  const behind = (cluster?.replicas ?? []).filter(({ current, offline }) => offline || !current);
  const words = `R${copies} in cluster ${cluster?.name ?? "?"}: an acknowledged event survives the loss of one server, if they run on separate machines; ${
    inMemory
      ? "all copies are in memory, so the loss of all servers at once takes everything"
      : "a power loss of all of them at once can take what none had synced"
  }`;
  if (behind.length === 0) return { words, isPoor: false };
  const names = behind.map(({ name, offline, lag }) => `${name} (${offline ? "offline" : `${lag} behind`})`).join(", ");
  return {
    words: `${words}. Not all copies are there now: ${names}`,
    advice: "bring that server back; while it is missing the loss of another one stops acks",
    isPoor: true,
  };
}
