/** The names of contract §6. */
export const STREAMS = {
  events: "POSTHORN_EVENTS",
  deadLetters: "POSTHORN_DEAD_LETTERS",
  refused: "POSTHORN_REFUSED",
  audit: "POSTHORN_AUDIT",
} as const;
export const BUCKETS = {
  registry: "posthorn_registry",
  keys: "posthorn_keys",
  secrets: "posthorn_secrets",
  unfinished: "posthorn_unfinished",
  objects: "posthorn_objects",
} as const;
/** The streams that hold the buckets. */
export const BACKING_STREAMS = {
  registry: `KV_${BUCKETS.registry}`,
  keys: `KV_${BUCKETS.keys}`,
  secrets: `KV_${BUCKETS.secrets}`,
  unfinished: `KV_${BUCKETS.unfinished}`,
  objects: `OBJ_${BUCKETS.objects}`,
} as const;
