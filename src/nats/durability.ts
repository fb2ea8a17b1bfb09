import type { StreamInfo } from "@nats-io/jetstream";

/** What the server promises about an acknowledged event, in words (contract §6). Never a bare "durable". */
export function durabilityInWords(info: StreamInfo, localServerSyncs: boolean): string {
  const { config, cluster } = info;
  if (config.num_replicas >= 3)
    return `R${config.num_replicas} in cluster ${cluster?.name ?? "?"}: an acknowledged event survives the loss of one server, if they run on separate machines`;
  if (localServerSyncs)
    return "sync_interval: always: an acknowledged event survives a power loss of this machine, not the loss of its disk";
  return "one copy, written to the server's page cache: it survives a crash of nats-server; a power loss can take what the server had not synced, up to its sync_interval (2 minutes unless set)";
}
